"""An engine and what ASE calculators add to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import BaselineSum
from nnp.engines.contract import Engine
from nnp.evaluation import Evaluation
from nnp.potential import Potential
from nnp.structure import Structure


class EngineWithBaseline(Engine):
    """See `nnp.engines.Engine`.

    Args:
        potential: with the baseline.
        engine: of the fitted part.

    Raises:
        OptionError, UnavailableError: a calculator cannot be made.
    """

    def __init__(self, potential: Potential, engine: Engine) -> None:
        self.name, self.dtype, self.potential = engine.name, engine.dtype, potential
        self._engine, self._baseline = engine, BaselineSum(potential.baseline)

    def compute(
        self,
        structure: Structure,
        forces: bool = True,
        stress: bool = False,
        *,
        virials: bool = False,
    ) -> Evaluation:
        """Sums of energy, and on request of forces and stress; a calculator has no virials."""
        if virials:
            self._lacks("virials of atoms")
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
