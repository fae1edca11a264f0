"""One input, one pair: what the optimiser sees and what the engines compute, over r."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from nnp.teachers.ase import LennardJones
from nnp.train import Dataset, TrainingSettings
from nnp.train.build import Task, build
from nnp.train.objective import Objective
from nnp.train.optimizers import make_optimizer
from nnp.train.tables import from_table

CUTOFF = 8.5  # Å, of teacher and function
NEAREST = 3.1
SETTINGS = {
    "data": {"train": "dimers"},  # a name only: the data is in memory
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


@dataclass(frozen=True)
class Curve:
    """Energy (meV) and its derivative (meV/Å) of a dimer.

    Attributes:
        r: (n,) Å.
        energy: (n,) zero beyond the cutoff.
        slope: (n,) dE/dr.
    """

    r: np.ndarray
    energy: np.ndarray
    slope: np.ndarray

    def minus(self, other: Curve) -> Curve:
        """Errors against another."""
        return Curve(self.r, self.energy - other.energy, self.slope - other.slope)


def dimers(r: np.ndarray) -> list[Atoms]:
    """Labelled pairs of argon atoms."""
    found = []
    for distance in r:
        atoms = Atoms("Ar2", [(0, 0, 0), (distance, 0, 0)], calculator=LennardJones())
        atoms.get_forces()
        found.append(atoms)
    return found


def teacher(r: np.ndarray) -> Curve:
    atoms = dimers(r)
    return _curve(
        r, [a.get_potential_energy() for a in atoms], [a.get_forces()[1, 0] for a in atoms]
    )


def learn(samples: int, epochs: int) -> tuple[Task, object]:
    """Fit, by the pieces that `nnp train` is made of; what is fixed, and the parameters θ."""
    settings = from_table(TrainingSettings, SETTINGS, "")
    data = Dataset.from_atoms(dimers(np.linspace(NEAREST, CUTOFF - 0.05, samples)))
    task = build(settings, data, Dataset(()), quiet=True)
    objective = Objective(task.model, settings.loss)
    theta = task.theta
    optimizer = make_optimizer(settings.optimizer, len(theta), samples, 0, theta.dtype)
    for _ in range(epochs):
        theta = optimizer.step(theta, objective, task.train)
    return task, theta


def predictions(task: Task, theta: object, r: np.ndarray) -> dict[str, Curve]:
    """By the training framework, and by both engines from the finished potential."""
    atoms = dimers(r)
    samples = [task.model.maker.sample(frame) for frame in Dataset.from_atoms(atoms)]
    seen = task.model.predict(theta, samples)
    found = {
        "training": _curve(
            r, [float(p.energy) for p in seen], [float(p.forces[1, 0]) for p in seen]
        )
    }
    potential = task.model.potential(theta)
    for engine in ("cpu", "reference"):
        results = potential.evaluate(atoms, engine)
        found[f"engine {engine}"] = _curve(
            r, [f.energy for f in results], [f.forces[1, 0] for f in results]
        )
    return found


def _curve(r: np.ndarray, energies: list[float], forces: list[float]) -> Curve:
    return Curve(r, 1000 * np.array(energies), -1000 * np.array(forces))
