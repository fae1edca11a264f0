"""One labelled structure: what a fit learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import StructureError
from nnp.structure import Structure


@dataclass(frozen=True, eq=False)
class LabelledStructure:
    """Atoms with the labels that are known of them.

    Attributes:
        structure: the atoms.
        energy: total energy, eV; None when unknown.
        forces: (n, 3) eV/Å; None when unknown.
        stress: (6,) (1/V) dE/dε in ASE's order xx, yy, zz, yz, xz, xy, eV/Å³; None when unknown.
        weight: multiplies the squared errors of this structure.
        group: name of the part of the data it belongs to; errors are reported per group.
        where: file and index, for messages.
    """

    structure: Structure
    energy: float | None = None
    forces: NDArray[np.float64] | None = None
    stress: NDArray[np.float64] | None = None
    weight: float = 1.0
    group: str = ""
    where: str = "structure"

    def __len__(self) -> int:
        return len(self.structure)


def require_atoms(frames: Sequence[Any]) -> None:
    """Refuse structures without atoms (docs/decisions/0006-empty-structures.md).

    Raises:
        StructureError: one is among them; says which.
    """
    for number, atoms in enumerate(frames):
        if len(atoms) == 0:
            raise StructureError(f"structure {number} has no atoms: remove it")
