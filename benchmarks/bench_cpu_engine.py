"""The CPU engine against n2p2's speed: RPBE-D3 water, 8,640 atoms, and mlearn's silicon, 1,000.

    export NNP_REFERENCE_DATA=…
    python benchmarks/bench_cpu_engine.py --json benchmarks/results/cpu_engine.json

n2p2 itself is not needed: LAMMPS's pair_style sw on silicon is the clock. On one machine and in one
minute, n2p2 2.3.0 in LAMMPS ran this water at 1/268 of the clock's atom-steps per second and core,
this silicon at 1/99 (MD with neighbour lists, float64). The clock runs before and after every
measurement.

Rates are per second of processor time: of the fastest ten steps in a row, and for the clock of the
fastest run of a hundred (its speed changes along the run). Other programs on the machine disturb
that least. Wall-clock medians and quartiles stand beside it in the JSON file. The two-thread line
also gives the processor time that both threads took against that of one alone (1.0: nothing lost).
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path

import numpy as np
from beside_lammps.clock import silicon_clock
from record import write_record
from speed_cases import silicon_crystal

import nnp
from nnp.bench import Measurement, measure, replicated
from nnp.cli.table import text_table
from nnp.io.structures import read_structures
from nnp.structure import as_structure

N2P2_SHARE = {"water": 1 / 268, "silicon": 1 / 99}  # of the clock, per core
WANTED = {"float64": 15, "float32": 30}  # times n2p2, per core


def systems(folder: Path) -> dict[str, tuple[nnp.Potential, nnp.Structure]]:
    """Name → potential and structure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the units are what they are taken for
        water = nnp.load(folder / "n2p2" / "H2O_RPBE-D3")
        silicon = nnp.load(folder / "mlearn" / "Si" / "potential")
    (atoms,) = read_structures(folder / "n2p2/H2O_RPBE-D3/input.data", water.units, 0)
    return {
        "silicon": (silicon, silicon_crystal(5)),
        "water": (water, replicated(as_structure(atoms), 8640)),
    }


def processor_rate(measurement: Measurement) -> float:
    """Atom-steps per second of processor time, of the fastest ten steps in a row."""
    seconds = np.array(measurement.details["processor_seconds"])
    windows = np.convolve(seconds, np.full(10, 0.1), "valid")
    return float(measurement.n_atoms / windows.min())


def clock() -> Measurement:
    """LAMMPS's silicon."""
    found = silicon_clock()
    if isinstance(found, str):
        sys.exit(f"no clock: {found}")
    return found


def run(arguments: argparse.Namespace) -> tuple[list[list[str]], list[Measurement]]:
    """Table rows and everything measured."""
    rows, everything = [], [clock()]
    for name, (potential, structure) in systems(Path(os.environ["NNP_REFERENCE_DATA"])).items():
        for dtype in ("float64", "float32"):
            alone = 0.0
            for threads in arguments.threads:
                options = {"dtype": dtype, "threads": threads}
                found = measure(potential, structure, steps=arguments.steps, seconds=60, **options)
                everything += [found, clock()]
                tick = max(processor_rate(m) for m in (everything[-3], everything[-1]))
                rate = processor_rate(found)
                alone = rate if threads == 1 else alone
                rows.append(
                    [
                        name,
                        dtype,
                        str(threads),
                        f"{1e6 / rate:.2f}",
                        f"{rate / (tick * N2P2_SHARE[name]):.1f}",
                        str(WANTED[dtype]),
                        f"{alone / rate:.2f}" if alone else "",
                        f"{found.rate / 1e3:.1f}",
                        f"{found.best / 1e3:.1f}",
                        f"{found.details['bytes_per_atom']:.0f}",
                    ]
                )
    return rows, everything


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    rows, everything = run(arguments)
    header = ["system", "dtype", "threads", "µs/atom (processor)", "times n2p2", "wanted"]
    header += ["processor / 1 thread", "k/s median", "k/s best", "B/atom"]
    print(text_table(header, rows))
    clocks = [processor_rate(m) for m in everything if m.subject.startswith("LAMMPS")]
    print(f"clock: {np.median(clocks):.3g} atom-steps per processor second")
    if arguments.json:
        write_record(arguments.json, everything, header, rows)


if __name__ == "__main__":
    main()
