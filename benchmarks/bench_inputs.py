"""Which inputs a fit learns from best: plain scaling, the default, and what the default was.

    python benchmarks/bench_inputs.py --json benchmarks/results/inputs.json
    NNP_REFERENCE_DATA=… python benchmarks/bench_inputs.py mlearn mlearn+atom --epochs 16

Sets: silicon by Stillinger and Weber, 90 cells of 16 atoms (``narrow``: displaced by 0.05 Å;
``wide``: by up to 0.3 Å, cells scaled by up to 8 %; ``mixed``: half of each), each also with one
isolated atom (``+atom``), and mlearn's silicon. Errors are over structures that no fit has seen.
``unit variance`` is what the default was: V (λ + ridge)^{−1/2} without a bound.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from ase.build import bulk
from numpy.typing import NDArray

from nnp.bench import machine
from nnp.cli.table import text_table
from nnp.scaling import Scaling
from nnp.structure import Structure
from nnp.teachers.stillinger_weber import SILICON, stillinger_weber
from nnp.train import Dataset, evaluate
from nnp.train.data.frames import LabelledStructure
from nnp.train.data.sets import DataSettings
from nnp.train.fit import task
from nnp.train.fit.settings import RunSettings, TrainingSettings
from nnp.train.fit.trainer import Trainer
from nnp.train.inputs.transform import InputSettings, InputTransform

SETS = ("narrow", "wide", "mixed", "narrow+atom", "wide+atom", "mixed+atom")
INPUTS = {
    "plain": InputSettings(decorrelate=False),
    "default": InputSettings(),
    "power 0": InputSettings(power=0.0),
    "power 1/2": InputSettings(power=0.5),
    "unit variance": InputSettings(),
}


def unit_variance(
    values: NDArray[np.float64], scaling: Scaling, settings: InputSettings
) -> InputTransform:
    """All directions alike, however weak, however far atoms lie out."""
    standard = (values - scaling.mean) / scaling.sigma
    strength, vectors = np.linalg.eigh(standard.T @ standard / len(values))
    matrix = vectors / np.sqrt(np.maximum(strength, 0) + settings.ridge)
    return InputTransform(scaling.mean, matrix / scaling.sigma[:, None])


def crystals(count: int, seed: int, displacement: float, scale: float) -> list[LabelledStructure]:
    """Displacements from 0 to the largest, cells scaled by up to ``scale``, half of it sheared."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        atoms = bulk("Si", cubic=True) * (2, 1, 1)
        strain = rng.normal(0, scale / 3, (3, 3)) + np.eye(3) * (1 + rng.uniform(-scale, scale))
        atoms.set_cell(np.asarray(atoms.cell) @ strain, scale_atoms=True)
        width = displacement * (number + 1) / count
        atoms.positions += rng.normal(0, width, atoms.positions.shape)
        found.append(labelled(Structure(atoms.positions, atoms.numbers, atoms.cell.array, [1] * 3)))
    return found


def labelled(structure: Structure) -> LabelledStructure:
    """With the teacher's energy and forces."""
    result = stillinger_weber(structure, SILICON)
    return LabelledStructure(structure, float(result.energies.sum()), result.forces)


def data_of(name: str) -> tuple[Dataset, Dataset]:
    """Training and test set."""
    kind, _, atom = name.partition("+")
    if kind == "mlearn":
        folder = Path(os.environ["NNP_REFERENCE_DATA"]) / "mlearn" / "Si"
        train, test = (Dataset.read(folder / f"{part}.extxyz") for part in ("train", "test"))
        parts = [list(train), list(test)]
    else:
        shapes = {"narrow": (0.05, 0.01), "wide": (0.3, 0.08)}
        chosen = [shapes[kind]] if kind in shapes else list(shapes.values())
        parts = [
            [f for shape in chosen for f in crystals(count // len(chosen), seed, *shape)]
            for count, seed in ((90, 1), (30, 2))
        ]
    if atom:
        lone = Structure(np.full((1, 3), 10.0), np.array([14]), 20 * np.eye(3), [True] * 3)
        parts[0].append(LabelledStructure(lone, -0.8, np.zeros((1, 3)), where="isolated atom"))
    return Dataset(tuple(parts[0])), Dataset(tuple(parts[1]))


def fit(train: Dataset, test: Dataset, inputs: str, epochs: int, seed: int) -> dict[str, float]:
    """Errors of one fit with the defaults of everything else."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = RunSettings(epochs=epochs, seed=seed, output=folder, evaluate_every=epochs)
        settings = TrainingSettings(DataSettings(("made",)), inputs=INPUTS[inputs], run=run)
        transform = unit_variance if inputs == "unit variance" else task.input_transform
        with patch.object(task, "input_transform", transform):
            made = task.build(settings, train, Dataset(()), quiet=True)
        result = Trainer(settings, made, quiet=True).run()
    report = evaluate(result.last, test)
    energy, forces = (report.comparisons[name].statistics() for name in ("energy", "forces"))
    return {
        "force_mae": forces["mae"],
        "energy_mae_mev": 1e3 * energy["mae"],
        "train_force_mae": result.rows[-1]["train_force_mae"],
        "cpu_s": time.process_time() - start,
    }


def measure(names: Sequence[str], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One record per set, kind of inputs and seed; the file is whole after each."""
    found: list[dict[str, Any]] = []
    for name in names:
        train, test = data_of(name)
        for inputs in arguments.inputs:
            for seed in range(arguments.seeds):
                errors = fit(train, test, inputs, arguments.epochs, seed)
                found.append({"set": name, "inputs": inputs, "seed": seed} | errors)
                print(f"{name} {inputs} {seed}: {errors['force_mae']:.5f} eV/Å", flush=True)
            if arguments.json:
                head = {"command": shlex.join(sys.argv), "machine": machine()}
                record = head | {"epochs": arguments.epochs, "fits": found}
                Path(arguments.json).write_text(json.dumps(record, indent=1) + "\n")
    return found


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--inputs", nargs="+", default=list(INPUTS), choices=list(INPUTS))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    found = measure(arguments.sets, arguments)
    rows = []
    for name in arguments.sets:
        means = [
            np.mean([f["force_mae"] for f in found if (f["set"], f["inputs"]) == (name, inputs)])
            for inputs in arguments.inputs
        ]
        rows.append([name, *(f"{mean:.5f}" for mean in means)])
    print(text_table(["force MAE, eV/Å", *arguments.inputs], rows))


if __name__ == "__main__":
    main()
