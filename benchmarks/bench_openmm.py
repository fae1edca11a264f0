"""What a step costs beyond the engine, by route: the plugin, PythonForce, TorchForce.

    python benchmarks/bench_openmm.py --atoms 3 216 1000 --threads 1

For each size and route, an NVE run on the CPU platform (Verlet, 0.01 fs, so that all see the same
structure). The engine alone evaluates the same positions through its C interface, taken in turn
with the routes; OpenMM alone steps the same particles without a force. Overhead of a route:
its step − the engine − OpenMM, each as the fastest of its blocks of steps, since other programs
only ever add time. For thousands of atoms the two alone find their numbers in the caches and
together they do not: ``in_turn`` does one evaluation and one such step after the other, and what a
route costs beyond that is its own. Medians and quartiles of the blocks stand beside it. Where other
programs run beside it, ``--clock cpu`` counts this process's time on all cores instead (with one
thread: all but the time a thread takes to wake, which the routes and OpenMM alone have in common).

The potential is a light one (two radial functions) so that the overhead shows; --potential takes
any other, --structure a structure for it.
"""

from __future__ import annotations

import argparse
import ctypes as ct
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from ase import Atoms
from ase.build import bulk
from ase.io import read

import nnp
import nnp.openmm
from nnp.bench import machine
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.engines import _library as c
from nnp.engines.cpu import CpuEngine
from nnp.errors import NNPError
from nnp.functions import Radial, canonical_order
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import as_structure

TIMESTEP_PS = 1e-5
SECONDS_PER_DAY = 86400.0
FEMTOSECOND_STEP_NS = 1e-6  # ns/day as for a step of 1 fs
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
# Name → what to time, called with a number of steps, and what must stay alive meanwhile.
Subjects = dict[str, tuple[Callable[[int], None], Any]]


def light_potential(reach: float = 3.0) -> Potential:
    """Two radial functions and a linear network: some microseconds for a small system."""
    cutoff = Cutoff(CutoffKind.POLY2, reach)
    functions = canonical_order([Radial("Si", 1.0, 0.0, cutoff), Radial("Si", 1.0, 2.4, cutoff)])
    zeros, ones = np.zeros(2), np.ones(2)
    scaling = Scaling(zeros, 10 * ones, ones, ones, ScalingMode.NONE)
    network = Network((np.array([[0.3], [-0.1]]),), (np.zeros(1),), (Activation.IDENTITY,))
    return Potential((ElementModel("Si", tuple(functions), scaling, network),))


def silicon(n_atoms: int) -> Atoms:
    """A rattled crystal of about n atoms, or a cluster of exactly so many when there are few."""
    repeat = max(1, round((n_atoms / 8) ** (1 / 3)))
    atoms = bulk("Si", cubic=True).repeat(repeat)
    if n_atoms < len(atoms):
        atoms = atoms[:n_atoms]
        atoms.pbc = False
    atoms.rattle(0.05, seed=1)
    return atoms


class EngineAlone:
    """The CPU engine through its C interface, as the plugin calls it."""

    def __init__(self, potential: Potential, atoms: Atoms, threads: int) -> None:
        self.engine = CpuEngine(potential, threads=threads)
        structure = as_structure(atoms)
        n = len(structure)
        self.arrays = [
            structure.positions.copy(),
            structure.atomic_numbers.astype(np.int32),
            np.array(structure.cell),
            np.empty(1),
            np.empty(n),
            np.empty((n, 3)),
        ]
        double = ct.POINTER(ct.c_double)
        positions, numbers, cell, energy, energies, forces = self.arrays
        self.structure = c.StructureArrays(
            n,
            positions.ctypes.data_as(double),
            numbers.ctypes.data_as(ct.POINTER(ct.c_int32)),
            cell.ctypes.data_as(double),
            (ct.c_int32 * 3)(*map(int, structure.pbc)),
        )
        self.results = c.Results(
            energy=energy.ctypes.data_as(double),
            energies=energies.ctypes.data_as(double),
            forces=forces.ctypes.data_as(double),
        )

    def step(self, steps: int) -> None:
        """Evaluate so many times."""
        library, handle = c.load_library(), self.engine._handle  # noqa: SLF001
        arguments = (handle, ct.byref(self.structure), ct.byref(self.results))
        for _ in range(steps):
            library.nnp_engine_compute(*arguments, None)


def integrator_of(
    potential: Potential, atoms: Atoms, route: str | None, threads: int
) -> tuple[openmm.Integrator, openmm.Context]:
    """An integrator whose ``step`` is what to time, and the Context to keep."""
    start = nnp.openmm.to_openmm(atoms)
    options = {"engine": "cpu", "threads": threads}
    if route is None:
        system = openmm.System()
        for mass in start.masses:
            system.addParticle(mass)
    else:
        system = nnp.openmm.create_system(potential, start, route=route, **options)
    integrator = openmm.VerletIntegrator(TIMESTEP_PS)
    cpu = openmm.Platform.getPlatform("CPU")
    context = openmm.Context(system, integrator, cpu, {"Threads": str(threads)})
    context.setPositions(start.positions_nm)
    return integrator, context


def time_all(subjects: Subjects, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Name → µs per step of each block, the subjects taken in turn."""
    now = CLOCKS[arguments.clock]
    steps = {}
    for name, (step, _) in subjects.items():
        step(20)
        begin = now()
        step(20)
        steps[name] = max(5, round(20 * arguments.block_seconds / (now() - begin)))
    times = {name: [] for name in subjects}
    for _ in range(arguments.blocks):
        for name, (step, _) in subjects.items():
            begin = now()
            step(steps[name])
            times[name].append((now() - begin) / steps[name] * 1e6)
    return times


def subjects_of(potential: Potential, atoms: Atoms, routes: list[str], threads: int) -> Subjects:
    """What to time, by name."""
    engine = EngineAlone(potential, atoms, threads)
    bare, kept = integrator_of(potential, atoms, None, threads)

    def in_turn(steps: int) -> None:
        for _ in range(steps):
            engine.step(1)
            bare.step(1)

    subjects = {
        "engine": (engine.step, engine),
        "openmm": (bare.step, kept),
        "in_turn": (in_turn, None),
    }
    for route in routes:
        try:
            integrator, context = integrator_of(potential, atoms, route, threads)
        except NNPError as error:
            print(f"  {route}: {error}")
            continue
        subjects[route] = (integrator.step, context)
    return subjects


def measure(
    potential: Potential, atoms: Atoms, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """One row per route."""
    subjects = subjects_of(potential, atoms, arguments.routes, arguments.threads)
    times = time_all(subjects, arguments)
    floor = min(times["engine"]) + min(times["openmm"])
    rows = []
    for name, values in times.items():
        least, low, middle, high = np.percentile(values, [0, 25, 50, 75])
        row = {"atoms": len(atoms), "route": name, "us_per_step": middle}
        row |= {"quartiles": [low, high], "fastest": least}
        row["ns_per_day_at_1_fs"] = SECONDS_PER_DAY / (middle * 1e-6) * FEMTOSECOND_STEP_NS
        overhead = ""
        if name not in {"engine", "openmm"}:
            row["overhead_us"] = float(least - floor)
            overhead = f"  overhead {row['overhead_us']:7.1f} µs"
            row["beyond_in_turn_us"] = float(least - min(times["in_turn"]))
        rows.append(row)
        spread = f"[{low:.1f}, {high:.1f}]  fastest {least:.1f}"
        if name in arguments.routes:
            overhead += f", beyond in_turn {row['beyond_in_turn_us']:7.1f} µs"
        print(f"  {name:8s} {middle:10.1f} µs/step  {spread}{overhead}")
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, nargs="+", default=[3, 64, 216, 1000, 8000])
    parser.add_argument("--routes", nargs="+", default=["native", "python", "torch"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--potential", help="a potential instead of the light one")
    parser.add_argument(
        "--cutoff",
        type=float,
        default=3.0,
        help="of the light one, Å; 1 leaves no neighbours, so that less time passes in the engine",
    )
    parser.add_argument("--structure", help="of that potential, instead of silicon crystals")
    parser.add_argument("--block-seconds", type=float, default=0.1)
    parser.add_argument("--blocks", type=int, default=25)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    arguments = parser.parse_args()
    given = arguments.potential
    potential = nnp.load(given) if given else light_potential(arguments.cutoff)
    systems = [read(arguments.structure)] if arguments.structure else map(silicon, arguments.atoms)
    rows = []
    for atoms in systems:
        print(f"{len(atoms)} atoms")
        rows += measure(potential, atoms, arguments)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "machine": machine() | {"openmm": openmm.version.short_version},
            "threads": arguments.threads,
            "clock": arguments.clock,
            "rows": rows,
        }
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
