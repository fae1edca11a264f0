"""Small runs that the tests of MD and of the command line share."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from ase import units
from ase.build import bulk
from ase.io import write
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
