"""Distances and densities that no matter has: an error of units, cell or file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from ase.data import atomic_masses, covalent_radii

from nnp.elements import atomic_number, chemical_symbol
from nnp.errors import NNPError, StructureError
from nnp.neighbors import neighbor_list
from nnp.structure import Structure, as_structure
from nnp.units import U_PER_A3_IN_G_CM3

# Å; nuclei never come this close in structures worth evaluating or learning: even collisions that
# repulsive potentials are fitted to end before.
CLOSEST_ALLOWED = 0.4
# g/cm³: twice osmium's, which is the densest at ambient pressure; iron in the earth has 13.
DENSEST = 45.0
# Median share at which lengths look like another unit: bohr taken for Å has 1.9, the reverse 0.53.
_SHORT, _LONG = 0.6, 1.75
# Tritium has three times hydrogen's mass, repartitioned hydrogen up to four times.
_HEAVY = 4.5
# Closed shells, whose atoms are never bonded.
_NOBLE = (2, 10, 18, 36, 54, 86)


def refuse_impossible(atoms: Any, where: str) -> None:
    """Stop at what no matter is like.

    Raises:
        StructureError: a distance or a density beyond all bounds; names the atoms.
    """
    structure = as_structure(atoms)
    if not len(structure):
        return
    density = _density(structure, atoms.get_masses())
    if density > DENSEST:
        raise StructureError(
            f"{where}: its density is {density:.3g} g/cm³, and nothing has more than {DENSEST:g}: "
            "is the cell a placeholder, or in another unit? (--any-geometry accepts it)"
        )
    found = _closest(structure, CLOSEST_ALLOWED)
    if found is not None:
        share, i, j, distance = found
        first, second = (chemical_symbol(int(structure.atomic_numbers[k])) for k in (i, j))
        raise StructureError(
            f"{where}: atoms {i} ({first}) and {j} ({second}) are {distance:.3f} Å apart, "
            f"{share:.2f} of a bond's length: check units and cell (--any-geometry accepts it)"
        )


def unit_warning(frames: Sequence[Any]) -> str | None:
    """What to say where the distances look like another unit's; None where they do not."""
    shares = []
    for atoms in frames[:: max(1, len(frames) // 20)]:
        structure = as_structure(atoms)
        radius = float(covalent_radii[structure.atomic_numbers].max(initial=0.0))
        found = _closest(structure, 2 * radius * (_LONG + 0.8)) if len(structure) > 1 else None
        if found and not np.isin(structure.atomic_numbers[[found[1], found[2]]], _NOBLE).any():
            shares.append((found[0], found[3]))
    if not shares:
        return None
    share, distance = sorted(shares)[len(shares) // 2]
    if _SHORT <= share <= _LONG:
        return None
    other = "bohr or nm taken for Å" if share > 1 else "Å taken for bohr, or nm for Å"
    return (
        f"units look wrong: the shortest distance of two atoms is {distance:.3f} Å, {share:.2f} of "
        f"a bond's length ({other}?)"
    )


class ClosestPair(NamedTuple):
    """Two atoms of a structure.

    Attributes:
        share: their distance in shares of the sum of their covalent radii.
        i: the first.
        j: the second.
        distance: Å.
    """

    share: float
    i: int
    j: int
    distance: float


def closest_pair(atoms: Any) -> ClosestPair | None:
    """The two atoms that are closest for their elements; None where none are close to bonded."""
    structure = as_structure(atoms)
    radius = float(covalent_radii[structure.atomic_numbers].max(initial=0.0))
    return _closest(structure, 2 * radius) if len(structure) > 1 else None


def bond_length(first: str, second: str) -> float:
    """Sum of two elements' covalent radii, Å."""
    return float(sum(covalent_radii[atomic_number(symbol)] for symbol in (first, second)))


def mass_warning(frames: Sequence[Any]) -> str | None:
    """What to say where a mass is far from its element's; None where none is."""
    for number, atoms in enumerate(frames):
        if "masses" not in atoms.arrays:
            continue
        shares = atoms.get_masses() / atomic_masses[atoms.numbers]
        far = np.flatnonzero((shares > _HEAVY) | (shares < 1 / _HEAVY))
        if len(far):
            atom = int(far[0])
            return (
                f"structure {number}: the mass of atom {atom} ({atoms.symbols[atom]}) is "
                f"{atoms.get_masses()[atom]:.6g} u, {shares[atom]:.3g} times its element's: "
                "another unit? Dynamics takes it"
            )
    return None


def _closest(structure: Structure, cutoff: float) -> ClosestPair | None:
    """The pair whose distance is the smallest share of its covalent radii's sum."""
    radii = covalent_radii[structure.atomic_numbers]
    try:
        pairs = neighbor_list(structure, cutoff, refuse_overlaps=False)
    except NNPError:  # flown apart: nothing to say of its distances
        return None
    if not len(pairs.i):
        return None
    distances = np.linalg.norm(pairs.vectors, axis=1)
    shares = distances / (radii[pairs.i] + radii[pairs.j])
    worst = int(shares.argmin())
    i, j = int(pairs.i[worst]), int(pairs.j[worst])
    return ClosestPair(float(shares[worst]), i, j, float(distances[worst]))


def _density(structure: Structure, masses: Any) -> float:
    """g/cm³; 0 where the structure has no volume."""
    if not structure.pbc.all():
        return 0.0
    return float(np.sum(masses)) * U_PER_A3_IN_G_CM3 / structure.volume
