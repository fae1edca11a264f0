"""One input, one pair: what the optimiser sees and what the engines compute, over r."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from pair_parts.fitting import Curve, engine_curve, fit, pairs
from torch import Tensor

from nnp.teachers.ase import LennardJones
from nnp.train import Dataset
from nnp.train.fit.task import Task

CUTOFF = 8.5  # Å, of teacher and function
NEAREST = 3.1
SETTINGS = {
    "functions": {
        "generate": {
            "cutoff": CUTOFF,
            "radial": [{"grid": "centered", "count": 1, "r_first": 3.0}],
            "angular": [],
        }
    },
    "network": {"hidden": [10, 10]},
    "optimizer": {"kind": "levenberg_marquardt"},
}


def argon(r: np.ndarray) -> list[Atoms]:
    """Labelled pairs."""
    return pairs("Ar", r, LennardJones)


def learn(samples: int, epochs: int) -> tuple[Task, Tensor]:
    """Fit; what is fixed, and the parameters θ."""
    return fit(SETTINGS, argon(np.linspace(NEAREST, CUTOFF - 0.05, samples)), epochs)


def predictions(task: Task, theta: Tensor, r: np.ndarray) -> dict[str, Curve]:
    """By the training framework, and by both engines from the finished potential."""
    atoms = argon(r)
    samples = [task.model.maker.sample(frame) for frame in Dataset.from_atoms(atoms)]
    seen = task.model.predict(theta, samples)
    potential = task.model.potential(theta)
    return {
        "training": Curve.of(r, [float(p.energy) for p in seen], [p.forces for p in seen]),
        "engine cpu": engine_curve(r, potential, atoms, "cpu"),
        "engine reference": engine_curve(r, potential, atoms, "reference"),
    }
