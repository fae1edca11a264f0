"""Layers like MoSi2N4 with labels of an analytic teacher, where the public set is not at hand.

Three elements, 28 to 84 atoms, with holes and exchanged atoms, ordered to strongly distorted. The
teacher is what classical force fields of such solids are made of: Morse bonds of Mo–N and Si–N,
angles between bonds as Stillinger and Weber have them, charges screened within 6 Å, repulsion at
short distances. Nothing of it is fitted to anything; forces are those of its energy, by autograd.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.optimize import FIRE
from torch import Tensor

from nnp.neighbors import neighbor_list
from nnp.structure import as_structure

ELEMENTS = ("N", "Si", "Mo")
CUTOFF, BOND = 6.0, 3.2  # Å
# Depth (eV), steepness (1/Å), distance (Å) of bonds.
MORSE = {("Mo", "N"): (2.2, 1.7, 2.09), ("N", "Si"): (3.0, 1.9, 1.74)}
# Strength (eV) and range (Å) of what keeps the others apart, at a distance of 2 Å.
REPULSION, RANGE = 0.6, 0.35
CHARGES, SCREENING = {"N": -0.75, "Si": 0.9, "Mo": 1.2}, 2.0  # e, Å
COULOMB = 14.399645  # eV Å
# Strength (eV) and cosine of angles at an element.
ANGLES = {"N": (1.2, -0.35), "Si": (1.6, -1 / 3), "Mo": (0.7, 0.05)}
# Displacement of each coordinate (Å), strain: ordered to strongly distorted.
KINDS = {
    "ordered": (0.03, 0.01),
    "warm": (0.07, 0.02),
    "hot": (0.12, 0.02),
    "distorted": (0.17, 0.03),
    "strongly_distorted": (0.24, 0.04),
}
# Forces (eV/Å) of structures that no run meets.
STRONGEST = 60.0


class Teacher(Calculator):  # type: ignore[misc]
    """Energies and forces of the model."""

    implemented_properties = ("energy", "forces")

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """See `ase.calculators.calculator.Calculator`."""
        super().calculate(atoms, properties, system_changes)
        found = neighbor_list(as_structure(self.atoms), CUTOFF)
        kinds = torch.tensor([ELEMENTS.index(s) for s in self.atoms.symbols])
        i, j = torch.from_numpy(found.i), torch.from_numpy(found.j)
        vectors = torch.from_numpy(found.vectors).requires_grad_()
        energy = _pairs(kinds[i], kinds[j], vectors) + _angles(kinds, i, j, vectors)
        (slope,) = torch.autograd.grad(energy, vectors)
        forces = torch.zeros((len(self.atoms), 3), dtype=torch.float64)
        forces.index_add_(0, i, slope).index_add_(0, j, -slope)
        self.results = {"energy": float(energy.detach()), "forces": forces.numpy()}


def _pairs(first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
    """Every pair stands twice in the list."""
    r = torch.linalg.norm(vectors, dim=1)
    depth, steep, distance = torch.zeros((3, 3, 3), dtype=torch.float64)
    for pair, values in MORSE.items():
        a, b = (ELEMENTS.index(symbol) for symbol in pair)
        for table, value in zip((depth, steep, distance), values, strict=True):
            table[a, b] = table[b, a] = value
    charges = torch.tensor([CHARGES[s] for s in ELEMENTS], dtype=torch.float64)
    d, a, r_0 = (table[first, second] for table in (depth, steep, distance))
    morse = d * ((1 - torch.exp(-a * (r - r_0))) ** 2 - 1)
    apart = torch.where(d > 0, 0.0, REPULSION) * torch.exp((2.0 - r) / RANGE)
    electric = COULOMB * charges[first] * charges[second] * torch.exp(-r / SCREENING) / r
    # At short distances Morse's well ends: a core for all pairs.
    core = 30.0 * torch.exp(-r / 0.2)
    return 0.5 * ((morse + apart + electric + core) * _smooth(r, CUTOFF)).sum()


def _angles(kinds: Tensor, i: Tensor, j: Tensor, vectors: Tensor) -> Tensor:
    r = torch.linalg.norm(vectors, dim=1)
    bonded = torch.tensor([[tuple(sorted(p)) in MORSE for p in _row(s)] for s in ELEMENTS])
    close = torch.nonzero((r < BOND) & bonded[kinds[i], kinds[j]])[:, 0]
    center = i[close]
    order = torch.argsort(center, stable=True)
    close, center = close[order], center[order]
    counts = torch.bincount(center, minlength=len(kinds))
    a, b, starts = [], [], torch.cumsum(counts, 0) - counts
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        one, two = torch.triu_indices(count, count, 1)
        a.append(start + one)
        b.append(start + two)
    a_all, b_all = torch.cat(a), torch.cat(b)
    first, second = close[a_all], close[b_all]
    cosine = (vectors[first] * vectors[second]).sum(1) / (r[first] * r[second])
    table = torch.tensor([ANGLES[s] for s in ELEMENTS], dtype=torch.float64)
    strength, rest = table[kinds[center[a_all]]].T
    near = _smooth(r, BOND)
    return (strength * (cosine - rest) ** 2 * near[first] * near[second]).sum()


def _row(symbol: str) -> list[tuple[str, str]]:
    return [(symbol, other) for other in ELEMENTS]


def _smooth(r: Tensor, cutoff: float) -> Tensor:
    """From 1 to 0 over the last fifth, with two continuous derivatives."""
    x = ((r / cutoff - 0.8) / 0.2).clamp(0, 1)
    return 1 - x**3 * (10 - 15 * x + 6 * x**2)


def monolayer() -> Atoms:
    """MoSi2N4, 7 atoms; heights (Å) near those of the relaxed layer."""
    a, middle = 2.91, 6.5
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, 2 * middle]])
    sites = [("Mo", 1, 0.0), ("N", 2, 1.25), ("N", 2, -1.25), ("Si", 1, 2.99), ("Si", 1, -2.99)]
    sites += [("N", 2, 3.5), ("N", 2, -3.5)]
    places = {1: (1 / 3, 2 / 3), 2: (2 / 3, 1 / 3)}
    positions = [
        places[k][0] * cell[0] + places[k][1] * cell[1] + [0, 0, middle + z] for _, k, z in sites
    ]
    return Atoms([symbol for symbol, _, _ in sites], positions, cell=cell, pbc=True)


def frames(count: int, seed: int) -> list[Atoms]:
    """Labelled structures, every kind alike often; collisions are drawn again."""
    rng, teacher = np.random.default_rng(seed), Teacher()
    unit = monolayer() * (2, 2, 1)
    unit.calc = teacher
    FIRE(unit, logfile=None).run(fmax=0.02, steps=300)
    unit = Atoms(unit.symbols, unit.positions, cell=unit.cell, pbc=True)
    found: list[Atoms] = []
    while len(found) < count:
        kind = list(KINDS)[len(found) % len(KINDS)]
        atoms = _distorted(unit, kind, rng)
        forces = teacher.get_forces(atoms)
        if np.abs(forces).max() > STRONGEST:
            continue
        atoms.calc = SinglePointCalculator(
            atoms, energy=teacher.get_potential_energy(atoms), forces=forces
        )
        atoms.info["config_type"] = kind
        found.append(atoms)
    return found


def _distorted(unit: Atoms, kind: str, rng: np.random.Generator) -> Atoms:
    width, strain = KINDS[kind]
    atoms = unit * [(1, 1, 1), (2, 1, 1), (3, 1, 1)][rng.integers(3)]
    if rng.random() < 0.3:
        del atoms[int(rng.integers(len(atoms)))]
    if rng.random() < 0.2:
        one, two = rng.choice(len(atoms), 2, replace=False)
        atoms.symbols[[one, two]] = atoms.symbols[[two, one]]
    change = rng.normal(0, strain, (2, 2))
    cell = atoms.cell.array.copy()
    cell[:, :2] = cell[:, :2] @ (np.eye(2) + (change + change.T) / 2)
    atoms.set_cell(cell, scale_atoms=True)
    atoms.positions += rng.normal(0, width, atoms.positions.shape)
    return atoms


def files(folder: Path, count: int = 300, test: int = 60) -> tuple[Path, Path]:
    """Training and test file, made once."""
    made = folder / "nitride-train.extxyz", folder / "nitride-test.extxyz"
    for file, number, seed in zip(made, (count, test), (1, 2), strict=True):
        if not file.exists():
            write(file, frames(number, seed))
    return made
