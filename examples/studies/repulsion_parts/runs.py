"""Collisions and melts: what happens in them, whatever the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet
from numpy.typing import NDArray

from nnp.errors import NNPError

LATTICE_CONSTANT = 5.431  # Å
_COLLISION_FS = 0.1
_MELT_FS = 1.0
_LOOK = 5  # steps between looks
_MERGED = 1.0  # Å; the teacher's atoms come to 1.2 Å at 50 eV
_TOO_NEAR = 1.7  # Å; the teacher's melt of 3,000 K comes to 1.9 Å
_HOLE_EV = 0.001  # per atom
_HOTTEST_K = 30_000.0  # a melt beyond is lost, and so is every minute spent on it


@dataclass(frozen=True)
class Course:
    """What was seen along a run; one entry per look.

    Attributes:
        time_fs: since its begin.
        nearest: smallest distance between two atoms, Å.
        energy: potential, over that of the crystal, eV per atom.
        total: with the kinetic energy, over that of the begin, eV per atom; a thermostat's zero.
        temperature: K.
        ended: why before its time; empty: it was not.
    """

    time_fs: NDArray[np.float64]
    nearest: NDArray[np.float64]
    energy: NDArray[np.float64]
    total: NDArray[np.float64]
    temperature: NDArray[np.float64]
    ended: str

    @property
    def survived(self) -> bool:
        """No nuclei merged, no hole below the crystal's energy, and no early end."""
        return bool(
            self.nearest.min() > _MERGED and self.energy.min() > -_HOLE_EV and not self.ended
        )

    def numbers(self) -> dict[str, Any]:
        """For the table."""
        half = slice(len(self.energy) // 2, None)
        return {
            "survived": self.survived,
            "nearest / Å": float(self.nearest.min()),
            "looks with a pair below 1.7 Å / %": 100 * float((self.nearest < _TOO_NEAR).mean()),
            "lowest energy / eV/atom": round(float(self.energy.min()), 6),
            "mean energy, last half / eV/atom": float(self.energy[half].mean()),
            "mean temperature, last half / K": float(self.temperature[half].mean()),
            "change of total energy / meV/atom": 1000 * float(np.abs(self.total).max()),
            "ran / fs": float(self.time_fs[-1]),
            "ended by": self.ended,
        }


def crystal(cells: int) -> Atoms:
    """A perfect crystal of 8 cells³ atoms."""
    return bulk("Si", a=LATTICE_CONSTANT, cubic=True) * (cells, cells, cells)


def collision(calculator: Any, energy_ev: float, aside: float, steps: int, seed: int) -> Course:
    """An atom of a crystal at 300 K is kicked at a neighbour; constant energy.

    Args:
        calculator: of ASE.
        energy_ev: of the kick.
        aside: by how much the neighbour's centre is missed, Å.
        steps: of 0.1 fs.
        seed: of the vibrations.
    """
    atoms = crystal(3)
    rng = np.random.default_rng(seed)
    MaxwellBoltzmannDistribution(atoms, temperature_K=300, rng=rng)
    way = atoms.get_distances(0, range(1, len(atoms)), mic=True, vector=True)
    way = way[np.argmin(np.linalg.norm(way, axis=1))]
    length = np.linalg.norm(way)
    across = np.cross(way, rng.normal(size=3))
    aim = way + aside * across / np.linalg.norm(across)
    velocities = atoms.get_velocities()
    speed = np.sqrt(2 * energy_ev / atoms.get_masses()[0])
    velocities[0] = speed * aim / np.hypot(length, aside)
    atoms.set_velocities(velocities)
    atoms.calc = calculator
    return _watch(atoms, VelocityVerlet(atoms, _COLLISION_FS * units.fs), steps, _COLLISION_FS)


def melt(calculator: Any, temperature: float, steps: int, seed: int) -> Course:
    """A crystal of 64 atoms in a Langevin thermostat.

    Args:
        calculator: of ASE.
        temperature: K.
        steps: of 1 fs.
        seed: of velocities and noise.
    """
    atoms = crystal(2)
    rng = np.random.default_rng(seed)
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
    atoms.calc = calculator
    friction = 0.01 / units.fs
    dynamics = Langevin(
        atoms,
        _MELT_FS * units.fs,
        temperature_K=temperature,
        friction=friction,
        fixcm=False,
        rng=rng,
    )
    seen = _watch(atoms, dynamics, steps, _MELT_FS)
    return replace(seen, total=np.zeros_like(seen.total))


def _watch(atoms: Atoms, dynamics: Any, steps: int, timestep_fs: float) -> Course:
    rows: list[tuple[float, ...]] = []
    ended = ""
    perfect = crystal(1)
    perfect.calc = atoms.calc
    ground = perfect.get_potential_energy() / len(perfect)
    n, start = len(atoms), 0.0
    for step in range(0, steps + 1, _LOOK):
        try:
            if step:
                dynamics.run(_LOOK)
            potential, kinetic = atoms.get_potential_energy(), atoms.get_kinetic_energy()
        except NNPError as error:  # such as forces that are not finite
            ended = type(error).__name__
            break
        start = start if step else potential + kinetic
        total = (potential + kinetic - start) / n
        warmth = atoms.get_temperature()
        rows.append((step * timestep_fs, _nearest(atoms), potential / n - ground, total, warmth))
        if not warmth < _HOTTEST_K:
            ended = f"hotter than {_HOTTEST_K:g} K"
            break
    return Course(*np.array(rows).T, ended)


def _nearest(atoms: Atoms) -> float:
    """Smallest distance, Å, in a rectangular cell."""
    first, second = np.triu_indices(len(atoms), 1)
    lengths = atoms.cell.lengths()
    apart = atoms.positions[first] - atoms.positions[second]
    apart -= lengths * np.round(apart / lengths)
    return float(np.sqrt((apart**2).sum(axis=1).min()))
