"""Any number of small molecules of C, H, N, O with labels of an analytic teacher, for benchmarks.

Geometries of ASE's G2 collection, every atom moved at random. The teacher is a Morse function of
every pair within 5 Å, with its minimum at the sum of the covalent radii: nothing of chemistry, but
a smooth function of distances with forces that are known exactly, at 10 µs a molecule.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.build import molecule
from ase.collections import g2
from ase.data import chemical_symbols, covalent_radii
from numpy.typing import NDArray

ELEMENTS = {"H", "C", "N", "O"}
DEPTH, STEEPNESS, CUTOFF = 1.5, 1.8, 5.0  # eV, Å⁻¹, Å
_AT_ONCE = 500


def geometries() -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Numbers and positions of G2's molecules of these elements with 5 to 12 atoms."""
    found = [molecule(name) for name in g2.names]
    kept = [m for m in found if set(m.symbols) <= ELEMENTS and 5 <= len(m) <= 12]
    return [(m.numbers, m.positions) for m in kept]


def labels(
    numbers: NDArray[np.int64], positions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(k,) energies and (k, n, 3) forces of k geometries (k, n, 3) of one molecule.

    E = Σ_{i<j} D [(1 − e^{−a (r − r_0)})² − 1] f(r) with f = (1 − r²/r_c²)³ inside the cutoff.
    """
    i, j = np.triu_indices(len(numbers), 1)
    vectors = positions[:, j] - positions[:, i]
    r = np.linalg.norm(vectors, axis=2)
    decay = np.exp(-STEEPNESS * (r - covalent_radii[numbers[i]] - covalent_radii[numbers[j]]))
    morse = DEPTH * ((1 - decay) ** 2 - 1)
    slope = 2 * DEPTH * STEEPNESS * decay * (1 - decay)
    inside = np.maximum(1 - (r / CUTOFF) ** 2, 0.0)
    slope = slope * inside**3 - morse * 6 * r / CUTOFF**2 * inside**2
    push = (slope / r)[:, :, None] * vectors
    forces = np.zeros_like(positions)
    for pair, (a, b) in enumerate(zip(i, j, strict=True)):
        forces[:, a] += push[:, pair]
        forces[:, b] -= push[:, pair]
    return (morse * inside**3).sum(axis=1), forces


def frames(
    count: int, seed: int = 0
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], float, NDArray[np.float64]]]:
    """Numbers, positions, energy and forces of ``count`` molecules, mixed."""
    rng, known = np.random.default_rng(seed), geometries()
    for at in range(0, count, _AT_ONCE):
        here = min(_AT_ONCE, count - at)
        kinds = rng.integers(len(known), size=here)
        made: list[tuple[NDArray[np.int64], NDArray[np.float64], float, NDArray[np.float64]]] = []
        for kind in np.unique(kinds):
            numbers, positions = known[kind]
            shape = (int((kinds == kind).sum()), *positions.shape)
            moved = positions + rng.normal(0, 0.08, shape)
            energies, forces = labels(numbers, moved)
            own = zip(moved, energies.tolist(), forces, strict=True)
            made += [(numbers, *rest) for rest in own]
        yield from (made[k] for k in rng.permutation(here))


def write(path: Path, count: int, seed: int = 0) -> None:
    """An extxyz file."""
    with path.open("w", encoding="utf-8") as file:
        for numbers, positions, energy, forces in frames(count, seed):
            file.write(
                f"{len(numbers)}\nProperties=species:S:1:pos:R:3:forces:R:3 energy={energy:.10f} "
                'pbc="F F F"\n'
            )
            for z, row in zip(numbers, np.concatenate([positions, forces], 1), strict=True):
                file.write(f"{chemical_symbols[z]} " + " ".join(f"{x:.8f}" for x in row) + "\n")
