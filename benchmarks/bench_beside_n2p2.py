"""The CPU engine beside n2p2's library: energy and forces with a neighbour list that stands.

    export NNP_REFERENCE_DATA=…
    python benchmarks/bench_beside_n2p2.py --n2p2 time_n2p2 --json beside_n2p2.json

One core. n2p2, every precision and instruction set take a short block in turn, five rounds; the
figures are medians of processor time. `time_n2p2` is a program over n2p2's library
(`beside_n2p2.py` says what it does); without it the ratios stay empty. LAMMPS's pair_style sw on
8,000 silicon atoms runs before and after as the clock that tells machines apart. Two threads are
wall-clock medians of alternating blocks, of structures of 250 atoms and more.

Cases may be measured in several runs: --json keeps those of the file that a run does not measure.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from beside_lammps.clock import silicon_clock
from beside_n2p2 import Driver
from blocks import block, in_turn
from speed_cases import Case, cases

from nnp.bench import machine
from nnp.bench.cost import microseconds
from nnp.cli.table import text_table
from nnp.engines.cpu import CpuEngine
from nnp.errors import OptionError

BLOCK = 0.04  # s of a block, at least one evaluation
TARGETS = ("auto", "avx2", "baseline")
MANY = 250  # atoms from which on two threads are measured
HEADER = [
    "case",
    "atoms",
    "dtype",
    "µs/atom",
    "library",
    "times n2p2",
    "avx2",
    "baseline",
    "2 threads",
    "B/atom",
]


def measure(case: Case, program: str | None, rounds: int) -> dict[str, Any]:
    """Seconds of an evaluation by subject, every round."""
    name, potential, structure = case
    with Driver(program, potential, structure) if program else nullcontext() as driver:
        subjects: dict[str, Callable[[], float]] = {}
        engines, difference = [], None
        for dtype in ("float64", "float32"):
            for target in TARGETS:
                try:
                    engine = CpuEngine(potential, dtype, 1, target=target)
                except OptionError:
                    continue  # this machine has no such instructions
                engines.append(engine)
                subjects[f"{dtype} {target}"] = block(lambda e=engine: e.compute(structure), BLOCK)
        if driver:
            difference = driver.energy - engines[0].compute(structure).energy
            repeats = max(1, round(BLOCK / driver.seconds(1)))
            subjects["n2p2"] = lambda: driver.seconds(repeats)
        found = in_turn(subjects, rounds)
    threads = {}
    if len(structure) >= MANY and (os.cpu_count() or 1) > 1:
        walls = {}
        for dtype in ("float64", "float32"):
            for count in (1, 2):
                engine = CpuEngine(potential, dtype, count)
                evaluate = lambda e=engine: e.compute(structure)  # noqa: E731
                walls[f"{dtype} {count}"] = block(evaluate, BLOCK, time.perf_counter)
        threads = in_turn(walls, rounds)
    return {
        "case": name,
        "atoms": len(structure),
        "n2p2_energy_minus_ours_eV": difference,
        "processor_seconds": found,
        "wall_seconds": threads,
        "library_microseconds_per_atom": {
            dtype: microseconds(CpuEngine(potential, dtype, 1), structure, BLOCK)
            for dtype in ("float64", "float32")
        },
        "bytes": {e.dtype: e.statistics["bytes"] for e in engines[::-1]},
    }


def rows_of(result: dict[str, Any]) -> list[list[str]]:
    """Lines of the table."""
    n = result["atoms"]
    middle = {name: np.median(values) for name, values in result["processor_seconds"].items()}
    walls = {name: np.median(values) for name, values in result["wall_seconds"].items()}
    rows = []
    for dtype in ("float64", "float32"):
        own = middle[f"{dtype} auto"]
        row = [result["case"], str(n), dtype, f"{1e6 * own / n:.2f}"]
        row.append(f"{result['library_microseconds_per_atom'][dtype]:.2f}")
        row.append(f"{middle['n2p2'] / own:.1f}" if "n2p2" in middle else "")
        for target in TARGETS[1:]:
            other = middle.get(f"{dtype} {target}")
            row.append(f"{own / other:.2f}" if other else "")
        row.append(f"{walls[f'{dtype} 1'] / walls[f'{dtype} 2']:.2f}" if walls else "")
        row.append(f"{result['bytes'][dtype] / n:.0f}")
        rows.append(row)
    return rows


def ticks() -> float:
    """Atom-steps per second of the clock."""
    found = silicon_clock()
    if isinstance(found, str):
        print(found, file=sys.stderr)
        return 0.0
    return found.rate


def save(path: Path | None, results: list[dict[str, Any]]) -> None:
    """Into the file, in place of its results for the same cases."""
    if path is None:
        return
    mine = {result["case"] for result in results}
    old = json.loads(path.read_text()) if path.exists() else []
    kept = [result for result in old if result["case"] not in mine]
    path.write_text(json.dumps(kept + results, indent=1) + "\n")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n2p2", help="program that runs n2p2; see beside_n2p2.py")
    parser.add_argument("--examples", type=Path, help="n2p2's examples/nnp-predict")
    parser.add_argument("--only", nargs="+", help="cases whose names begin so")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # units of directories are what they are taken for
    clock, results = [ticks()], []
    for case in cases(Path(os.environ["NNP_REFERENCE_DATA"]), arguments.examples):
        if arguments.only and not case[0].startswith(tuple(arguments.only)):
            continue
        found = measure(case, arguments.n2p2, arguments.rounds)
        found |= {"machine": machine(), "clock": clock, "command": shlex.join(sys.argv)}
        results.append(found)
        print(*(" | ".join(row) for row in rows_of(found)), sep="\n", flush=True)
        save(arguments.json, results)
    clock.append(ticks())
    save(arguments.json, results)
    print(text_table(HEADER, [row for result in results for row in rows_of(result)]))
    print(f"clock: {clock[0]:.3g} and {clock[1]:.3g} atom-steps per second")


if __name__ == "__main__":
    main()
