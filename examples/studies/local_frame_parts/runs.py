"""Runs at constant energy, from the teacher's own positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet
from numpy.typing import NDArray

from nnp.errors import NNPError


@dataclass(frozen=True)
class Run:
    """One look a few steps.

    Attributes:
        time_ps: since its begin.
        total: energy with the motion, over that of the begin, eV per atom.
        temperature_k: K.
        ended: why before its time; empty: it was not.
    """

    time_ps: NDArray[np.float64]
    total: NDArray[np.float64]
    temperature_k: NDArray[np.float64]
    ended: str

    def numbers(self) -> dict[str, Any]:
        """For the table; a straight line through the total energy, and what is left of it."""
        slope, start = np.polyfit(self.time_ps, self.total, 1)
        rest = self.total - start - slope * self.time_ps
        return {
            "drift / meV/atom/ps": 1e3 * float(slope),
            "about the line / meV/atom": 1e3 * float(rest.std()),
            "mean temperature / K": float(self.temperature_k.mean()),
            "ended by": self.ended,
        }


def constant_energy(
    atoms: Atoms, calculator: Calculator, temperature: float, steps: int, timestep_fs: float
) -> Run:
    """Velocity Verlet; a look at every fs at least.

    Args:
        atoms: where it starts, at rest.
        calculator: whose forces.
        temperature: of the velocities, which are drawn alike for all, K.
        steps: how many.
        timestep_fs: fs.
    """
    moving = atoms.copy()
    MaxwellBoltzmannDistribution(moving, temperature_K=temperature, rng=np.random.default_rng(5))
    moving.calc = calculator
    verlet = VelocityVerlet(moving, timestep_fs * units.fs)
    rows, ended = [], ""

    def look() -> None:
        energy = moving.get_total_energy() / len(moving)
        rows.append((verlet.get_time() / units.fs / 1e3, energy, moving.get_temperature()))

    verlet.attach(look, interval=max(1, round(1 / timestep_fs)))
    try:
        verlet.run(steps)
    except NNPError as error:
        ended = str(error)
    time_ps, total, temperature_k = np.array(rows).T
    return Run(time_ps, total - total[0], temperature_k, ended)
