"""Two threads beside one, and beside what the machine can give: two processes of one thread.

    NNP_REFERENCE_DATA=... python benchmarks/bench_threads.py [--json results.json]

Energy and forces with an existing list, by the clock: medians of five alternating blocks of half a
second. The two processes run at once; their speeds add up to less than two where cores share
caches, memory or pipes. Run it on a machine without other work.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench_cpu_engine import systems
from blocks import block, in_turn
from speed_cases import silicon_crystal

from nnp.bench import machine
from nnp.engines.cpu import CpuEngine
from nnp.potential import Potential
from nnp.structure import Structure

ROUNDS, BLOCK = 21, 0.1  # s; short, as what disturbs the machine comes in bursts
ALONE = "--alone"  # one of two processes


def cases() -> Iterator[tuple[str, Potential, Structure]]:
    """Name, potential, structure."""
    known = systems(Path(os.environ["NNP_REFERENCE_DATA"]))
    silicon, water = known["silicon"][0], known["water"]
    for copies in (4, 5, 10):
        structure = silicon_crystal(copies)
        yield f"silicon, {len(structure)} atoms", silicon, structure
    yield f"water, {len(water[1])} atoms", *water


def subject(
    potential: Potential, structure: Structure, dtype: str, threads: int
) -> Callable[[], float]:
    """Seconds of an evaluation."""
    engine = CpuEngine(potential, dtype=dtype, threads=threads)
    return block(lambda: engine.compute(structure), BLOCK, time.perf_counter)


def alone(name: str, dtype: str) -> None:
    """One of two processes: measure when told to."""
    potential, structure = next(case[1:] for case in cases() if case[0] == name)
    seconds = subject(potential, structure, dtype, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    print(statistics.median(seconds() for _ in range(ROUNDS)))


def side_by_side(name: str, dtype: str) -> list[float]:
    """Seconds of an evaluation in each of two processes that run at once."""
    command = [sys.executable, __file__, ALONE, name, dtype]
    pair = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in pair:
        process.stdout.readline()
    for process in pair:
        process.stdin.write("\n")
        process.stdin.flush()
    return [float(process.communicate()[0]) for process in pair]


def measure(name: str, potential: Potential, structure: Structure, dtype: str) -> dict[str, Any]:
    """Ratios to one thread."""
    counts = {"one": 1, "two": 2}
    times = in_turn(
        {key: subject(potential, structure, dtype, n) for key, n in counts.items()}, ROUNDS
    )
    one = statistics.median(times["one"])
    ratios = [a / b for a, b in zip(times["one"], times["two"], strict=True)]
    return {
        "case": name,
        "dtype": dtype,
        "us_per_atom": 1e6 * one / len(structure),
        "two_threads": statistics.median(ratios),
        "range": [min(ratios), max(ratios)],
        "two_processes": sum(one / seconds for seconds in side_by_side(name, dtype)),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    for case in cases():
        for dtype in ("float64", "float32"):
            row = measure(*case, dtype)
            print(
                f"{row['case']}, {dtype}: {row['two_threads']:.2f}; "
                f"two processes {row['two_processes']:.2f}"
            )
            rows.append(row)
    if arguments.json:
        record = {"command": shlex.join(sys.argv), "machine": machine(), "rows": rows}
        text = json.dumps(record, indent=1, ensure_ascii=False)
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == [ALONE]:
        alone(*sys.argv[2:])
    else:
        main()
