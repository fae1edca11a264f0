"""Kalman filter, whole and in blocks, beside Adam: what each makes of three sizes of data.

    python benchmarks/bench_optimizers.py silicon alloy molecules [--save]

- silicon: every third structure of mlearn's (NNP_REFERENCE_DATA), some 1,600 weights;
- alloy: 40 rattled cells of 32 atoms of Cu, Ag and Au, by ASE's EMT, some 15,000 weights;
- molecules: 1,000 small ones of C, H, N, O, see `molecules`, some 8,000 weights.

One thread, float64, CPU time of the fit without inputs; errors of the last model over structures
that no fit saw. Functions and networks are the same in all rows of one set.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import molecules
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from nnp.structure import Structure
from nnp.train.config.tables import from_table
from nnp.train.data.dataset import Dataset
from nnp.train.data.frames import LabelledStructure
from nnp.train.fit.choosing import choose
from nnp.train.fit.machine import use_threads
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import Prepared, make_task, prepare
from nnp.train.fit.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "optimizers.json"

FUNCTIONS: dict[str, dict[str, Any]] = {
    "silicon": {"cutoff": 6.5},
    "alloy": {
        "cutoff": 6.0,
        "radial": [{"count": 8}],
        "angular": [{"widths": [5.0, 2.5], "zetas": [1.0, 4.0, 16.0]}],
    },
    "molecules": {
        "cutoff": 5.0,
        "radial": [{"count": 6}],
        "angular": [{"widths": [2.5], "zetas": [1.0, 4.0]}],
    },
}
HIDDEN = {"silicon": [24, 24], "alloy": [40, 40], "molecules": [24, 24]}


def kalman(decoupling: str, epochs: int) -> dict[str, Any]:
    """The filter's defaults, parted in one way."""
    optimizer = {"kind": "kalman", "kalman": {"decoupling": decoupling}}
    return {"optimizer": optimizer, "run": {"epochs": epochs}}


def adam(epochs: int, finish: int = 0) -> dict[str, Any]:
    """As `nnp.train.fit.recipe` has it."""
    gradient = {"rate": 0.01, "average": 0.999}
    return {
        "optimizer": {
            "kind": "adam",
            "batch_atoms": 128,
            "finish": finish,
            "gradient": gradient,
        },
        "schedule": {"kind": "cosine", "by_step": True, "warmup": 1, "final": 1e-3},
        "run": {"epochs": epochs},
    }


FITS: dict[str, dict[str, dict[str, Any]]] = {
    "silicon": {
        "kalman": kalman("none", 8),
        "kalman by node": kalman("node", 8),
        "adam": adam(60),
    },
    "alloy": {
        "kalman by node": kalman("node", 6),
        "adam": adam(50),
        "adam, 130 epochs": adam(130),
        "adam, then lbfgs": adam(30, finish=2),
    },
    "molecules": {
        "kalman by element": kalman("element", 1),
        "kalman by node": kalman("node", 1),
        "kalman by node, 4 epochs": kalman("node", 4),
        "adam": adam(20),
    },
}


def alloys(count: int, seed: int) -> Dataset:
    """Face-centred cells with random occupation, strained and rattled, labelled by EMT."""
    rng, frames = np.random.default_rng(seed), []
    for _ in range(count):
        atoms: Atoms = bulk("Cu", "fcc", a=3.9, cubic=True).repeat(2)
        atoms.symbols = rng.choice(["Cu", "Ag", "Au"], len(atoms))
        strain = np.eye(3) + rng.normal(0, 0.03, (3, 3))
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        atoms.positions += rng.normal(0, rng.choice([0.05, 0.15, 0.25]), atoms.positions.shape)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(atoms)
    return Dataset.from_atoms(frames)


def small_molecules(count: int, seed: int) -> Dataset:
    """Of `molecules`."""
    cell, pbc = np.zeros((3, 3)), np.zeros(3, bool)
    made = [
        LabelledStructure(Structure(positions, numbers, cell, pbc), energy, forces)
        for numbers, positions, energy, forces in molecules.frames(count, seed)
    ]
    return Dataset(tuple(made))


def data_of(name: str) -> tuple[Dataset, Dataset]:
    """Training and test set."""
    if name == "alloy":
        return alloys(40, 0), alloys(20, 1)
    if name == "molecules":
        return small_molecules(1000, 0), small_molecules(300, 1)
    folder = Path(os.environ["NNP_REFERENCE_DATA"]) / "mlearn" / "Si"
    whole = Dataset.read(folder / "train.extxyz")
    return whole.subset(range(0, len(whole), 3)), Dataset.read(folder / "test.extxyz")


def settings_of(name: str, tables: dict[str, Any], output: str) -> TrainingSettings:
    """All tables of one fit."""
    epochs = tables["run"]["epochs"]
    run = {"output": output, "evaluate_every": epochs, "checkpoint_every": epochs}
    common = {
        "data": {"train": ["none"]},
        "functions": {"generate": FUNCTIONS[name]},
        "network": {"hidden": HIDDEN[name]},
    }
    return from_table(TrainingSettings, common | tables | {"run": run | tables["run"]}, "")


def measure(name: str, fit: str, prepared: Prepared) -> dict[str, Any]:
    """One fit: CPU time and test errors."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(name, FITS[name][fit], folder)
        use_threads(1, settings.optimizer.kind)
        task = make_task(settings, prepared)
        start = time.process_time()
        result = Trainer(settings, task, quiet=True).run()
        seconds = time.process_time() - start
    row = result.rows[-1]
    return {
        "set": name,
        "fit": fit,
        "weights": task.model.n_parameters,
        "functions": {symbol: len(own) for symbol, own in prepared.functions.items()},
        "epochs": settings.run.passes,
        "cpu_s": seconds,
        "train_force_rmse": row["train_force_rmse"],
        "test_energy_mae_mev": row["valid_energy_mae_mev"],
        "test_force_mae": row["valid_force_mae"],
    }


def prepared_for(name: str) -> Prepared:
    """Inputs and columns, the same for all fits."""
    settings = settings_of(name, kalman("none", 1), "none")
    use_threads(1, "kalman")
    return prepare(settings, choose(settings, *data_of(name), quiet=True), quiet=True)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=list(FITS))
    parser.add_argument("--fits", nargs="+", help="only these rows")
    parser.add_argument("--save", action="store_true", help=f"add the numbers to {RESULTS.name}")
    arguments = parser.parse_args()
    head = ("git", "rev-parse", "--short", "HEAD")
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    for name in arguments.sets:
        prepared = prepared_for(name)
        for fit in arguments.fits or FITS[name]:
            found = measure(name, fit, prepared)
            print(json.dumps(found), flush=True)
            if arguments.save:
                earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
                machine = {"machine": platform.machine(), "cores": os.cpu_count()}
                record = found | machine | {"commit": commit}
                RESULTS.write_text(json.dumps([*earlier, record], indent=1) + "\n")


if __name__ == "__main__":
    main()
