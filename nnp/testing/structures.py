"""Structures that have caused trouble somewhere, and random ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnp.elements import atomic_number
from nnp.structure import Structure


def structures(elements: Sequence[str] = ("Si",)) -> dict[str, Structure]:
    """Structures by name, species taken in turn from ``elements``; distances about 2.4 Å.

    Each stands for a kind of mistake: no neighbours, few, images of oneself, several images of a
    neighbour, skewed cells, periodicity along some axes, atoms outside the cell, exact angles.
    """
    rng = np.random.default_rng(20260)
    bulk = 5.43 * np.eye(3)
    diamond = np.array([(0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0)]) / 4
    diamond = np.concatenate([diamond, diamond + 0.25]) @ bulk
    rattled = diamond + rng.normal(0, 0.15, diamond.shape)
    skewed = np.array([[5.6, 0.0, 0.0], [2.1, 5.1, 0.0], [-1.7, 1.4, 5.3]])
    molecule = np.array([(0, 0, 0), (1.9, 1.2, 0), (-1.8, 1.4, 0.3), (0.2, 0.1, 2.5)])
    no_cell = np.zeros((3, 3))
    jumps = rng.integers(-3, 4, (len(rattled), 3))
    raw: dict[str, tuple[Any, Any, Any]] = {
        "lone_atom": ([[0.3, 0.2, 0.1]], no_cell, False),
        "dimer": ([[0, 0, 0], [1.1, 1.3, 1.6]], no_cell, False),
        "molecule": (molecule, no_cell, False),
        "straight_line": ([[-2.3, 0, 0], [0, 0, 0], [2.3, 0, 0], [4.7, 0, 0]], no_cell, False),
        "crystal": (diamond, bulk, True),
        "rattled": (rattled, bulk, True),
        "triclinic": (rattled @ np.linalg.inv(bulk) @ skewed, skewed, True),
        "left_handed": (rattled @ np.linalg.inv(bulk) @ skewed[::-1], skewed[::-1], True),
        "one_atom_cell": ([[0.1, 0.2, 0.3]], 2.5 * (1 - np.eye(3)) / np.sqrt(2), True),
        "slab": (rattled, bulk, (True, True, False)),
        "wire": (rattled, np.diag([0.0, 0.0, 5.43]), (False, False, True)),
        "slab_without_vector": (rattled, np.diag([5.43, 5.43, 0.0]), (True, True, False)),
        "far_outside": (rattled + jumps @ skewed, skewed * 1.08, True),
    }
    numbers = [atomic_number(symbol) for symbol in elements]
    return {
        name: Structure(positions, np.resize(numbers, len(positions)), cell, pbc)
        for name, (positions, cell, pbc) in raw.items()
    }


def random_structure(
    elements: Sequence[str], n: int, seed: int, density: float = 0.05, min_distance: float = 1.6
) -> Structure:
    """A random periodic triclinic structure.

    Args:
        elements: symbols to draw from.
        n: number of atoms.
        seed: of the generator.
        density: atoms per Å³.
        min_distance: Å; no two atoms (or images) come closer.
    """
    rng = np.random.default_rng(seed)
    edge = (n / density) ** (1 / 3)
    cell = edge * (np.eye(3) + rng.uniform(-0.25, 0.25, (3, 3)))
    cell *= (n / density / abs(np.linalg.det(cell))) ** (1 / 3)
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3) @ cell
    positions = np.empty((0, 3))
    while len(positions) < n:
        trial = rng.uniform(0, 1, 3) @ cell
        images = (positions[:, None] + shifts).reshape(-1, 3)
        if len(images) == 0 or np.linalg.norm(images - trial, axis=1).min() > min_distance:
            positions = np.vstack([positions, trial])
    numbers = rng.choice([atomic_number(symbol) for symbol in elements], n)
    return Structure(positions, numbers, cell, np.ones(3, bool))
