"""Neighbour lists. The convention of the whole package, written here once:

    r_ij = r_j − r_i + shift @ cell

with cell vectors as rows and integer shifts. Lists are full: each pair stands once from either
end, and an atom may be its own neighbour through a periodic image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import StructureError
from nnp.structure import Structure

# Atoms closer than this (Å) are the same place to rounding: functions of the angle between them
# have no derivative there.
OVERLAP_DISTANCE = 1e-6

# What vesin 0.6 can do. It divides space into cells; when there are more than this many it thins
# them out in proportion, and where that leaves an axis without a cell the process dies.
_MOST_CELLS = 1e5
# Each of these radii beyond the cutoff finds the same pairs and more, among fewer cells.
_WIDER = (1.0, 1.2, 1.5, 2.0, 3.0)
# Beyond, its 32-bit cell indices overflow and pairs are lost without a word.
_FARTHEST = 1e9
# Where some axes are periodic it searches all cells along the others, from each.
_MOST_VISITS = 1e8
# Periodic images per atom: a search through more would not end.
_MOST_IMAGES = 1e7
# Of an atom, as in the CPU engine: more are nanometres taken for angstroms, and long triples.
MOST_NEIGHBORS = 10_000


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


def neighbor_list(
    structure: Structure, cutoff: float, refuse_overlaps: bool = True
) -> NeighborList:
    """All pairs closer than a cutoff, by vesin (https://luthaf.fr/vesin).

    Args:
        structure: the atoms; any cell, any periodicity, atoms anywhere.
        cutoff: Å.
        refuse_overlaps: whether two atoms in the same place are an error.

    Raises:
        StructureError: two atoms are in the same place, the structure spreads too far, or an atom
            has more neighbours than any matter.
    """
    if len(structure) == 0 or cutoff <= 0:
        no_pairs = np.empty(0, np.int64)
        return NeighborList(no_pairs, no_pairs, np.empty((0, 3), np.int64), np.empty((0, 3)))
    radius = _search_radius(structure, cutoff)
    if structure.pbc.all():  # before they are searched
        within = 4 / 3 * np.pi * cutoff**3 / abs(np.linalg.det(structure.cell))
        _require_matter("atoms have on average", len(structure) * within, cutoff)
    calculator = _vesin(radius, full_list=True)
    i, j, shifts, vectors, distances = calculator.compute(
        points=structure.positions,
        box=structure.cell,
        periodic=structure.pbc,
        quantities="ijSDd",
    )
    if refuse_overlaps and len(distances) and distances.min() < OVERLAP_DISTANCE:
        pair = int(distances.argmin())
        raise StructureError(
            f"atoms {int(i[pair])} and {int(j[pair])} are in the same place "
            f"(distance {distances[pair]:.1e} Å): remove one of them"
        )
    order = np.argsort(i, kind="stable")
    if radius > cutoff:
        order = order[distances[order] < cutoff]
    i, j, shifts = (array[order].astype(np.int64) for array in (i, j, shifts))
    counts = np.bincount(i, minlength=1)
    _require_matter(f"atom {int(counts.argmax())} has", int(counts.max()), cutoff)
    return NeighborList(i, j, shifts, vectors[order])


def pair_distances(
    structure: Structure, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Indices and distances of all pairs closer than a cutoff, each pair once, in no order.

    Args:
        structure: the atoms.
        cutoff: Å.

    Returns:
        (p,) i, (p,) j, (p,) distances, Å.

    Raises:
        StructureError: as `neighbor_list`.
    """
    if len(structure) == 0 or cutoff <= 0:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    radius = _search_radius(structure, cutoff)
    if structure.pbc.all():
        within = 4 / 3 * np.pi * cutoff**3 / abs(np.linalg.det(structure.cell))
        _require_matter("atoms have on average", len(structure) * within, cutoff)
    i, j, distances = _vesin(radius, full_list=False).compute(
        points=structure.positions,
        box=structure.cell,
        periodic=structure.pbc,
        quantities="ijd",
    )
    near = distances < cutoff
    return i[near].astype(np.int64), j[near].astype(np.int64), distances[near]


def _require_matter(who: str, count: float, cutoff: float) -> None:
    if count > MOST_NEIGHBORS:
        raise StructureError(
            f"{who} {count:.0f} neighbours within {cutoff:g} Å (most: {MOST_NEIGHBORS}): are "
            "positions and cell in angstrom?"
        )


def _vesin(radius: float, *, full_list: bool) -> Any:
    """Vesin's calculator; imported here: where torch is, it brings torch, a second."""
    from vesin import NeighborList as VesinNeighborList

    return VesinNeighborList(cutoff=radius, full_list=full_list)


def _search_radius(structure: Structure, cutoff: float) -> float:
    """The cutoff, or as much more as vesin needs to survive.

    Raises:
        StructureError: the structure spreads too far, or its cell is too thin, for any radius.
    """
    positions, pbc = structure.positions, structure.pbc
    widths = 1.01 * np.ptp(positions, axis=0)
    inverse = np.linalg.pinv(structure.cell[pbc])  # columns: r → fractions of the periodic vectors
    heights = 1 / np.linalg.norm(inverse, axis=0)
    widths[pbc] = heights
    images = np.prod(2 * np.ceil(cutoff / heights) + 1)
    if images > _MOST_IMAGES:
        raise StructureError(
            f"the cell is so thin ({heights.min():.2g} Å) against the cutoff {cutoff:.3g} Å that "
            f"each atom would have {images:.0e} images: check the cell and its unit"
        )
    fractions = np.abs(positions @ inverse)
    far = (fractions * np.maximum(heights / cutoff, 1)).max(axis=1, initial=0)
    if far.max() > _FARTHEST:
        atom = int(far.argmax())
        raise StructureError(
            f"atom {atom} lies {fractions[atom].max():.1e} cells away from the origin: wrap the "
            "positions into the cell"
        )
    for factor in _WIDER:
        cells = _cells(np.maximum(widths, 1.0), factor * cutoff)
        visits = np.prod(cells) * (np.prod(cells[~pbc]) if pbc.any() else 1.0)
        if cells.min() >= 1 and visits <= _MOST_VISITS:
            return factor * cutoff
    raise StructureError(
        f"the structure is {widths[0]:.2g} × {widths[1]:.2g} × {widths[2]:.2g} Å wide, too far "
        f"apart for the neighbour list of engine='reference' with a cutoff of {cutoff:.3g} Å: "
        "engine='cpu' can do it; or has an atom escaped?"
    )


def _cells(widths: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """How many cells vesin makes along each axis; 0 is fatal."""
    cells: NDArray[np.float64] = np.maximum(np.trunc(widths / radius), 1)
    if np.prod(cells) > _MOST_CELLS:
        x_y, y_z = cells[0] / cells[1], cells[1] / cells[2]
        z = np.trunc(np.cbrt(_MOST_CELLS / (x_y * y_z * y_z)))
        y = np.trunc(y_z * z)
        cells = np.array([np.trunc(x_y * y), y, z])
    return cells
