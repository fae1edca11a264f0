"""Argon in ASE: `NNPCalculator.train` on a Lennard-Jones trajectory, then dynamics with the result.

108 atoms, fcc 3×3×3. The first two functions are all that a newcomer needs; the rest holds the
result against the teacher: forces on snapshots it has not seen, the total energy over time, and
the radial distribution.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.io import Trajectory, read
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import Stationary
from ase.md.verlet import VelocityVerlet
from frame import Study, begin, legend, panels, table

from nnp.ase import NNPCalculator
from nnp.rdf import radial_distribution
from nnp.teachers.ase import LennardJones

TEMPERATURE = 50.0  # K; argon melts at 84
TIMESTEP = 5 * units.fs


def sample(path: Path, frames: int) -> None:
    atoms = bulk("Ar", a=5.35, cubic=True) * (3, 3, 3)
    atoms.calc = LennardJones()
    rng = np.random.default_rng(1)
    with (
        Langevin(
            atoms,
            TIMESTEP,
            temperature_K=1.4 * TEMPERATURE,  # hotter than it will run: no end of what it knows
            friction=0.02 / units.fs,
            fixcm=False,
            rng=rng,
        ) as dynamics,
        Trajectory(path, "w", atoms) as trajectory,
    ):
        dynamics.run(100)
        dynamics.attach(trajectory, interval=20)
        dynamics.run(20 * frames)


def learn(images: Path, output: Path, epochs: int) -> NNPCalculator:
    return NNPCalculator.train(
        images=images,
        functions={"generate": {"cutoff": 8.5, "radial": [{"count": 12}], "angular": []}},
        network={"hidden": [10, 10]},
        data={"split": {"fraction": 0.2}},
        run={"epochs": epochs, "output": str(output)},
        force=True,
    )


def run(calculator: Any, path: Path, picoseconds: float) -> np.ndarray:
    """Velocity Verlet, always from the same start; time (ps) and total energy (meV/atom)."""
    atoms = bulk("Ar", a=5.35, cubic=True) * (3, 3, 3)
    widths = np.sqrt(units.kB * 2 * TEMPERATURE * atoms.get_masses())  # half goes into the springs
    atoms.set_momenta(widths[:, None] * np.random.default_rng(2).normal(size=(len(atoms), 3)))
    Stationary(atoms)
    atoms.calc = calculator
    rows: list[tuple[float, float]] = []
    with (
        VelocityVerlet(atoms, TIMESTEP) as dynamics,
        Trajectory(path, "w", atoms) as trajectory,
    ):
        dynamics.attach(trajectory, interval=20)
        dynamics.attach(lambda: rows.append((dynamics.get_time(), atoms.get_total_energy())))
        dynamics.run(round(picoseconds * 1000 * units.fs / TIMESTEP))
    return np.array(rows) / (1000 * units.fs, len(atoms) / 1000)


def errors(calculator: NNPCalculator, frames: list[Atoms]) -> tuple[float, float]:
    """RMS of energies (meV/atom) and forces (meV/Å)."""
    found = calculator.potential.evaluate(frames)
    energy = [
        (f.energy - a.get_potential_energy()) / len(a) for f, a in zip(found, frames, strict=True)
    ]
    forces = [f.forces - a.get_forces() for f, a in zip(found, frames, strict=True)]
    return tuple(1000 * float(np.sqrt(np.mean(np.square(e)))) for e in (energy, forces))


def main() -> None:
    study = begin(__doc__, needs=("torch", "matplotlib"))
    sample(study.work / "training.traj", 60 if study.full else 25)
    calculator = learn(study.work / "training.traj", study.work / "training", 20)
    picoseconds = 50.0 if study.full else 4.0
    compare(study, {"Lennard-Jones": LennardJones(), "network": calculator}, picoseconds)


def compare(study: Study, calculators: dict[str, Any], picoseconds: float) -> None:
    energies, frames = {}, {}
    for name, calculator in calculators.items():
        path = study.work / f"{name}.traj"
        energies[name] = run(calculator, path, picoseconds)
        frames[name] = read(path, ":")[10:]
    teacher, network = calculators
    energy, force = errors(calculators[network], frames[teacher])
    rdf = {name: radial_distribution(f, 10.0, 100) for name, f in frames.items()}
    numbers: dict[str, Any] = {
        "energy RMSE / meV/atom": energy,
        "force RMSE / meV/Å": force,
        "force RMS / meV/Å": 1000 * rms([atoms.get_forces() for atoms in frames[teacher]]),
    }
    for name, rows in energies.items():
        numbers[f"drift / meV/atom/ps, {name}"] = float(np.polyfit(*rows.T, 1)[0])
        numbers[f"spread of total energy / meV/atom, {name}"] = float(rows[:, 1].std())
        numbers[f"temperature / K, {name}"] = mean(frames[name])
    numbers |= {
        "largest difference of g(r)": float(np.abs(rdf[teacher].g - rdf[network].g).max()),
        "highest g(r)": float(rdf[teacher].g.max()),
        "picoseconds": picoseconds,
    }
    draw(study, energies, rdf)
    print(table(["quantity", "value"], [list(row) for row in numbers.items()]))
    study.finish(numbers)


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def mean(frames: list[Atoms]) -> float:
    return float(np.mean([atoms.get_temperature() for atoms in frames]))


def draw(study: Study, energies: dict[str, np.ndarray], rdf: dict[str, Any]) -> None:
    figure, (left, right) = panels(1, 2)
    for style, name in zip(("C0-", "C1--"), energies, strict=True):
        time_ps, energy = energies[name].T
        left.plot(time_ps, energy - energy[0], style, linewidth=0.8, label=name)
        right.plot(rdf[name].r, rdf[name].g, style, linewidth=1, label=name)
    left.set(xlabel="time / ps", ylabel="energy − first / meV/atom", title="velocity Verlet")
    right.set(xlabel="r / Å", ylabel="g(r)", title="radial distribution")
    legend(figure, right)
    study.picture("dynamics", figure)


if __name__ == "__main__":
    main()
