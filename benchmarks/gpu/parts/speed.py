"""Speed of the engine over size: as a CUDA graph, as calls, along molecular dynamics.

- `graph`: evaluations as a CUDA graph replays them, by CUDA events: the GPU's own time,
- `step`: the same started from Python, without a graph and without reading a flag,
- `call`: ``compute_arrays`` called from Python, by the clock on the wall, its flag included,
- `vjp`: what training asks for, up to 10,000 atoms,
- `md`: along velocity Verlet at 300 K, neighbour lists included; the integrator is not.
"""

from __future__ import annotations

import time
from typing import Any

import ase.units
import numpy as np
from ase.data import atomic_masses
from subjects import WARM_UP, box_of, clock_of, dtypes_of, options_of, potential_of, quartiles

from nnp.errors import UnavailableError
from nnp.structure import Structure

SIZES = {
    "water": (192, 8640, 69120, 1_000_000),
    "silicon": (512, 8000, 64000, 512_000, 4_000_000),
    "nep": (192, 8640, 138_240, 1_000_000),
}
WANTED = {"water": 2e7, "silicon": 1e8, "nep": 3e7}  # atom-steps per second of md, single precision
LATENCY_US = 60.0  # wanted of a step of 192 atoms
TEMPERATURE, BLOCK, PRODUCTS_UP_TO = 300.0, 10, 10_000


def main() -> None:
    """One row per size, precision and way of asking."""
    options, result = options_of(__doc__, "name", "--latency")
    potential, result["potential"] = potential_of(options.name, options.small)
    result["wanted atom-steps/s"] = WANTED[options.name]
    sizes = (192,) if options.latency else SIZES[options.name]
    sizes = (24,) if options.small else sizes
    for size in sizes:
        for dtype in dtypes_of(options):
            engine: Any = potential.make_engine(options.engine, dtype=dtype)
            try:
                _measure(engine, box_of(options.name, size), dtype, options, result)
            except UnavailableError as error:
                result.row(atoms=size, dtype=dtype, way=str(error), ok=False)


def _measure(engine: Any, box: Structure, dtype: str, options: Any, result: Any) -> None:
    clock, n = clock_of(engine), len(box)
    steps = WARM_UP + (3 if options.small else max(10, min(300, 20_000_000 // n)))
    positions, rest = clock.array(box.positions), (box.atomic_numbers, box.cell, box.pbc)
    step = engine.capture(positions, *rest)
    graph = clock.recorded(step)
    times = {"graph": [clock.seconds(graph) for _ in range(steps)]}
    holds = step.holds()
    times["step"] = [clock.seconds(step) for _ in range(steps)]
    calls = {"call": lambda: engine.compute_arrays(positions, *rest)}
    if n <= PRODUCTS_UP_TO:
        flat = engine.descriptors_arrays(positions, *rest)
        calls["vjp"] = lambda: engine.descriptor_vjp_arrays(positions, *rest, flat)
    for way, call in calls.items():
        times[way] = [_wall(clock, call) for _ in range(steps)]
    if not options.latency:
        times["md"] = _dynamics(engine, clock, positions, box, steps)
    for way, seconds in times.items():
        row = {"atoms": n, "dtype": dtype, "way": way, **quartiles(seconds)}
        row["atom-steps/s"] = n / (1e-6 * row["us"])
        if way == "graph":
            row |= {"ok": holds, "bytes per atom": clock.bytes() / n}
        result.row(**row)


def _wall(clock: Any, call: Any) -> float:
    clock.finish()
    start = time.perf_counter()
    call()
    clock.finish()
    return time.perf_counter() - start


def _dynamics(engine: Any, clock: Any, positions: Any, box: Structure, steps: int) -> list[float]:
    """Seconds per step of blocks of velocity Verlet, evaluations alone."""
    masses = np.repeat(atomic_masses[box.atomic_numbers], 3)
    timestep = (0.5 if 1 in box.atomic_numbers else 1.0) * ase.units.fs
    spread = np.sqrt(ase.units.kB * TEMPERATURE / masses)
    velocity = clock.array(np.random.default_rng(7).normal(size=3 * len(box)) * spread)
    half, rest = clock.array(0.5 * timestep / masses), (box.atomic_numbers, box.cell, box.pbc)
    place = positions.reshape(-1)
    forces = engine.compute_arrays(positions, *rest).forces.reshape(-1)
    blocks = []
    for _ in range(WARM_UP + max(1, steps // BLOCK)):
        seconds = 0.0
        for _ in range(BLOCK):
            velocity = velocity + half * forces
            place += timestep * velocity
            found: list[Any] = []
            seconds += clock.seconds(
                lambda found=found: found.append(engine.compute_arrays(positions, *rest))
            )
            forces = found[0].forces.reshape(-1)
            velocity = velocity + half * forces
        blocks.append(seconds / BLOCK)
    return blocks


if __name__ == "__main__":
    main()
