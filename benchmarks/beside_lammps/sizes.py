"""A structure with as many atoms as wanted: repeated, or a cluster cut out of it."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

from nnp.bench.structures import replicated
from nnp.neighbors import neighbor_list
from nnp.structure import Structure

_BOND = 1.25  # of the sum of covalent radii; O-H up to 1.2 Å, hydrogen bonds begin at 1.5 Å


def of_size(structure: Structure, n_atoms: int) -> Structure:
    """The structure repeated to ``n_atoms`` or more, or a cluster of so many cut out of it.

    A cluster, for numbers below the structure's own, is not periodic. It holds the atoms nearest
    to the first; of a molecular structure whole molecules, so perhaps a few atoms more: torn ones
    would fly apart.

    Raises:
        StructureError: as `replicated`.
    """
    if n_atoms >= len(structure):
        return replicated(structure, n_atoms)
    molecules = _molecules(structure)
    apart = _nearest_image(structure, structure.positions - structure.positions[0])
    anchors = np.unique(molecules, return_index=True)[1][molecules]
    apart = apart[anchors] + _nearest_image(
        structure, structure.positions - structure.positions[anchors]
    )
    distances = np.linalg.norm(apart, axis=1)
    nearest = np.full(molecules.max() + 1, np.inf)
    np.minimum.at(nearest, molecules, distances)
    order = np.lexsort((distances, molecules, nearest[molecules]))
    last = molecules[order[n_atoms - 1]]
    n_atoms += int((molecules[order[n_atoms:]] == last).sum())
    chosen = order[:n_atoms]
    numbers = structure.atomic_numbers[chosen]
    return Structure(apart[chosen], numbers, np.zeros((3, 3)), np.zeros(3, bool))


def _nearest_image(structure: Structure, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of vectors between atoms, along the periodic axes."""
    if not structure.pbc.any():
        return vectors
    fractions = vectors @ np.linalg.inv(structure.cell)
    found: NDArray[np.float64] = (
        vectors - np.where(structure.pbc, np.rint(fractions), 0) @ structure.cell
    )
    return found


def _molecules(structure: Structure) -> NDArray[np.int64]:
    """Number of each atom's molecule; of its own where bonds go on and on, as in a crystal."""
    radii = _BOND * covalent_radii[structure.atomic_numbers]
    pairs = neighbor_list(structure, 2 * float(radii.max()))
    lengths = np.linalg.norm(pairs.vectors, axis=1)
    bonded = lengths < radii[pairs.i] + radii[pairs.j]
    first, second = pairs.i[bonded], pairs.j[bonded]
    numbers = np.arange(len(structure))
    while (numbers[first] != numbers[second]).any():  # the lowest number spreads, bond by bond
        np.minimum.at(numbers, first, numbers[second])
    if np.bincount(numbers).max() > len(structure) / 2:
        return np.arange(len(structure))
    return np.unique(numbers, return_inverse=True)[1]
