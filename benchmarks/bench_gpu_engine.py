"""The GPU engines: atom-steps per second over system size, for any potential.

    python benchmarks/bench_gpu_engine.py potential.nnp structure.extxyz --sizes 192 8640 69120 \
        --json benchmarks/results/gpu_engine.json

The cell is doubled along its shortest vector until it has at least the wanted number of atoms. Each
size: warm-up (compiles), then median and quartiles of evaluations of slightly moved atoms, the list
kept, with the device synchronised by reading the results: what a Python caller sees.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np

import nnp
from nnp.io.structures import read_structures
from nnp.structure import Structure, as_structure


def repeated(box: Structure, wanted: int) -> Structure:
    """The cell doubled along its shortest vector until there are enough atoms."""
    while len(box) < wanted:
        axis = int(np.argmin(np.linalg.norm(box.cell, axis=1)))
        positions = np.concatenate([box.positions, box.positions + box.cell[axis]])
        cell = box.cell.copy()
        cell[axis] *= 2
        box = Structure(positions, np.tile(box.atomic_numbers, 2), cell, box.pbc)
    return box


def measure(potential: nnp.Potential, box: Structure, options: argparse.Namespace) -> dict:
    """Seconds per evaluation of one size."""
    engine = potential.engine(options.engine, dtype=options.dtype)
    rng = np.random.default_rng(0)
    seconds = []
    for step in range(options.warm_up + options.repeats):
        shaken = box.positions + rng.uniform(-0.02, 0.02, box.positions.shape)
        moved = Structure(shaken, box.atomic_numbers, box.cell, box.pbc)
        start = time.perf_counter()
        engine.compute(moved, True, False)
        if step >= options.warm_up:
            seconds.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(seconds, n=4)
    return {
        "atoms": len(box), "median_s": median, "quartiles_s": [low, high],
        "atom_steps_per_s": len(box) / median, "device": engine.target, **engine.statistics,
    }  # fmt: skip


def main() -> None:
    """Run all sizes; print and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("potential")
    parser.add_argument("structure")
    parser.add_argument("--engine", default="gpu")
    parser.add_argument("--dtype", default="single")
    parser.add_argument("--sizes", type=int, nargs="+", default=[192, 1000, 8640, 69120])
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    potential = nnp.load(options.potential)
    box = as_structure(read_structures(options.structure)[0])
    rows = []
    for size in options.sizes:
        rows.append(measure(potential, repeated(box, size), options))
        row = rows[-1]
        print(
            f"{row['atoms']:>9} atoms  {1e3 * row['median_s']:9.3f} ms  "
            f"{row['atom_steps_per_s']:.3g} atom-steps/s  {row['device']}"
        )
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    record = {
        "machine": platform.platform(),
        "commit": commit,
        "dtype": options.dtype,
        "rows": rows,
    }
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
