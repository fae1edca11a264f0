"""Heavier hydrogen, whose mass the atom it is bound to gives: longer time steps, same statistics.

Positions in equilibrium do not depend on masses; velocities, diffusion and vibrations do.

Reference:
    Hopkins et al., J. Chem. Theory Comput. 11, 1864 (2015), doi:10.1021/ct5010406.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from nnp.errors import OptionError, StructureError
from nnp.neighbors import neighbor_list
from nnp.structure import as_structure
from nnp.values import require_number

# Of the sum of two covalent radii: what is nearer is bound.
_BOUND = 1.3
# u; what an atom that gives must keep, and what hydrogen weighs at least.
_LEAST_LEFT, _HYDROGEN = 3.0, 1.008


def with_heavy_hydrogen(atoms: Atoms, hydrogen_mass: float) -> Atoms:
    """A copy whose hydrogen atoms have this mass, taken from the nearest atom of another element.

    Args:
        atoms: with the elements' masses, or others.
        hydrogen_mass: u; 3 allows steps of about 2 fs, and 4 at most is useful.

    Raises:
        OptionError: a mass below hydrogen's own, or no hydrogen.
        StructureError: a hydrogen atom that is bound to nothing else, or an atom that would be left
            with too little.
    """
    require_number("hydrogen_mass", hydrogen_mass, _HYDROGEN, " u")
    found: Any = atoms.copy()  # type: ignore[no-untyped-call]
    if not (found.numbers == 1).any():
        raise OptionError(
            f"hydrogen_mass={hydrogen_mass:g} u: the structure has no hydrogen: leave it out"
        )
    masses = np.array(found.get_masses(), np.float64)
    for hydrogen, other in _bonds(found):
        masses[other] -= hydrogen_mass - masses[hydrogen]
        masses[hydrogen] = hydrogen_mass
    light = np.flatnonzero((masses < _LEAST_LEFT) & (found.numbers != 1))
    if len(light):
        atom = int(light[0])
        raise OptionError(
            f"hydrogen_mass={hydrogen_mass:g} u leaves {masses[atom]:.2f} u to atom {atom} "
            f"({found.symbols[atom]}): take less"
        )
    found.set_masses(masses)
    return found  # type: ignore[no-any-return]


def _bonds(atoms: Any) -> list[tuple[int, int]]:
    """Each hydrogen atom with the nearest atom of another element."""
    structure = as_structure(atoms)
    numbers = structure.atomic_numbers
    radii = covalent_radii[numbers]
    pairs = neighbor_list(structure, _BOUND * float(radii.max() + covalent_radii[1]))
    distances = np.linalg.norm(pairs.vectors, axis=1)
    bound = distances < _BOUND * (radii[pairs.i] + radii[pairs.j])
    chosen = bound & (numbers[pairs.i] == 1) & (numbers[pairs.j] != 1)
    nearest: dict[int, tuple[float, int]] = {}
    for i, j, distance in zip(
        pairs.i[chosen].tolist(), pairs.j[chosen].tolist(), distances[chosen].tolist(), strict=True
    ):
        nearest[i] = min(nearest.get(i, (np.inf, -1)), (distance, j))
    for atom in np.flatnonzero(numbers == 1).tolist():
        if atom not in nearest:
            raise StructureError(
                f"hydrogen_mass: atom {atom} (H) is bound to no other element, which could give it "
                "mass: leave it out"
            )
    return [(atom, other) for atom, (_, other) in sorted(nearest.items())]
