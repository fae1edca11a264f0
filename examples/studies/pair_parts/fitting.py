"""Fits of two atoms by the pieces that `nnp train` is made of, and their curves over r."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from torch import Tensor

from nnp import Potential
from nnp.train import Dataset, TrainingSettings
from nnp.train.config.tables import from_table
from nnp.train.fit.objective import Objective
from nnp.train.fit.optimizers import make_optimizer
from nnp.train.fit.task import Task, build


@dataclass(frozen=True)
class Curve:
    """Energy (meV) of a pair and its derivative (meV/Å).

    Attributes:
        r: (n,) Å.
        energy: (n,).
        slope: (n,) dE/dr.
    """

    r: np.ndarray
    energy: np.ndarray
    slope: np.ndarray

    @classmethod
    def of(cls, r: np.ndarray, energies: list[float], forces: list[Any]) -> Curve:
        """From eV and (2, 3) forces in eV/Å, the second atom along x."""
        slope = [-1000 * float(force[1][0]) for force in forces]
        return cls(r, 1000 * np.array(energies, float), np.array(slope))

    def minus(self, other: Curve) -> Curve:
        """Errors against another."""
        return Curve(self.r, self.energy - other.energy, self.slope - other.slope)

    @property
    def rms(self) -> tuple[float, float]:
        """Root mean squares of energy (meV) and slope (meV/Å)."""
        energy, slope = (float(np.sqrt(np.mean(v**2))) for v in (self.energy, self.slope))
        return energy, slope


def pairs(symbol: str, r: np.ndarray, calculator: Any) -> list[Atoms]:
    """Labelled pairs of atoms."""
    found = []
    for distance in r:
        atoms = Atoms([symbol, symbol], [(0, 0, 0), (distance, 0, 0)])
        atoms.calc = calculator()
        atoms.get_forces()
        found.append(atoms)
    return found


def teacher_curve(r: np.ndarray, atoms: list[Atoms]) -> Curve:
    return Curve.of(r, [a.get_potential_energy() for a in atoms], [a.get_forces() for a in atoms])


def engine_curve(
    r: np.ndarray, potential: Potential, atoms: list[Atoms], engine: str = "cpu"
) -> Curve:
    results = potential.evaluate(atoms, engine)
    return Curve.of(r, [f.energy for f in results], [f.forces for f in results])


def fit(tables: dict[str, Any], atoms: list[Atoms], epochs: int) -> tuple[Task, Tensor]:
    """What stays fixed, and the parameters θ.

    Args:
        tables: of a training file, without ``data``.
        atoms: labelled.
        epochs: most steps of the optimiser, each with all data.
    """
    settings = from_table(TrainingSettings, tables | {"data": {"train": "in memory"}}, "")
    task = build(settings, Dataset.from_atoms(atoms), Dataset(()), quiet=True)
    objective, theta = Objective(task.model, settings.loss), task.theta
    optimizer = make_optimizer(
        settings.optimizer, len(theta), len(atoms), settings.run.seed, theta.dtype
    )
    for _ in range(epochs):
        before, theta = theta, optimizer.step(theta, objective, task.train)
        if theta is before:  # Levenberg and Marquardt's: no step lowers the loss any more
            break
    return task, theta
