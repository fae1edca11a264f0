"""The GPU engine on a machine with a GPU: its tests, then its speed. One command:

    export NNP_REFERENCE_DATA=…
    python benchmarks/bench_gpu_engine.py

runs ``pytest -m gpu`` and, where all pass, measures RPBE-D3 water (69,120 atoms, and 192) and
mlearn's silicon (64,000), then both over system size, and writes
benchmarks/results/gpu_engine.json and docs/gpu_engine.png. Of each:

- `graph`: evaluations as a CUDA graph replays them, by CUDA events: the GPU's own time,
- `step`: the same started from Python, without a graph and without reading a flag, by CUDA events,
- `call`: ``compute_arrays`` called from Python, by the clock on the wall, its flag included,
- `descriptors`, `vjp`, `jvp`: what training asks for, likewise, up to 10,000 atoms,
- `md`: the same along molecular dynamics at 300 K, neighbour lists as they fall due included; the
  integrator, on the GPU too, is not. Blocks of ten steps, by CUDA events.

Medians; quartiles stand beside them. ``--engine opencl --sizes 24 --steps 3`` tries the script
itself where there is no GPU: its numbers say nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ase.units
import numpy as np
from ase.build import bulk, molecule
from ase.data import atomic_masses
from beside_lammps.picture import draw_scaling

import nnp
from nnp.bench import Measurement, as_record, from_times, replicated
from nnp.errors import NNPError, UnavailableError
from nnp.io.files import replacing
from nnp.io.structures import read_structures
from nnp.structure import Structure, as_structure
from nnp.testing import random_potential

ROOT = Path(__file__).parent.parent
SWEEP = (192, 1080, 8640, 69120, 552960, 1_000_000, 4_000_000, 10_000_000)
NAMED = {"water": (192, 69120), "silicon": (64000,)}
WANTED = {"water": {69120: 1e7}, "silicon": {64000: 3e7}}  # atom-steps per second of md
TEMPERATURE = 300.0  # K
BLOCK = 10  # steps of md timed together
WARM_UP = 3  # of each, not counted
PRODUCTS_UP_TO = 10_000  # atoms; nobody trains on more


class CudaClock:
    """CUDA events on CuPy's current stream; arrays of CuPy."""

    def __init__(self, engine: Any) -> None:
        import cupy

        self._cupy = cupy
        self.name = engine.target

    def array(self, values: np.ndarray) -> Any:
        """On the GPU."""
        return self._cupy.asarray(values)

    def finish(self) -> None:
        """Wait for all that was started."""
        self._cupy.cuda.get_current_stream().synchronize()

    def seconds(self, calls: Callable[[], Any]) -> float:
        """From before to after what ``calls`` starts, on the GPU."""
        start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
        start.record()
        calls()
        end.record()
        end.synchronize()
        return 1e-3 * float(self._cupy.cuda.get_elapsed_time(start, end))

    def recorded(self, step: Callable[[], None]) -> Callable[[], None]:
        """The step as a graph."""
        with self._cupy.cuda.Stream(non_blocking=True) as stream:
            stream.begin_capture()
            step()
            graph = stream.end_capture()
        return lambda: graph.launch(self._cupy.cuda.get_current_stream())

    def memory(self) -> int:
        """Bytes in use."""
        return int(self._cupy.get_default_memory_pool().used_bytes())


class HostClock:
    """The same with PyOpenCL, by the clock on the wall: to try the script."""

    def __init__(self, engine: Any) -> None:
        self._queue = engine.device.queue
        self.name = engine.target

    def array(self, values: np.ndarray) -> Any:
        """On the device."""
        import pyopencl.array

        return pyopencl.array.to_device(self._queue, np.ascontiguousarray(values))

    def finish(self) -> None:
        """Wait for all that was started."""
        self._queue.finish()

    def seconds(self, calls: Callable[[], Any]) -> float:
        """From before to after what ``calls`` starts."""
        self.finish()
        start = time.perf_counter()
        calls()
        self.finish()
        return time.perf_counter() - start

    def recorded(self, step: Callable[[], None]) -> Callable[[], None]:
        """The step itself: OpenCL records nothing."""
        return step

    def memory(self) -> int:
        """Unknown."""
        return 0


def water_box(n_molecules: int) -> Structure:
    """Molecules on a cubic grid at 1 g/cm³, each turned at random."""
    rng, edge = np.random.default_rng(1), round(n_molecules ** (1 / 3))
    spacing = (18.015 * ase.units._amu * 1e3 / 1e-24) ** (1 / 3)  # noqa: SLF001
    atoms = molecule("H2O")
    atoms.set_cell(np.eye(3) * spacing)
    atoms.pbc = True
    grid = atoms * (edge, edge, edge)
    for first in range(0, len(grid), 3):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        middle = grid.positions[first].copy()
        grid.positions[first : first + 3] = (grid.positions[first : first + 3] - middle) @ turn
        grid.positions[first : first + 3] += middle
    return as_structure(grid)


def systems(engine: str) -> dict[str, tuple[nnp.Potential, Structure]]:
    """Name → potential and a cell to repeat. On OpenCL small ones, that compile in seconds."""
    crystal = bulk("Si", cubic=True)
    crystal.rattle(0.05, seed=1)
    if engine != "gpu":
        small = {"H": ("radial",), "Si": ("radial",)}
        return {
            "water": (random_potential(("H", "O"), 1, small["H"], radius=3.0), water_box(8)),
            "silicon": (
                random_potential(("Si",), 1, small["Si"], radius=3.0),
                as_structure(crystal),
            ),
        }
    if "NNP_REFERENCE_DATA" not in os.environ:
        sys.exit("set NNP_REFERENCE_DATA to the folder of the real potentials")
    folder = Path(os.environ["NNP_REFERENCE_DATA"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the units are what they are taken for
        water = nnp.load(folder / "n2p2" / "H2O_RPBE-D3")
        silicon = nnp.load(folder / "mlearn" / "Si" / "potential")
    (atoms,) = read_structures(folder / "n2p2/H2O_RPBE-D3/input.data", water.units, 0)
    return {
        "water": (water, as_structure(atoms)),
        "silicon": (silicon, as_structure(crystal * (4, 4, 4))),
    }


def sized(name: str, cell: Structure, wanted: int) -> Structure:
    """So many atoms or more."""
    if name == "water" and wanted < len(cell):
        return water_box(round(wanted / 3))
    return replicated(cell, wanted)


def measure(
    name: str, potential: nnp.Potential, box: Structure, options: argparse.Namespace, dtype: str
) -> Iterator[Measurement]:
    """All that the head of this file lists, of one structure."""
    engine: Any = potential.make_engine(options.engine, dtype=dtype)
    clock: Any = (CudaClock if options.engine == "gpu" else HostClock)(engine)
    positions = clock.array(box.positions)
    rest = (box.atomic_numbers, box.cell, box.pbc)
    step = engine.capture(positions, *rest)
    graph = clock.recorded(step)
    times = {"graph": [clock.seconds(graph) for _ in range(WARM_UP + options.steps)]}
    if not step.holds():
        raise NNPError(f"{name}, {len(box)} atoms: the recorded evaluation does not hold")
    times["step"] = [clock.seconds(step) for _ in range(WARM_UP + options.steps)]
    for what, call in calls(engine, clock, positions, rest).items():
        times[what] = []
        for _ in range(WARM_UP + options.steps):
            clock.finish()
            start = time.perf_counter()
            call()
            clock.finish()
            times[what].append(time.perf_counter() - start)
    before = engine.statistics["list_builds"]
    times["md"], n_steps = dynamics(engine, clock, positions, box, options.steps)
    details = {
        "device": clock.name,
        "bytes_per_atom": clock.memory() / len(box),
        "steps_per_list": n_steps / max(1, engine.statistics["list_builds"] - before),
        **engine.statistics,
    }
    for what, seconds in times.items():
        extra = details | {"microseconds": 1e6 * float(np.median(seconds[WARM_UP:]))}
        if what == "md":
            extra["timestep_fs"] = timestep_fs(box)
        yield from_times(f"{name} {dtype} {what}", len(box), seconds[WARM_UP:], extra)


def calls(engine: Any, clock: Any, positions: Any, rest: Any) -> dict[str, Callable[[], Any]]:
    """Calls from Python, by name."""
    found: dict[str, Callable[[], Any]] = {
        "call": lambda: engine.compute_arrays(positions, *rest),
    }
    if len(positions) <= PRODUCTS_UP_TO:
        flat = engine.descriptors_arrays(positions, *rest)
        direction = clock.array(np.ones((len(positions), 3)))
        found["descriptors"] = lambda: engine.descriptors_arrays(positions, *rest)
        found["vjp"] = lambda: engine.descriptor_vjp_arrays(positions, *rest, flat)
        found["jvp"] = lambda: engine.descriptor_jvp_arrays(positions, *rest, direction)
    return found


def timestep_fs(box: Structure) -> float:
    """Half a femtosecond where there is hydrogen."""
    return 0.5 if 1 in box.atomic_numbers else 1.0


def dynamics(
    engine: Any, clock: Any, positions: Any, box: Structure, steps: int
) -> tuple[list[float], int]:
    """Seconds per step of blocks of velocity Verlet, evaluations alone; and how many steps."""
    masses = np.repeat(atomic_masses[box.atomic_numbers], 3)
    timestep = timestep_fs(box) * ase.units.fs
    spread = np.sqrt(ase.units.kB * TEMPERATURE / masses)
    velocity = clock.array(np.random.default_rng(7).normal(size=3 * len(box)) * spread)
    half = clock.array(0.5 * timestep / masses)
    rest = (box.atomic_numbers, box.cell, box.pbc)
    place = positions.reshape(-1)
    forces = engine.compute_arrays(positions, *rest).forces.reshape(-1)
    blocks = []
    for _ in range(WARM_UP + max(1, steps // BLOCK)):
        seconds = 0.0
        for _ in range(BLOCK):
            velocity = velocity + half * forces
            place += timestep * velocity
            found = []
            seconds += clock.seconds(
                lambda found=found: found.append(engine.compute_arrays(positions, *rest))
            )
            forces = found[0].forces.reshape(-1)
            velocity = velocity + half * forces
        blocks.append(seconds / BLOCK)
    return blocks, BLOCK * len(blocks)


def tested(options: argparse.Namespace) -> dict[str, Any]:
    """Run the tests that need a GPU; what they said."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "tests/test_gpu_device.py"]
    if options.engine != "gpu":
        command += ["-k", "jacobian"]
    environment = os.environ | {"NNP_GPU_ENGINE": options.engine}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    last = result.stdout.strip().splitlines()[-1:]
    print("tests:", *last)
    if result.returncode:
        print(result.stdout[-4000:], result.stderr[-2000:])
        sys.exit("the tests failed: nothing was measured (--no-tests measures all the same)")
    return {"command": " ".join(command[1:]), "summary": last}


def sweep(options: argparse.Namespace) -> Iterator[Measurement]:
    """All that is wanted, until memory ends."""
    for name, (potential, cell) in systems(options.engine).items():
        sizes = options.sizes or sorted({*NAMED[name], *SWEEP})
        for dtype in options.dtype:
            for size in sizes:
                try:
                    for found in measure(name, potential, sized(name, cell, size), options, dtype):
                        print(_line(found))
                        yield found
                except UnavailableError as error:
                    print(f"{name} {dtype}, {size} atoms and more: {error}")
                    break


def _line(found: Measurement) -> str:
    text = f"{found.subject:28} {found.n_atoms:>9} atoms {found.details['microseconds']:12.1f} µs"
    text += f" {found.rate:10.3g} atom-steps/s ({found.slow:.3g} to {found.fast:.3g})"
    name, dtype, what = found.subject.split()
    goal = WANTED[name].get(found.n_atoms)
    return text + (f", wanted {goal:.0e}" if goal and what == "md" and dtype == "single" else "")


def main() -> None:
    """Tests, measurements, JSON, picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="gpu", choices=["gpu", "opencl"])
    parser.add_argument("--dtype", nargs="+", default=["single", "float32", "float64"])
    parser.add_argument("--sizes", type=int, nargs="+", help="in place of the sweep's")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--no-tests", action="store_true")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks/results/gpu_engine.json")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs/gpu_engine.png")
    options = parser.parse_args()
    tests = None if options.no_tests else tested(options)
    try:
        everything = list(sweep(options))
    except NNPError as error:
        sys.exit(str(error))
    if not everything:
        sys.exit("nothing was measured")
    record = as_record(everything, " ".join(["python", *sys.argv])) | {"tests": tests}
    with replacing(options.json, force=True) as scratch:
        scratch.write_text(json.dumps(record, indent=1) + "\n")
    shown = [m for m in everything if m.subject.endswith((" graph", " md"))]
    draw_scaling(shown, options.plot, f"nnp on {everything[0].details['device']}")


if __name__ == "__main__":
    main()
