"""Fits of one data set with several families of functions, and their errors."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

import nnp
from nnp.train import train
from nnp.train.config.tables import from_table
from nnp.train.fit.settings import TrainingSettings
from tio2_parts.data import ATOMIC, Data

_CHEBYSHEV = {
    "generate": {
        "family": "chebyshev", "cutoff": 6.5, "radial": 20, "angular_cutoff": 5.0, "angular": 6,
    },
    "prune": {"method": "none"},
}  # fmt: skip
# Fit → tables of the settings. Chebyshev's orders and cutoffs are the published fit's.
FAMILIES: dict[str, dict[str, Any]] = {
    "moments": {"functions": {"generate": {"family": "moments", "cutoff": 6.0}}},
    "Chebyshev": {"functions": _CHEBYSHEV},
    "ACSF": {"functions": {"generate": {"family": "behler", "cutoff": 6.0}}},
}
# Fit → epochs and seeds; some 10 to 25 minutes of one core each.
FULL = {
    "moments": (8, (1, 2, 3)),
    "Chebyshev": (9, (1, 2, 3)),
    "ACSF": (5, (1, 2, 3)),
}
QUICK = {"moments": (1, (1,)), "Chebyshev": (1, (1,))}


def published() -> nnp.Potential:
    """AENET-PyTorch's own potential, by our engine."""
    folder = Path(os.environ["NNP_REFERENCE_DATA"]) / "aenet" / "tio2-pytorch"
    return nnp.load(sorted(folder.glob("*.nn")))


def fitted(
    family: str, seed: int, data: Data, folder: Path, epochs: int
) -> tuple[nnp.Potential, dict[str, float]]:
    """The potential and what it took; that of an earlier run where it is in the folder.

    Args:
        family: of `FAMILIES`.
        seed: of weights and order.
        data: what to learn.
        folder: of all runs.
        epochs: how many.
    """
    output = folder / f"{family.lower().replace(', ', '-')}-{seed}"
    if not (output / "cpu_seconds").exists():
        files = {part: folder / f"{part}.extxyz" for part in ("train", "test")}
        for part, path in files.items():
            ase.io.write(path, list(getattr(data, part).values()))
        table = {
            "data": {
                "train": str(files["train"]),
                "validation": str(files["test"]),
                "reference_energies": ATOMIC,
            },
            "run": {"epochs": epochs, "seed": seed, "output": str(output), "report": False},
        } | FAMILIES[family]
        before = time.process_time()
        train(from_table(TrainingSettings, table, ""), force=True)
        (output / "cpu_seconds").write_text(f"{time.process_time() - before:.1f}\n")
    potential = nnp.load(output / "last.nnp")  # not the best: that was chosen by the test set
    rows = list(csv.DictReader((output / "log.csv").open(encoding="utf-8")))
    took = {
        "functions": float(len(potential.models[0].functions)),
        "epochs": float(len(rows)),
        "CPU minutes": float((output / "cpu_seconds").read_text()) / 60,
    }
    return potential, took


def errors(potential: nnp.Potential, frames: list[Atoms]) -> dict[str, float]:
    """Over structures (energies) and components (forces)."""
    energy, forces = [], []
    for atoms in frames:
        found = potential.evaluate(atoms)
        energy.append(1e3 * (found.energy - atoms.get_potential_energy()) / len(atoms))
        forces.append((found.forces - atoms.get_forces()).ravel())
    both = {"energy": (np.array(energy), "meV/atom"), "force": (np.concatenate(forces), "eV/Å")}
    median = {"energy median / meV/atom": float(np.median(np.abs(energy)))}
    return median | {
        f"{what} {name} / {unit}": float(norm(values))
        for what, (values, unit) in both.items()
        for name, norm in (("MAE", _mae), ("RMSE", _rmse))
    }


def _mae(values: np.ndarray) -> float:
    return float(np.abs(values).mean())


def _rmse(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))
