"""An engine and what ASE calculators add to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import Baseline, BaselineSum
from nnp.engines import Engine
from nnp.evaluation import Evaluation
from nnp.structure import Structure


class EngineWithBaseline:
    """See `nnp.engines.Engine`.

    Args:
        engine: of the fitted part.
        parts: what is added.

    Raises:
        OptionError, UnavailableError: a calculator cannot be made.
    """

    def __init__(self, engine: Engine, parts: Sequence[Baseline]) -> None:
        self.name = engine.name
        self._engine, self._baseline = engine, BaselineSum(parts)

    def compute(
        self, structure: Structure, forces: bool = True, stress: bool = False
    ) -> Evaluation:
        """Sums of energy, and on request of forces and stress."""
        fitted = self._engine.compute(structure, forces, stress)
        added = self._baseline.compute(structure, forces, stress)
        return replace(
            fitted,
            energy=fitted.energy + float(added.energies.sum()),
            energies=fitted.energies + added.energies,
            forces=_sum(fitted.forces, added.forces),
            stress=_sum(fitted.stress, added.stress),
        )

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """Of the fitted part."""
        return self._engine.descriptors(structure, scaled)


def _sum(
    fitted: NDArray[np.float64] | None, added: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    return None if fitted is None or added is None else fitted + added
