"""Speed of an engine alone: evaluations in molecular dynamics, timed one by one.

Velocity Verlet from the structure at 300 K; only the evaluations are timed (energy, forces, virial,
neighbour list when it is due). Other programs only ever add time: the median says what was got,
the best what the engine can.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import ase.units
import numpy as np
from ase.data import atomic_masses

from nnp.bench.measurement import Measurement, from_times
from nnp.engines import Engine, make_engine
from nnp.potential import Potential
from nnp.structure import Structure

TEMPERATURE = 300.0  # K
LIGHT_MASS = 4.0  # u; with lighter atoms a step is half a femtosecond
WARM_UP = 3  # evaluations before the clock starts: buffers grow, the neighbour list is built


def default_timestep(structure: Structure) -> float:
    """Half a femtosecond with hydrogen, one without."""
    return 0.5 if atomic_masses[structure.atomic_numbers].min() < LIGHT_MASS else 1.0


def measure(
    potential: Potential,
    structure: Structure,
    engine: str = "cpu",
    steps: int = 50,
    seconds: float = 10.0,
    **options: Any,
) -> Measurement:
    """Time an engine in molecular dynamics.

    Args:
        potential: what to evaluate.
        structure: where to start.
        engine: name of the engine.
        steps: how many evaluations to time,
        seconds: unless they take longer than this (but five at least).
        options: of the engine.
    """
    warm = make_engine(potential, engine, **options)
    stress = bool(structure.pbc.all())
    masses = atomic_masses[structure.atomic_numbers][:, None]
    timestep = default_timestep(structure) * ase.units.fs
    rng = np.random.default_rng(7)
    velocities = rng.normal(size=(len(structure), 3)) * np.sqrt(ase.units.kB * TEMPERATURE / masses)
    acceleration = np.zeros_like(velocities)
    times: list[float] = []
    processor: list[float] = []
    now, end = structure, time.perf_counter() + seconds
    for step in range(WARM_UP + steps):
        start, busy = time.perf_counter(), time.process_time()
        forces = warm.compute(now, True, stress).forces
        taken, busy = time.perf_counter() - start, time.process_time() - busy
        previous, acceleration = acceleration, np.asarray(forces) / masses
        velocities = velocities + 0.5 * timestep * (previous + acceleration)
        moved = now.positions + timestep * (velocities + 0.5 * timestep * acceleration)
        now = replace(now, positions=moved)
        if step >= WARM_UP:
            times.append(taken)
            processor.append(busy)
        if time.perf_counter() > end and len(times) >= 5:
            break
    details = _details(warm, len(structure)) | {"processor_seconds": processor}
    return from_times(_name(engine, options), len(structure), times, details)


def _name(engine: str, options: dict[str, Any]) -> str:
    words = [engine, str(options.get("dtype", "float64"))]
    threads = options.get("threads")
    if threads:
        words.append(f"{threads} thread{'s' if threads > 1 else ''}")
    return " ".join(words)


def _details(engine: Engine, n_atoms: int) -> dict[str, Any]:
    details: dict[str, Any] = {"target": engine.target} if engine.target else {}
    if engine.threads is not None:
        details["threads"] = engine.threads
    counters = engine.statistics
    if "bytes" in counters:
        details["bytes_per_atom"] = counters["bytes"] / n_atoms
        details["list_builds"] = counters["list_builds"]
        details["evaluations"] = counters["evaluations"]
        details["list_share"] = counters["list_seconds"] / (
            counters["list_seconds"] + counters["kernel_seconds"] + counters["reduce_seconds"]
        )
    return details
