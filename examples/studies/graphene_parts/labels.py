"""Labels of graphene: runs of dynamics, an independent one, and scaled copies of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms
from materials_parts.materials import MATERIALS, TEACHER
from materials_parts.sampling import BASE, copies, labelled

from nnp.io.structures import read_structures, write_structures
from nnp.teachers.by_name import teacher
from nnp.train.data.sampling import SampleSettings, sample


@dataclass(frozen=True)
class Amount:
    """How much is labelled.

    Attributes:
        runs: of dynamics for training, each from other velocities.
        training, test: of such a run, of the test run.
        augmented, augmented_test: scaled copies of training and test structures.
    """

    runs: int
    training: SampleSettings
    test: SampleSettings
    augmented: int
    augmented_test: int


# 100 structures a run, 25 of each temperature, 8 fs apart: 640 calls of the teacher
FULL = Amount(
    runs=2,
    training=replace(BASE, snapshots=25, interval=4),
    test=replace(BASE, snapshots=10, interval=8, seed=100),
    augmented=100,
    augmented_test=40,
)
QUICK = Amount(
    runs=1,
    training=replace(BASE, temperatures=(300.0, 1000.0), snapshots=6, interval=2, equilibration=6),
    test=replace(BASE, temperatures=(750.0,), snapshots=4, interval=2, equilibration=6, seed=100),
    augmented=12,
    augmented_test=4,
)


@dataclass(frozen=True)
class Labels:
    """Structures with energies and forces of the teacher.

    Attributes:
        dynamics: of all runs; every selection by equal steps has all temperatures and runs.
        test: of the independent run.
        augmented, augmented_test: cells scaled by up to ±10 %.
    """

    dynamics: list[Atoms]
    test: list[Atoms]
    augmented: list[Atoms]
    augmented_test: list[Atoms]


def label_all(amount: Amount, folder: Path) -> Labels:
    """Label, or read what an earlier run has left in ``folder``."""

    def kept(name: str, make: Callable[[], list[Atoms]]) -> list[Atoms]:
        path = folder / f"{name}.extxyz"
        if not path.exists():
            print(f"labels: {name}", flush=True)
            write_structures(make(), path)
        return read_structures(path)

    dynamics = []
    for seed in range(amount.runs):
        for own in by_temperature(replace(amount.training, seed=seed)):
            dynamics += kept(name_of("run", own), lambda own=own: sampled(own))
    test = []
    for own in by_temperature(amount.test):
        test += kept(name_of("test", own), lambda own=own: sampled(own))
    return Labels(
        dynamics,
        test,
        kept("augmented", lambda: labelled(copies(dynamics, amount.augmented, 0))),
        kept("augmented-test", lambda: labelled(copies(test, amount.augmented_test, 1))),
    )


def by_temperature(settings: SampleSettings) -> list[SampleSettings]:
    """One run for each temperature, so that little is lost where one is interrupted."""
    return [replace(settings, temperatures=(kelvin,)) for kelvin in settings.temperatures]


def name_of(what: str, settings: SampleSettings) -> str:
    """Of the file of a run."""
    return f"{what}-{settings.seed}-{settings.temperatures[0]:g}"


def sampled(settings: SampleSettings) -> list[Atoms]:
    """Dynamics of the teacher."""
    return sample([MATERIALS["graphene"].supercell()], teacher(TEACHER), settings)


def evenly(frames: Sequence[Atoms], count: int) -> list[Atoms]:
    """So many of them, by equal steps."""
    return [frames[i] for i in np.linspace(0, len(frames) - 1, count).round().astype(int)]
