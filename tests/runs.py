"""Small runs that the tests of MD and of the command line share."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from ase import units
from ase.build import bulk
from ase.io import read, write
from pair_potential import LATTICE_CONSTANT, pair_potential

from nnp.cli import main


def crystal(repeat=2):
    """A crystal of the pair potential."""
    return bulk("Si", "fcc", LATTICE_CONSTANT, cubic=True) * (repeat, repeat, repeat)


def moving_crystal(temperature=300.0, repeat=2):
    """The same with velocities and displacements."""
    atoms = crystal(repeat)
    atoms.rattle(0.05, seed=4)
    width = np.sqrt(units.kB * temperature * atoms.get_masses())
    momenta = width[:, None] * np.random.default_rng(5).normal(size=(len(atoms), 3))
    atoms.set_momenta(momenta - momenta.mean(axis=0))
    return atoms


def write_inputs(folder, atoms=None):
    """Model and structure as files: names for the command line."""
    model, structure = folder / "model.nnp", folder / "start.extxyz"
    pair_potential().save(model)
    write(structure, crystal() if atoms is None else atoms)
    return [str(model), str(structure)]


def frames(path):
    """(frames, n, 3) positions, Å; a DCD of a periodic system by its layout."""
    if path.suffix == ".extxyz":
        return np.array([atoms.positions for atoms in read(path, ":")])
    raw = path.read_bytes()
    count, atoms = np.frombuffer(raw, "<i4", 1, 8)[0], 32
    size = 56 + 3 * (8 + 4 * atoms)
    assert len(raw) == 276 + count * size
    body = np.frombuffer(raw[len(raw) - count * size :], np.uint8).reshape(count, size)
    numbers = body[:, 56:].copy().view("<f4").reshape(count, 3, atoms + 2)[:, :, 1:-1]
    return numbers.transpose(0, 2, 1)


def nnp(*words):
    """A command in this process; its exit code."""
    return main([str(word) for word in words])


def start_nnp(*words, **options):
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "nnp", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
