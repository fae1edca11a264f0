"""Subjects that are timed in turn, a call each: other programs disturb all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ase
import numpy as np

from nnp.bench.measurement import Measurement, from_times
from nnp.structure import Structure

MOVE = 0.005  # Å a step, about that of a femtosecond
WARM_UP = 2  # turns
Subject = Callable[[ase.Atoms], Any]


def as_atoms(structure: Structure) -> ase.Atoms:
    """For those who move them."""
    return ase.Atoms(structure.symbols, structure.positions, cell=structure.cell, pbc=structure.pbc)


def in_turns(
    subjects: dict[str, Subject], atoms: ase.Atoms, calls: int, details: dict[str, Any]
) -> list[Measurement]:
    """A call each, then the next; atoms move a little before every turn. Processor seconds."""
    rng = np.random.default_rng(2)
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(calls + WARM_UP):
        atoms.positions += rng.normal(scale=MOVE / np.sqrt(3), size=atoms.positions.shape)
        for name, compute in subjects.items():
            start = time.process_time()
            compute(atoms)
            if turn >= WARM_UP:
                times[name].append(time.process_time() - start)
    return [
        from_times(name, len(atoms), seconds, details | {"processor_seconds": seconds})
        for name, seconds in times.items()
    ]
