"""Whether all programs run the same potential: asked before anything is timed.

Each is compared with the CPU engine in float64, on the structure with its atoms moved a little:
the forces of a crystal vanish whatever the potential.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nnp.errors import NNPError
from nnp.potential import Potential
from nnp.structure import Structure

_MOVED = 0.03  # Å, standard deviation
_SEED = 14

# Of single precision, far above its rounding (`nnp.testing`): other parameters, elements in another
# order or other units are larger by orders of magnitude. Of float64 the same, so that constants of
# units from another year (1e-8) are seen; eV per atom, and eV/Å relative to the largest force.
_SINGLE = (1e-3, 1e-3)
_DOUBLE = (1e-7, 1e-8)


@dataclass(frozen=True)
class Answer:
    """What a program makes of a structure.

    Attributes:
        energy: eV.
        forces: shape (n, 3), eV/Å.
        single: whether some of it is computed in single precision.
    """

    energy: float
    forces: NDArray[np.float64]
    single: bool = False


@dataclass(frozen=True)
class Difference:
    """From the potential.

    Attributes:
        energy: eV per atom.
        force: the largest of a component, eV/Å.
    """

    energy: float
    force: float


class Judge:
    """Compares answers with a potential's, structure by structure."""

    def __init__(self, potential: Potential) -> None:
        self._potential = potential
        self._engine = potential.engine("cpu")

    def prepare(self, structure: Structure) -> None:
        """Compute what is right for a structure.

        Raises:
            NNPError: the structure cannot be evaluated.
        """
        moved = np.random.default_rng(_SEED).normal(0, _MOVED, structure.positions.shape)
        self.structure = replace(structure, positions=structure.positions + moved)
        found = self._engine.compute(self.structure, True, False)
        if found.forces is None:
            raise NNPError("the engine gave no forces")
        self._right = Answer(found.energy, found.forces)

    def difference(self, answer: Answer) -> Difference:
        """How far an answer to `structure` is off.

        Raises:
            NNPError: so far that another potential must have run.
        """
        right = self._right
        if answer.forces.shape != right.forces.shape:
            raise NNPError(
                f"it has forces on {len(answer.forces)} atoms, the structure has "
                f"{len(right.forces)}: atoms were lost"
            )
        found = Difference(
            abs(answer.energy - right.energy) / len(right.forces),
            float(np.abs(answer.forces - right.forces).max()),
        )
        energy, force = _SINGLE if answer.single else _DOUBLE
        largest = 1.0 + float(np.abs(right.forces).max())
        if not (found.energy <= energy and found.force <= force * largest):
            raise NNPError(
                f"it is another potential: energy and forces of the same atoms differ from "
                f"the CPU engine's by {found.energy:.2g} eV/atom and {found.force:.2g} eV/Å "
                f"(allowed: {energy:.2g} and {force * largest:.2g}); times would not compare"
            )
        return found
