"""The materials and their teacher: GFN1-xTB at the Γ point of one supercell.

tblite has no k-points. So the teacher of a material is "GFN1-xTB of this supercell at Γ", smooth
and exact to learn from; what is missing to the infinite crystal is printed by `cell_convergence`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ase import Atoms
from ase.build import bulk, graphene
from ase.spacegroup import crystal

from nnp.teachers.by_name import teacher

TEACHER = "tblite:GFN1-xTB"
VACUUM = 8.0  # Å on each side of a sheet
LAYERS = 3.35  # Å between those of the bilayer


@dataclass(frozen=True)
class Material:
    """One material.

    Attributes:
        cell: makes its smallest cell.
        repeat: of the supercell that the teacher sees.
        grown: of larger ones, for the convergence of the teacher.
    """

    cell: Callable[[], Atoms]
    repeat: tuple[int, int, int]
    grown: tuple[tuple[int, int, int], ...] = ()

    def supercell(self) -> Atoms:
        """What is sampled."""
        return self.cell().repeat(self.repeat)


def _sheet(formula: str, a: float) -> Atoms:
    atoms = graphene(formula, a=a, vacuum=VACUUM)
    atoms.pbc = True
    return atoms


def _bilayer() -> Atoms:
    """Two sheets of graphene in Bernal (AB) stacking."""
    lower = _sheet("C2", 2.46)
    upper = lower.copy()
    upper.positions += lower.cell[0] / 3 + 2 * lower.cell[1] / 3
    upper.positions[:, 2] += LAYERS
    lower.cell[2, 2] += LAYERS
    return lower + upper


def _silica_sheet(a: float = 5.3, bond: float = 1.62) -> Atoms:
    """Two sheets of corner-sharing SiO4 rings, mirror images, joined by oxygen (P6/mmm).

    Lengths in Å: of the cell, and of Si-O.
    """
    rise = math.sqrt(bond**2 - a**2 / 12)  # of a sheet's own oxygen over its silicon
    thirds, halves = ((1 / 3, 2 / 3), (2 / 3, 1 / 3)), ((0.5, 0.0), (0.0, 0.5), (0.5, 0.5))
    sites = [(*place, z) for z in (-bond, bond) for place in thirds]
    sites += [(*place, 0.0) for place in thirds]
    sites += [(*place, z) for z in (-bond - rise, bond + rise) for place in halves]
    height = 2 * (bond + rise + VACUUM)
    atoms = Atoms("Si4O8", cell=[a, a, height, 90, 90, 120], pbc=True)
    atoms.set_scaled_positions([(x, y, 0.5 + z / height) for x, y, z in sites])
    return atoms


def _quartz() -> Atoms:
    return crystal(
        ["Si", "O"],
        [(0.4697, 0, 2 / 3), (0.4135, 0.2669, 0.7858)],
        spacegroup=154,
        cellpar=[4.916, 4.916, 5.405, 90, 90, 120],
    )


MATERIALS = {
    "graphene": Material(lambda: _sheet("C2", 2.46), (4, 4, 1), ((5, 5, 1), (6, 6, 1))),
    "diamond": Material(lambda: bulk("C", "diamond", a=3.567), (2, 2, 2), ((3, 3, 3), (4, 4, 4))),
    "diamond, 54 atoms": Material(lambda: bulk("C", "diamond", a=3.567), (3, 3, 3)),
    "hexagonal BN": Material(lambda: _sheet("BN", 2.504), (4, 4, 1)),
    "cubic BN": Material(lambda: bulk("BN", "zincblende", a=3.615), (3, 3, 3)),
    # not 3 × 3: in multiples of three levels cross at the Fermi energy, and forces jump
    "bilayer graphene": Material(_bilayer, (4, 4, 1)),
    "silica sheet": Material(_silica_sheet, (2, 2, 1)),
    "α-quartz": Material(_quartz, (2, 2, 1)),
}


def cell_convergence(material: Material) -> dict[str, float]:
    """The teacher's energy per atom (eV) of the perfect supercell and of larger ones."""
    make_teacher = teacher(TEACHER)
    found = {}
    for repeat in (material.repeat, *material.grown):
        atoms = material.cell().repeat(repeat)
        atoms.calc = make_teacher()
        found["×".join(map(str, repeat))] = atoms.get_potential_energy() / len(atoms)
    return found
