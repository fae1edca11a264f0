"""What `nnp md` costs beside the engine: all columns of the log every 100 steps, in turns.

    python benchmarks/bench_md_log.py [repeats of the cubic cell] [steps] [turns] [results.json]

Four in turn, of the same silicon: the engine alone, called from Python on the positions of a run;
OpenMM's steps with nothing around them; `nnp.md.run` with rows at its beginning and end alone; the
same with a row every 100 steps. Processor seconds per step; the machine need not be quiet, for
turns share its noise. What a run writes once (restart file, last frame) is in the last two.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from ase.build import bulk

import nnp
from nnp.bench import machine
from nnp.md import MDSettings, Outputs, Runner
from nnp.openmm import create_simulation, create_system
from nnp.structure import Structure

SETTINGS = {"temperature": 300.0, "timestep": 2.0}
ROWS_EVERY = 100  # steps
NAMES = ("engine", "OpenMM", "run without rows", "run with rows")


def bare(potential: Any, atoms: Any, steps: int) -> tuple[float, list[Any]]:
    """Seconds per step of OpenMM alone, and positions (Å) on the way."""
    integrator = openmm.LangevinMiddleIntegrator(300, 1, 0.002)
    simulation = create_simulation(potential, atoms, integrator, threads=1)
    simulation.context.setVelocitiesToTemperature(300, 1)
    simulation.step(100)
    begin = time.process_time()
    simulation.step(steps)
    seconds = (time.process_time() - begin) / steps
    places = []
    for _ in range(50):
        simulation.step(1)
        state = simulation.context.getState(positions=True)
        places.append(state.getPositions(asNumpy=True)._value * 10)  # noqa: SLF001
    return seconds, places


def engine_alone(potential: Any, atoms: Any, places: list[Any], steps: int) -> float:
    """Seconds per evaluation on positions that move as in a run."""
    engine = potential.engine("cpu", threads=1)
    numbers, cell, pbc = atoms.numbers, atoms.cell.array, np.ones(3, bool)
    structures = [Structure(place, numbers, cell, pbc) for place in places]
    there_and_back = structures + structures[::-1]
    begin, made = time.process_time(), 0
    while made < steps:
        for structure in there_and_back:
            engine.compute(structure, True, False)
            made += 1
    return (time.process_time() - begin) / made


def of_a_run(potential: Any, atoms: Any, steps: int, interval: int) -> float:
    """Seconds per step of a run with rows at an interval; no frames, no restarts on the way."""
    with tempfile.TemporaryDirectory() as folder:
        once: Any = {"steps": steps, "frame_interval": steps, "restart_interval": steps}
        settings = MDSettings(**SETTINGS, **once, log_interval=interval)
        machine = {"platform": "CPU", "threads": 1}
        system = create_system(potential, atoms, threads=1)
        outputs = Outputs.named(Path(folder) / "r")
        runner = Runner(system, atoms, settings, outputs, machine=machine, potential=potential)
        begin = time.process_time()
        runner.run()
        return (time.process_time() - begin) / steps


def main() -> None:
    """Measure in turns, and say medians."""
    words = sys.argv[1:]
    numbers = [int(word) for word in (words + ["5", "2000", "5"][len(words) :])[:3]]
    repeats, steps, turns = numbers
    potential, atoms = nnp.load("silicon_sw"), bulk("Si", cubic=True) * ((repeats,) * 3)
    rows = []
    for _ in range(turns):
        seconds, places = bare(potential, atoms, steps)
        alone = engine_alone(potential, atoms, places, steps)
        runs = [of_a_run(potential, atoms, steps, every) for every in (steps, ROWS_EVERY)]
        rows.append([alone, seconds, *runs])
        print(
            f"{len(atoms)} atoms: " + "  ".join(f"{1e3 * one:.3f} ms" for one in rows[-1]),
            flush=True,
        )
    table = 1e3 * np.array(rows)
    shares = 100 * (table[:, 3] - table[:, 2]) / table[:, 1]
    found = {
        "atoms": len(atoms),
        "steps": steps,
        "turns": turns,
        "median ms per step": dict(zip(NAMES, np.median(table, axis=0).tolist(), strict=True)),
        "rows of the log, % of OpenMM": {
            "median": float(np.median(shares)),
            "least": float(shares.min()),
            "most": float(shares.max()),
        },
    }
    print(json.dumps(found, indent=1))
    if len(words) > 3:
        command = "python benchmarks/bench_md_log.py " + " ".join(map(str, numbers))
        content = {"command": command, "machine": machine(), **found}
        Path(words[3]).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
