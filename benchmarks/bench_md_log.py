"""What `nnp md` costs beside the engine: all columns of the log every 100 steps, in turns.

    export NNP_REFERENCE_DATA=…
    python benchmarks/bench_md_log.py --json benchmarks/results/md_log.json

About 1,000 atoms of silicon with the bundled potential, which is small, and with mlearn's, and of
water. Four in turn, of the same start: the engine alone, called from Python on the positions of a
run; OpenMM's steps with nothing around them; `nnp.md.run` with rows at its beginning and end alone;
the same with a row every 100 steps. Processor seconds per step; the machine need not be quiet, for
turns share its noise. What a run writes once (restart file, last frame) is in the last two.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from ase import Atoms
from ase.build import bulk

import nnp
from nnp.bench import machine
from nnp.cli.table import text_table
from nnp.io.structures import read_structures
from nnp.md import MDSettings, Outputs, Runner
from nnp.openmm import create_simulation, create_system
from nnp.structure import Structure

SETTINGS = {"temperature": 300.0, "timestep": 0.5}
ROWS_EVERY = 100  # steps
NAMES = ("engine", "OpenMM", "run without rows", "run with rows")
HEADER = ["case", "atoms", *(f"{name} / ms" for name in NAMES), "run over engine / %", "rows / %"]


def cases() -> Iterator[tuple[str, Any, Atoms, int]]:
    """Name, potential, start, steps."""
    folder = Path(os.environ["NNP_REFERENCE_DATA"])
    silicon = bulk("Si", cubic=True) * (5, 5, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the units are what they are taken for
        yield "silicon, bundled", nnp.load("silicon_sw"), silicon, 2000
        yield "silicon, mlearn", nnp.load(folder / "mlearn" / "Si" / "potential"), silicon, 2000
        water = nnp.load(folder / "n2p2" / "H2O_RPBE-D3")
    (box,) = read_structures(folder / "n2p2/H2O_RPBE-D3/input.data", water.units, 0)
    yield "water", water, box, 600


def bare(potential: Any, atoms: Any, steps: int) -> tuple[float, list[Any]]:
    """Seconds per step of OpenMM alone, and positions (Å) on the way."""
    integrator = openmm.LangevinMiddleIntegrator(300, 1, 0.001 * SETTINGS["timestep"])
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
        where = {"platform": "CPU", "threads": 1}
        system = create_system(potential, atoms, threads=1)
        outputs = Outputs.named(Path(folder) / "r")
        runner = Runner(system, atoms, settings, outputs, machine=where, potential=potential)
        begin = time.process_time()
        runner.run()
        return (time.process_time() - begin) / steps


def measure(potential: Any, atoms: Any, steps: int, turns: int) -> dict[str, Any]:
    """Milliseconds per step of each, every turn."""
    rows = []
    for _ in range(turns):
        seconds, places = bare(potential, atoms, steps)
        alone = engine_alone(potential, atoms, places, steps)
        rows.append(
            [alone, seconds, *(of_a_run(potential, atoms, steps, n) for n in (steps, ROWS_EVERY))]
        )
    table = 1e3 * np.array(rows)
    over, share = table[:, 3] / table[:, 0] - 1, (table[:, 3] - table[:, 2]) / table[:, 1]
    return {
        "atoms": len(atoms),
        "steps": steps,
        "ms per step": dict(zip(NAMES, table.T.tolist(), strict=True)),
        "run with rows over engine / %": sorted(100 * over),
        "rows of the log over OpenMM / %": sorted(100 * share),
    }


def main() -> None:
    """Measure in turns, and say medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found, rows = {}, []
    for name, *case in cases():
        one = found[name] = measure(*case, arguments.turns)
        medians = [f"{np.median(values):.3f}" for values in one["ms per step"].values()]
        shares = [one["run with rows over engine / %"], one["rows of the log over OpenMM / %"]]
        rows.append([name, str(one["atoms"]), *medians, *(f"{np.median(x):.1f}" for x in shares)])
    print(text_table(HEADER, rows))
    if arguments.json:
        content = {"command": shlex.join(sys.argv), "machine": machine(), "cases": found}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
