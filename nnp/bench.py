"""Speed of a potential's engines in molecular dynamics: atom-steps per second.

A measurement runs velocity Verlet from the structure at 300 K and times the evaluations alone
(energy, forces, virial, neighbour list when it is due), one by one. Other programs only ever add
time: the median says what was got, the best what the engine can.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ase.build
import ase.units
import numpy as np
from ase.data import atomic_masses, reference_states

from nnp.elements import atomic_number
from nnp.errors import OptionError, StructureError, UnavailableError
from nnp.io.files import replacing
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

TEMPERATURE = 300.0  # K
LIGHT_MASS = 4.0  # u; with lighter atoms a step is half a femtosecond
WARM_UP = 3  # evaluations before the clock starts: buffers grow, the neighbour list is built


@dataclass(frozen=True)
class Measurement:
    """One engine, one structure.

    Attributes:
        subject: what was measured, such as ``"cpu float64, 2 threads"``.
        n_atoms: atoms in the box.
        steps: evaluations timed.
        rate: atom-steps per second, of the median step.
        slow, fast: of the quartiles.
        best: of the fastest step.
        details: of the engine, such as its instruction set and memory per atom; and
            ``processor_seconds`` of all threads per step, which other programs disturb less.
    """

    subject: str
    n_atoms: int
    steps: int
    rate: float
    slow: float
    fast: float
    best: float
    details: dict[str, Any]


def from_times(
    subject: str, n_atoms: int, seconds: Iterable[float], details: dict[str, Any]
) -> Measurement:
    """A measurement from the seconds of single steps."""
    times = np.array(list(seconds))
    quick, median, long = np.quantile(times, (0.25, 0.5, 0.75))
    return Measurement(
        subject,
        n_atoms,
        len(times),
        rate=float(n_atoms / median),
        slow=float(n_atoms / long),
        fast=float(n_atoms / quick),
        best=float(n_atoms / times.min()),
        details=details,
    )


def default_structure(potential: Potential) -> Structure:
    """A crystal of a one-element potential's element.

    Raises:
        OptionError: there are several elements, or no crystal is known.
    """
    symbol = potential.elements[0]
    state = reference_states[atomic_number(symbol)]
    if len(potential.elements) > 1 or not state or state["symmetry"] not in _CRYSTALS:
        raise OptionError(
            f"there is no crystal to measure for {', '.join(potential.elements)}: name a STRUCTURE"
        )
    return as_structure(ase.build.bulk(symbol, cubic=True))


_CRYSTALS = ("fcc", "bcc", "diamond")


def replicated(structure: Structure, n_atoms: int) -> Structure:
    """The structure repeated along its shortest periodic axes until it has ``n_atoms`` or more.

    Raises:
        StructureError: it must grow and has no periodic axis.
    """
    times = np.ones(3, int)
    lengths = np.where(structure.pbc, np.linalg.norm(structure.cell, axis=1), np.inf)
    if len(structure) < n_atoms and not structure.pbc.any():
        raise StructureError(
            f"{n_atoms} atoms are asked for, but the structure of {len(structure)} has no periodic "
            "axis to repeat it along: leave out --atoms or give it a cell"
        )
    while len(structure) * times.prod() < n_atoms:
        times[np.argmin(lengths * times)] += 1
    grid = np.stack(np.meshgrid(*map(np.arange, times), indexing="ij"), -1).reshape(-1, 3)
    positions = structure.positions[None] + (grid @ structure.cell)[:, None]
    return Structure(
        positions.reshape(-1, 3),
        np.tile(structure.atomic_numbers, len(grid)),
        structure.cell * times[:, None],
        structure.pbc,
    )


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
    warm = potential.engine(engine, **options)
    stress = bool(structure.pbc.all())
    masses = atomic_masses[structure.atomic_numbers][:, None]
    timestep = (0.5 if masses.min() < LIGHT_MASS else 1.0) * ase.units.fs
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


def _details(engine: Any, n_atoms: int) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for name in ("target", "threads"):
        if hasattr(engine, name):
            details[name] = getattr(engine, name)
    counters = getattr(engine, "statistics", None)
    if isinstance(counters, dict) and "bytes" in counters:
        details["bytes_per_atom"] = counters["bytes"] / n_atoms
        details["list_builds"] = counters["list_builds"]
        details["evaluations"] = counters["evaluations"]
        details["list_share"] = counters["list_seconds"] / (
            counters["list_seconds"] + counters["kernel_seconds"] + counters["reduce_seconds"]
        )
    return details


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and with which commit of this repository."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _processor(),
        "cores": cores,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"


def as_record(measurements: Sequence[Measurement], command: str) -> dict[str, Any]:
    """Measurements, machine and command, for a JSON file."""
    return {
        "command": command,
        "machine": machine(),
        "measurements": [asdict(measurement) for measurement in measurements],
    }


def draw(measurements: Sequence[Measurement], path: str | Path) -> None:
    """A bar per measurement, the best step as a mark.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UnavailableError(
            "pictures need matplotlib, which is not installed: pip install 'nnp[plot]'"
        ) from error
    figure = Figure(figsize=(8, 0.8 + 0.4 * len(measurements)), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{m.subject}, {m.n_atoms} atoms" for m in measurements]
    axes.barh(names, [m.rate for m in measurements], color="#4477aa")
    axes.plot([m.best for m in measurements], names, "|", color="#222222", markersize=12)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("atom-steps per second (bar: median step, mark: best)")
    with replacing(path, force=True) as scratch:
        figure.savefig(scratch, dpi=150)
