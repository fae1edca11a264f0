"""What the CPU engine's speed is judged by: potentials with known answers, and made ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from pathlib import Path

import numpy as np
from ase.build import bulk
from cost_cases import potential_of

import nnp
from nnp.bench import replicated
from nnp.functions import CompactAngular, CompactRadial, Core, SymmetryFunction
from nnp.io.structures import read_structures
from nnp.potential import Potential
from nnp.structure import Structure, as_structure
from nnp.testing import random_structure

Case = tuple[str, Potential, Structure]
GAP = 2.5  # Å between the molecules of a box
ELEMENTS = ("H", "C", "O")


def box_of(molecule: Structure, times: tuple[int, int, int]) -> Structure:
    """Molecules side by side, with a gap of van der Waals size, periodic."""
    edges = np.ptp(molecule.positions, axis=0) + GAP
    one = Structure(molecule.positions, molecule.atomic_numbers, np.diag(edges), np.ones(3, bool))
    steps = np.stack(np.meshgrid(*map(np.arange, times), indexing="ij"), -1).reshape(-1, 3) * edges
    positions = (one.positions + steps[:, None]).reshape(-1, 3)
    numbers = np.tile(one.atomic_numbers, len(steps))
    return Structure(positions, numbers, np.diag(edges * times), np.ones(3, bool))


def compact(kind: str) -> Potential:
    """Three elements, every pair of them; windows and cores unlike those of known potentials.

    Args:
        kind: ``"radial"`` (n2p2's types 20 and 23), ``"narrow"`` (21, 24), ``"wide"`` (22, 25).
    """
    angles = [(-60.0, 60.0), (0.0, 120.0), (60.0, 180.0), (120.0, 240.0), (-180.0, 180.0)]
    ranges = [(-r, r) for r in (2.7, 3.6, 4.5, 5.4, 6.3)] + [(1.0, 4.9), (2.2, 6.3)]
    pairs = [*combinations_with_replacement(ELEMENTS, 2), None]
    found: list[SymmetryFunction] = [
        CompactRadial(element, *ends, Core.POLY3, asymmetric=ends[0] < 0)
        for element, ends in product((*ELEMENTS, None), ranges)
    ]
    if kind != "radial":
        found += [
            CompactAngular(pair, *ends, *angle, Core.POLY1, ends[0] > 0, kind == "narrow")
            for pair, ends, angle in product(pairs, ranges, angles)
        ]
    return potential_of(ELEMENTS, found, 20, 3)


def cases(reference: Path, examples: Path | None) -> Iterator[Case]:
    """Name, potential, structure.

    Args:
        reference: the reference data.
        examples: n2p2's ``examples/nnp-predict``, for two more potentials of molecules.
    """
    folder = reference / "n2p2" / "DMABN_SCAN"
    dmabn = nnp.load(folder)
    molecule = as_structure(read_structures(folder / "input.data", dmabn.units, 0)[0])
    yield "DMABN, 12 molecules", dmabn, box_of(molecule, (2, 2, 3))
    yield "DMABN, 1 molecule", dmabn, molecule
    for name in ("Anisole_SCAN", "Ethylbenzene_SCAN") if examples else ():
        potential = nnp.load(examples / name)
        (liquid,) = read_structures(examples / name / "input.data", potential.units, 0)
        yield name, potential, as_structure(liquid)
    folder = reference / "n2p2" / "H2O_RPBE-D3"
    potential = nnp.load(folder)
    (atoms,) = read_structures(folder / "input.data", potential.units, 0)
    water = as_structure(atoms)
    yield "water", potential, replicated(water, 8640)
    silicon = nnp.load(reference / "mlearn" / "Si" / "potential")
    yield "silicon", silicon, silicon_crystal(5)
    box = random_structure(ELEMENTS, 300, 5, 0.1, 1.0)
    for kind in ("radial", "narrow", "wide"):
        yield f"compact {kind}", compact(kind), box
    yield "silicon, 64 atoms", silicon, silicon_crystal(2)
    for n in (12, 192):
        yield f"water, {n} atoms", potential, cut(water, n)


def silicon_crystal(copies: int) -> Structure:
    """Cubic cells along each axis, atoms a little off their places."""
    crystal = bulk("Si", cubic=True) * (copies, copies, copies)
    crystal.rattle(0.05, seed=1)
    return as_structure(crystal)


def cut(structure: Structure, n: int) -> Structure:
    """The first atoms, free."""
    return Structure(
        structure.positions[:n], structure.atomic_numbers[:n], np.zeros((3, 3)), np.zeros(3, bool)
    )
