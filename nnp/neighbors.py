"""Neighbour lists. The convention of the whole package, written here once:

    r_ij = r_j − r_i + shift @ cell

with cell vectors as rows and integer shifts. Lists are full: each pair stands once from either
end, and an atom may be its own neighbour through a periodic image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vesin import NeighborList as VesinNeighborList

from nnp.errors import StructureError
from nnp.structure import Structure

# Atoms closer than this (Å) are the same place to rounding: functions of the angle between them
# have no derivative there.
OVERLAP_DISTANCE = 1e-6


@dataclass(frozen=True, eq=False)
class NeighborList:
    """Pairs closer than a cutoff, sorted by i.

    Attributes:
        i, j: (p,) indices of centre and neighbour.
        shifts: (p, 3) integers.
        vectors: (p, 3) r_ij, Å.
    """

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    shifts: NDArray[np.int64]
    vectors: NDArray[np.float64]


def neighbor_list(structure: Structure, cutoff: float) -> NeighborList:
    """All pairs closer than a cutoff, by vesin (https://luthaf.fr/vesin).

    Args:
        structure: the atoms; any cell, any periodicity, atoms anywhere.
        cutoff: Å.

    Raises:
        StructureError: two atoms are in the same place.
    """
    if len(structure) == 0 or cutoff <= 0:
        no_pairs = np.empty(0, np.int64)
        return NeighborList(no_pairs, no_pairs, np.empty((0, 3), np.int64), np.empty((0, 3)))
    calculator = VesinNeighborList(cutoff=cutoff, full_list=True)
    i, j, shifts, vectors, distances = calculator.compute(
        points=structure.positions,
        box=structure.cell,
        periodic=structure.pbc,
        quantities="ijSDd",
    )
    if len(distances) and distances.min() < OVERLAP_DISTANCE:
        pair = int(distances.argmin())
        raise StructureError(
            f"atoms {int(i[pair])} and {int(j[pair])} are in the same place "
            f"(distance {distances[pair]:.1e} Å): remove one of them"
        )
    order = np.argsort(i, kind="stable")
    i, j, shifts = (array[order].astype(np.int64) for array in (i, j, shifts))
    return NeighborList(i, j, shifts, vectors[order])
