"""Labels: dynamics at four temperatures, scaled copies, and the crystal over cell scaling."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms

from materials_parts.materials import TEACHER, Material
from nnp.io.structures import read_structures, write_structures
from nnp.teachers.by_name import teacher
from nnp.train.data.augment import AugmentSettings, augment, mix
from nnp.train.data.sampling import SampleSettings, sample

SCALE = 0.1  # of the augmented set: cell lengths ± this share
AUGMENTED_SHARE = 0.8  # augmented structures in the mixture; the rest is dynamics
TEST_SEED = 1


@dataclass(frozen=True)
class Plan:
    """How much is sampled of a material.

    Attributes:
        dynamics: of the training frames.
        test: of the test frames, an independent run.
        augmented, augmented_test: scaled copies of training and test frames.
        scalings: cells of the scan from 1 − 1.2 to 1 + 1.2 times `SCALE`.
    """

    dynamics: SampleSettings
    test: SampleSettings
    augmented: int
    augmented_test: int
    scalings: int


BASE = SampleSettings(
    (300.0, 500.0, 750.0, 1000.0), equilibration=60, timestep_fs=2.0, friction_per_ps=20.0
)
# Dense frames, so that the interval between snapshots can be studied
DENSE = Plan(
    replace(BASE, snapshots=60, interval=3),
    replace(BASE, snapshots=10, interval=8, equilibration=40, seed=TEST_SEED),
    augmented=100,
    augmented_test=40,
    scalings=25,
)
SPARSE = Plan(
    replace(BASE, snapshots=20, interval=3, equilibration=30),
    replace(BASE, snapshots=5, interval=5, equilibration=15, seed=TEST_SEED),
    augmented=80,
    augmented_test=20,
    scalings=17,
)
QUICK = Plan(
    replace(BASE, temperatures=(300.0, 1000.0), snapshots=4, interval=3, equilibration=6),
    replace(BASE, temperatures=(750.0,), snapshots=3, interval=3, equilibration=6, seed=TEST_SEED),
    augmented=8,
    augmented_test=3,
    scalings=5,
)


@dataclass(frozen=True)
class Labels:
    """All labelled structures of a material.

    Attributes:
        dynamics: frames by temperature and time, as `sample` gives them.
        test: frames of an independent run.
        augmented, augmented_test: scaled copies.
        scaled: the perfect crystal over cell scaling, ascending.
        interval_fs: between the frames of ``dynamics``.
        seconds: CPU time of the teacher, in the run that made the labels.
    """

    dynamics: list[Atoms]
    test: list[Atoms]
    augmented: list[Atoms]
    augmented_test: list[Atoms]
    scaled: list[Atoms]
    interval_fs: float
    seconds: float

    def every(self, stride: int, count: int) -> list[Atoms]:
        """The first ``count`` of each temperature's frames, ``stride`` frames apart."""
        groups: dict[str, list[Atoms]] = {}
        for atoms in self.dynamics:
            groups.setdefault(atoms.info["group"], []).append(atoms)
        return [atoms for group in groups.values() for atoms in group[::stride][:count]]

    def mixture(self, count: int) -> list[Atoms]:
        """Augmented structures and dynamics, 80 to 20."""
        return mix(self.augmented, self.dynamics, count, AUGMENTED_SHARE)


def label_all(material: Material, plan: Plan, folder: Path) -> Labels:
    """Label, or read what an earlier run has left in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = folder / "seconds.json"
    seconds = json.loads(clock.read_text(encoding="utf-8")) if clock.exists() else {}

    def cached(name: str, make: Callable[[], Iterable[Atoms]]) -> list[Atoms]:
        path = folder / f"{name}.extxyz"
        if not path.exists():
            start = time.process_time()
            write_structures(list(make()), path)
            seconds[name] = time.process_time() - start
            clock.write_text(json.dumps(seconds), encoding="utf-8")
        return read_structures(path)

    crystal = material.supercell()
    dynamics = cached("dynamics", lambda: sample([crystal], teacher(TEACHER), plan.dynamics))
    test = cached("test", lambda: sample([crystal], teacher(TEACHER), plan.test))
    scaled = cached("scaled", lambda: labelled(scaled_cells(crystal, plan.scalings)))
    augmented = cached("augmented", lambda: labelled(copies(dynamics, plan.augmented, 0)))
    others = cached(
        "augmented_test", lambda: labelled(copies(test, plan.augmented_test, TEST_SEED))
    )
    interval = plan.dynamics.interval * plan.dynamics.timestep_fs
    return Labels(dynamics, test, augmented, others, scaled, interval, sum(seconds.values()))


def copies(frames: Sequence[Atoms], count: int, seed: int) -> list[Atoms]:
    """Scaled copies of ``count`` frames, evenly chosen."""
    chosen = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return augment([frames[i] for i in chosen], AugmentSettings(scale=SCALE, seed=seed))


def scaled_cells(crystal: Atoms, count: int) -> list[Atoms]:
    """The crystal over a range somewhat wider than the augmented one."""
    found = []
    for factor in 1 + 1.2 * SCALE * np.linspace(-1, 1, count):
        atoms = crystal.copy()
        atoms.set_cell(atoms.cell * factor, scale_atoms=True)
        atoms.info |= {"group": "scaled", "scale": float(factor)}
        found.append(atoms)
    return found


def labelled(frames: Iterable[Atoms]) -> list[Atoms]:
    """The frames with the teacher's energy and forces."""
    calculator, found = teacher(TEACHER)(), []
    for atoms in frames:
        atoms.calc = calculator
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        found.append(_with_labels(atoms, energy, forces))
    return found


def _with_labels(atoms: Atoms, energy: float, forces: np.ndarray) -> Atoms:
    from ase.calculators.singlepoint import SinglePointCalculator

    copy = atoms.copy()
    copy.calc = SinglePointCalculator(copy, energy=energy, forces=forces)
    return copy
