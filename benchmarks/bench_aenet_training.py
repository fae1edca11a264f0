"""An epoch of AdamW here and in aenet-PyTorch: ænet's TiO2, the published functions and network.

    export NNP_REFERENCE_DATA=… OMP_NUM_THREADS=1
    python benchmarks/bench_aenet_training.py SOURCE SET --json FILE

SOURCE is aenet-PyTorch's folder ``src``, which runs as it is, its step timed from outside; SET has
TiO.train.ascii and TiO.train.forces, made of its example by its own generate.x, trainbin2ASCII.x.
Both learn 900 of 1,000 structures, the forces of a quarter of them, 128 a step, with 5-5 neurons:
processor time of an epoch on one core, the median of several after the first.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "studies"))

from tio2_parts.data import ATOMIC, read_data
from tio2_parts.fits import FAMILIES

from nnp.bench import machine
from nnp.train import train
from nnp.train.config.tables import from_table
from nnp.train.fit.settings import TrainingSettings

_SHARE = 4  # the forces of every fourth structure
_BATCH = 128
_TRAIN_IN = f"""TRAININGSET TiO.train.ascii
TESTPERCENT 10
ITERATIONS {{epochs}}
ITERWRITE 1000000
BATCHSIZE {_BATCH}
NPSEED 1
PHSEED 2
FORCES
alpha=0.1
MEMORY_MODE cpu
METHOD
method=adamw lr=0.0001
REGULARIZATION 0.001
NETWORKS
Ti Ti.pytorch.nn 2 5:tanh 5:tanh
O O.pytorch.nn 2 5:tanh 5:tanh
"""
# Runs aenet-PyTorch with a clock around its epoch; the last line has seconds and memory.
_CLOCK = """
import json, resource, runpy, sys, time
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
import optimization_step
epoch, took = optimization_step.step_train_any, []
def clocked(*arguments):
    before = time.process_time()
    found = epoch(*arguments)
    took.append(time.process_time() - before)
    return found
optimization_step.step_train_any = clocked
main, sys.argv = sys.argv[1] + "/aenet_pytorch.py", ["aenet_pytorch.py", "train.in"]
runpy.run_path(main, run_name="__main__")
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print()
print(json.dumps({"seconds": took, "whole": time.process_time(), "MB": most}))
"""


def theirs(source: Path, made: Path, epochs: int) -> dict[str, Any]:
    """Seconds of every epoch of aenet-PyTorch, of its whole run, and its memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("TiO.train.ascii", "TiO.train.forces"):
            (folder / file).symlink_to((made / file).resolve())
        (folder / "train.in").write_text(_TRAIN_IN.format(epochs=epochs), encoding="utf-8")
        command = [sys.executable, "-c", _CLOCK, str(source.resolve())]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def ours(epochs: int, dtype: str) -> dict[str, Any]:
    """Seconds of an epoch of ours: a run of two epochs taken from a longer one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = read_data(folder)
        for number, atoms in enumerate(data.train.values()):
            if number % _SHARE:
                energy = atoms.get_potential_energy()
                atoms.calc = SinglePointCalculator(atoms, energy=energy)
        ase.io.write(folder / "train.extxyz", list(data.train.values()))
        whole = {count: _run(folder, count, dtype) for count in (2, 2 + epochs)}
    return {"seconds": [(whole[2 + epochs] - whole[2]) / epochs], "whole": whole[2 + epochs]}


def _run(folder: Path, epochs: int, dtype: str) -> float:
    gradient = {"rate": 1e-4, "weight_decay": 1e-3}
    table = FAMILIES["Chebyshev"] | {
        "data": {"train": str(folder / "train.extxyz"), "reference_energies": ATOMIC},
        "network": {"hidden": [5, 5]},
        "optimizer": {"kind": "adamw", "batch": _BATCH, "gradient": gradient},
        "run": {
            "epochs": epochs, "evaluate_every": epochs, "checkpoint_every": epochs,
            "output": str(folder / "fit"), "report": False, "dtype": dtype,
        },
    }  # fmt: skip
    before = time.process_time()
    train(from_table(TrainingSettings, table, ""), force=True, quiet=True)
    return time.process_time() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="aenet-PyTorch's src")
    parser.add_argument("set", type=Path, help="folder of TiO.train.ascii and TiO.train.forces")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = {"aenet-PyTorch": theirs(arguments.source, arguments.set, arguments.epochs + 1)}
    found["aenet-PyTorch"]["seconds"] = found["aenet-PyTorch"]["seconds"][1:]
    for dtype in ("float64", "float32"):
        found[f"ours, {dtype}"] = ours(arguments.epochs, dtype)
    for name, own in found.items():
        epoch = statistics.median(own["seconds"])
        print(f"{name}: {epoch:.3g} s an epoch, {own['whole']:.3g} s in all")
    if arguments.json:
        command = ["python", "benchmarks/bench_aenet_training.py", "aenet-PyTorch/src", "SET"]
        record = {
            "command": " ".join([*command, *map(shlex.quote, sys.argv[3:])]),
            "machine": machine(),
            "structures": 900,
            "threads": os.environ.get("OMP_NUM_THREADS"),
            "numbers": {
                name: own | {"seconds an epoch": float(np.median(own["seconds"]))}
                for name, own in found.items()
            },
        }
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        arguments.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
