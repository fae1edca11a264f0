"""Structures to measure."""

from __future__ import annotations

import ase.build
import numpy as np
from ase.data import covalent_radii, reference_states
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import OptionError, StructureError
from nnp.neighbors import neighbor_list
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

_BOND = 1.25  # of the sum of covalent radii; O-H up to 1.2 Å, hydrogen bonds begin at 1.5 Å
_CRYSTALS = ("fcc", "bcc", "diamond")


def default_structure(potential: Potential) -> Structure:
    """A crystal of a one-element potential's element.

    Raises:
        OptionError: there are several elements, or no crystal is known.
    """
    symbol = potential.elements[0]
    state = reference_states[atomic_number(symbol)]
    if len(potential.elements) > 1 or not state or state["symmetry"] not in _CRYSTALS:
        raise OptionError(
            f"there is no crystal to measure for {', '.join(potential.elements)}: name a STRUCTURE"
        )
    return as_structure(ase.build.bulk(symbol, cubic=True))


def replicated(structure: Structure, n_atoms: int) -> Structure:
    """The structure repeated along its shortest periodic axes until it has ``n_atoms`` or more.

    Raises:
        StructureError: it must grow and has no periodic axis.
    """
    times = np.ones(3, int)
    lengths = np.where(structure.pbc, np.linalg.norm(structure.cell, axis=1), np.inf)
    if len(structure) < n_atoms and not structure.pbc.any():
        raise StructureError(
            f"{n_atoms} atoms are asked for, but the structure of {len(structure)} has no periodic "
            "axis to repeat it along: leave out --atoms or give it a cell"
        )
    while len(structure) * times.prod() < n_atoms:
        times[np.argmin(lengths * times)] += 1
    grid = np.stack(np.meshgrid(*map(np.arange, times), indexing="ij"), -1).reshape(-1, 3)
    positions = structure.positions[None] + (grid @ structure.cell)[:, None]
    return Structure(
        positions.reshape(-1, 3),
        np.tile(structure.atomic_numbers, len(grid)),
        structure.cell * times[:, None],
        structure.pbc,
    )


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
