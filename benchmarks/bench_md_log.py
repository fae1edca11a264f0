"""What `nnp md` costs beside the engine: all columns of the log every 100 steps, in turns.

    python benchmarks/bench_md_log.py [repeats of the cubic cell] [steps] [turns]

Three in turn, of the same silicon: the engine alone, called from Python on the positions of a run;
OpenMM's steps with nothing around them; `nnp.md.run` with its log. Processor seconds per step; the
machine need not be quiet, for turns share its noise.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from ase.build import bulk

import nnp
from nnp.md import MDSettings, Outputs, Runner
from nnp.openmm import create_simulation, create_system
from nnp.structure import Structure

SETTINGS = {"temperature": 300.0, "timestep": 2.0, "log_interval": 100}


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


def with_log(potential: Any, atoms: Any, steps: int) -> float:
    """Seconds per step of a run with its log; no frames, no restarts on the way."""
    with tempfile.TemporaryDirectory() as folder:
        settings = MDSettings(**SETTINGS, steps=steps, frame_interval=steps, restart_interval=steps)
        machine = {"platform": "CPU", "threads": 1}
        system = create_system(potential, atoms, threads=1)
        outputs = Outputs.named(Path(folder) / "r")
        runner = Runner(system, atoms, settings, outputs, machine=machine, potential=potential)
        begin = time.process_time()
        runner.run()
        return (time.process_time() - begin) / steps


def main() -> None:
    """Measure in turns, and say medians."""
    repeats, steps, turns = (
        int(word) for word in (sys.argv[1:] + ["5", "1000", "5"][len(sys.argv) - 1 :])
    )
    potential, atoms = nnp.load("silicon_sw"), bulk("Si", cubic=True) * ((repeats,) * 3)
    rows = []
    for _ in range(turns):
        seconds, places = bare(potential, atoms, steps)
        alone = engine_alone(potential, atoms, places, steps)
        rows.append((alone, seconds, with_log(potential, atoms, steps)))
        cells = "  ".join(f"{1e3 * seconds:.3f} ms" for seconds in rows[-1])
        print(f"{len(atoms)} atoms: {cells}", flush=True)
    alone, seconds, logged = 1e3 * np.min(rows, axis=0)
    print(f"least: engine {alone:.3f} ms, OpenMM {seconds:.3f} ms, with log {logged:.3f} ms")
    print(f"of these: log over OpenMM {100 * (logged / seconds - 1):+.1f} %")
    ratios = np.array(rows)
    print(
        "medians of ratios: log over OpenMM alone: "
        f"{100 * (np.median(ratios[:, 2] / ratios[:, 1]) - 1):+.1f} %; "
        f"over the engine: {100 * (np.median(ratios[:, 2] / ratios[:, 0]) - 1):+.1f} %"
    )


if __name__ == "__main__":
    main()
