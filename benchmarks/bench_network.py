"""Large networks on the CPU engine as a share of what the core can do, measured in one process.

    python benchmarks/bench_network.py --json benchmarks/results/network.json

Silicon_sw's 16 functions with hidden layers of 64 to 256 nodes, energy and forces
of 1,000 atoms. A layer's time is half of what four hidden layers take more than two. Its operations
are a multiplication and an addition for each weight and direction; activations are not counted, but
their time is. The peak is a loop of multiply-adds (`peak.c`, compiled with the machine's
`cc -O3 -march=native`). Blocks alternate; processor time, medians.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from cost_cases import potential_of
from speed_cases import silicon_crystal

import nnp
from nnp.bench import machine
from nnp.cli.table import text_table
from nnp.engines.cpu import CpuEngine

NODES, LAYERS = (64, 128, 256), (2, 4)
ROUNDS, LOOPS = 15, 1_000_000


def compiled() -> ctypes.CDLL:
    """peak.c."""
    source = Path(__file__).with_name("peak.c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "peak.so"
        command = ["cc", "-O3", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC"]
        subprocess.run([*command, "-o", str(library), str(source)], check=True)
        return ctypes.CDLL(str(library))


def seconds(run: Callable[[], Any]) -> float:
    """Processor time of a call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def measure(dtype: str, peak: ctypes.CDLL) -> list[dict[str, Any]]:
    """The speed of a layer beside the peak, by number of nodes."""
    structure = silicon_crystal(5)
    functions = list(nnp.load("silicon_sw").models[0].functions)
    loop = getattr(peak, dtype)
    loop.restype, loop.argtypes = ctypes.c_long, [ctypes.c_long]
    operations = loop(LOOPS)
    runs: dict[Any, Callable[[], Any]] = {"peak": lambda: loop(LOOPS)}
    for nodes, layers in product(NODES, LAYERS):
        engine = CpuEngine(potential_of(("Si",), functions, nodes, 1, layers), dtype, 1)
        runs[nodes, layers] = lambda e=engine: e.compute(structure)
    times: dict[Any, list[float]] = {subject: [] for subject in runs}
    for turn in range(ROUNDS + 1):
        for subject, run in runs.items():
            took = seconds(run)
            if turn:
                times[subject].append(took)
    middle = {subject: float(np.median(found)) for subject, found in times.items()}
    highest = operations / middle["peak"]
    few, many = LAYERS
    record = []
    for n in NODES:
        layer = (middle[n, many] - middle[n, few]) / (many - few) / len(structure)
        rate = 4 * n**2 / layer
        record.append(
            {
                "dtype": dtype,
                "nodes": n,
                "layer_us_per_atom": 1e6 * layer,
                "two_layers_us_per_atom": 1e6 * middle[n, few] / len(structure),
                "gigaflops": 1e-9 * rate,
                "peak_gigaflops": 1e-9 * highest,
                "share_of_peak": rate / highest,
            }
        )
    return record


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    peak = compiled()
    results = [row for dtype in ("float64", "float32") for row in measure(dtype, peak)]
    header = ["dtype", "layer", "its µs/atom", "Gflop/s", "peak", "share"]
    rows = [
        [
            r["dtype"],
            f"{r['nodes']} × {r['nodes']}",
            f"{r['layer_us_per_atom']:.2f}",
            f"{r['gigaflops']:.1f}",
            f"{r['peak_gigaflops']:.1f}",
            f"{r['share_of_peak']:.2f}",
        ]
        for r in results
    ]
    print(text_table(header, rows))
    if arguments.json:
        record = {
            "machine": machine(),
            "command": shlex.join(["python", *sys.argv]),
            "results": results,
        }
        arguments.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
