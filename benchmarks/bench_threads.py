"""Two threads beside one, and beside what the machine can give: two processes of one thread.

    NNP_REFERENCE_DATA=... python benchmarks/bench_threads.py [results.json]

Energy and forces with an existing list, by the clock: medians of five alternating blocks of half a
second. The two processes run at once; their speeds add up to less than two where cores share
caches, memory or pipes. Run it on a machine without other work.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ase.build import bulk

import nnp
from nnp.bench import machine, replicated
from nnp.engines.cpu import CpuEngine
from nnp.io.structures import read_structures
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

ROUNDS, BLOCK = 5, 0.5  # s


def cases() -> Iterator[tuple[str, Potential, Structure]]:
    """Name, potential, structure."""
    reference = Path(os.environ["NNP_REFERENCE_DATA"])
    silicon = nnp.load(reference / "mlearn" / "Si" / "potential")
    for copies in (4, 5, 10):
        crystal = bulk("Si", cubic=True) * (copies, copies, copies)
        crystal.rattle(0.05, seed=1)
        yield f"silicon, {len(crystal)} atoms", silicon, as_structure(crystal)
    folder = reference / "n2p2" / "H2O_RPBE-D3"
    water = nnp.load(folder)
    (atoms,) = read_structures(folder / "input.data", water.units, 0)
    yield "water, 8640 atoms", water, replicated(as_structure(atoms), 8640)


def seconds(engine: CpuEngine, structure: Structure) -> float:
    """Of one evaluation, over a block."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < BLOCK:
        engine.compute(structure)
        count += 1
    return (time.perf_counter() - start) / count


def ready(potential: Potential, structure: Structure, dtype: str, threads: int) -> CpuEngine:
    """An engine with its list."""
    engine = CpuEngine(potential, dtype=dtype, threads=threads)
    engine.compute(structure)
    return engine


def alone(name: str, dtype: str) -> None:
    """One of two processes: measure when told to."""
    potential, structure = next(case[1:] for case in cases() if case[0] == name)
    engine = ready(potential, structure, dtype, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    print(statistics.median(seconds(engine, structure) for _ in range(ROUNDS)))


def side_by_side(name: str, dtype: str) -> list[float]:
    """Seconds of an evaluation in each of two processes that run at once."""
    command = [sys.executable, __file__, "--alone", name, dtype]
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


def main() -> None:
    """Measure, print, write."""
    rows = []
    for name, potential, structure in cases():
        for dtype in ("float64", "float32"):
            one, two = (ready(potential, structure, dtype, n) for n in (1, 2))
            times = [(seconds(one, structure), seconds(two, structure)) for _ in range(ROUNDS)]
            first = statistics.median(t for t, _ in times)
            ratios = [a / b for a, b in times]
            both = sum(first / t for t in side_by_side(name, dtype))
            rows.append(
                {
                    "case": name,
                    "dtype": dtype,
                    "us_per_atom": 1e6 * first / len(structure.positions),
                    "two_threads": statistics.median(ratios),
                    "range": [min(ratios), max(ratios)],
                    "two_processes": both,
                }
            )
            print(f"{name}, {dtype}: {rows[-1]['two_threads']:.2f}; two processes {both:.2f}")
    if len(sys.argv) > 1:
        record = {"command": "python benchmarks/bench_threads.py", "machine": machine()}
        text = json.dumps(record | {"rows": rows}, indent=1, ensure_ascii=False)
        Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        alone(*sys.argv[2:])
    else:
        main()
