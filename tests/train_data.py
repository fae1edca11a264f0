"""Small training tasks for the tests of `nnp.train`: random structures with a random teacher."""

from __future__ import annotations

import ase.io
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.potential import Potential
from nnp.testing import random_potential, random_structure
from nnp.train.data.dataset import Dataset
from nnp.train.data.frames import LabelledStructure
from nnp.train.data.sets import DataSettings
from nnp.train.fit.initial import NetworkSettings
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.objective import Objective
from nnp.train.fit.settings import RunSettings, TrainingSettings
from nnp.train.fit.task import build
from nnp.train.inputs.functions import (
    AngularSettings,
    FunctionSettings,
    GeneratedFunctions,
    RadialSettings,
)


def teacher(elements=("Si",)) -> Potential:
    return random_potential(elements, seed=5, families=("radial", "angular_narrow"))


def dataset(elements=("Si",), count=4, n=6, stress=True) -> Dataset:
    """Structures labelled by the teacher."""
    potential, frames = teacher(elements), []
    for seed in range(count):
        structure = random_structure(elements, n, seed)
        found = potential.evaluate(structure, "reference", stress=True)
        frames.append(
            LabelledStructure(
                structure,
                found.energy,
                found.forces,
                found.stress if stress else None,
                weight=1.0 + 0.5 * (seed % 2),
                group="even" if seed % 2 == 0 else "odd",
                where=f"teacher, structure {seed}",
            )
        )
    return Dataset(tuple(frames))


def settings(folder="unused", **changes) -> TrainingSettings:
    """Few functions, a small network; any table may be replaced."""
    generate = GeneratedFunctions(
        cutoff=4.5,
        radial=(RadialSettings(count=4),),
        angular=(AngularSettings(widths=(3.0,), zetas=(1.0, 4.0)),),
    )
    tables = {
        "data": DataSettings(("unused",)),
        "functions": FunctionSettings(generate=generate),
        "network": NetworkSettings(hidden=(5, 4)),
        "run": RunSettings(epochs=4, output=str(folder), seed=3),
    }
    return TrainingSettings(**(tables | changes))


def task(elements=("Si",), **changes):
    """A built task without a validation set."""
    return build(settings(**changes), dataset(elements), Dataset(()), quiet=True)


def objective(built, **loss) -> Objective:
    return Objective(built.model, LossSettings(**loss))


def directional_slope(function, theta, direction, h=1e-5):
    """Four-point central difference of a scalar function of θ."""
    near = function(theta + h * direction) - function(theta - h * direction)
    far = function(theta + 2 * h * direction) - function(theta - 2 * h * direction)
    return (8 * near - far) / (12 * h)


def write_config(folder):
    """data.extxyz, and the path of a fit.toml for the command line."""
    frames = []
    for frame in dataset(count=6):
        s = frame.structure
        atoms = Atoms(numbers=s.atomic_numbers, positions=s.positions, cell=s.cell, pbc=s.pbc)
        atoms.info["group"] = frame.group
        labels = {"energy": frame.energy, "forces": frame.forces, "stress": frame.stress}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        frames.append(atoms)
    ase.io.write(folder / "data.extxyz", frames)
    path = folder / "fit.toml"
    path.write_text(
        """
        [data]
        train = "data.extxyz"
        [data.split]
        fraction = 0.34
        [functions.generate]
        cutoff = 4.0
        [[functions.generate.radial]]
        count = 3
        [[functions.generate.angular]]
        widths = [3.0]
        zetas = [1.0, 4.0]
        [network]
        hidden = [4]
        [loss]
        stress = 1.0
        [run]
        epochs = 2
        output = "out"
        report = false
        """,
        encoding="utf-8",
    )
    return path
