"""Time of an epoch and memory of fits to 10³, 10⁴, 10⁵ small molecules of four elements.

    python benchmarks/bench_streaming.py [--counts 1000 10000 100000] [--max-memory 2] [--save]

Molecules and labels of `molecules`, in one extxyz file; each fit is a process of its own, for its
peak of memory. Adam, batches of 256 atoms, float32, one thread. CPU time, which other programs on
the machine change least.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import molecules

from nnp.train.config.tables import from_table
from nnp.train.data.sets import read_data
from nnp.train.fit.choosing import choose
from nnp.train.fit.machine import use_threads
from nnp.train.fit.memory import plan_memory
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import make_task, prepare
from nnp.train.fit.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "streaming.json"


def settings(file: Path, max_memory: float, epochs: int) -> TrainingSettings:
    """Some 60 functions per element, 24-24 neurons."""
    table = {
        "data": {"train": [str(file)], "split": {"fraction": 0.05}},
        "functions": {
            "generate": {
                "cutoff": 5.0,
                "radial": [{"count": 6}],
                "angular": [{"widths": [2.5], "zetas": [1.0, 4.0]}],
            }
        },
        "optimizer": {
            "kind": "adam",
            "batch_atoms": 256,
            "gradient": {"rate": 5e-3, "average": 0.999},
        },
        "schedule": {"kind": "cosine", "by_step": True},
        "run": {
            "epochs": epochs,
            "dtype": "float32",
            "max_memory": max_memory,
            "output": str(file.parent / "fit"),
        },
    }
    return from_table(TrainingSettings, table, "")


def fit(file: Path, max_memory: float, epochs: int) -> dict[str, object]:
    """Everything that ``nnp train`` does, with the CPU time of its parts."""
    use_threads(1, "adam")
    made = settings(file, max_memory, epochs)
    marks = [time.process_time()]

    def lap() -> float:
        marks.append(time.process_time())
        return marks[-1] - marks[-2]

    data = read_data(made.data)
    found: dict[str, object] = {"read_s": lap()}
    chosen = choose(made, *data, quiet=True)
    plan = plan_memory(made, chosen)
    found |= {"choose_s": lap(), "plan": plan.lines}
    prepared = prepare(made, chosen, True, plan.room)
    kept = prepared.train.kept + prepared.validation.kept
    found |= {"inputs_s": lap(), "kept_structures": kept}
    result = Trainer(made, make_task(made, prepared), quiet=True).run()
    found["epoch_s"] = lap() / epochs
    row = result.rows[-1]
    errors = {k: row[k] for k in ("valid_energy_mae_mev", "valid_force_mae")}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    functions = {symbol: len(own) for symbol, own in chosen.functions.items()}
    return found | errors | {"functions": functions, "peak_memory_mib": peak}


def measure(count: int, max_memory: float, epochs: int) -> dict[str, object]:
    """In a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "molecules.extxyz"
        molecules.write(file, count)
        words = [sys.executable, __file__, "--one", str(file)]
        words += ["--max-memory", str(max_memory), "--epochs", str(epochs)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        last = done.stdout.splitlines()[-1]
        return {"structures": count, "max_memory_gb": max_memory} | json.loads(last)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--max-memory", type=float, default=2.0, help="GB of the process")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--save", action="store_true", help=f"add the numbers to {RESULTS.name}")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(fit(arguments.one, arguments.max_memory, arguments.epochs)))
        return
    head = ("git", "rev-parse", "--short", "HEAD")
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    for count in arguments.counts:
        found = measure(count, arguments.max_memory, arguments.epochs)
        print(json.dumps(found, indent=1), flush=True)
        if arguments.save:
            earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
            machine = {"machine": platform.machine(), "cores": os.cpu_count(), "commit": commit}
            RESULTS.write_text(json.dumps([*earlier, found | machine], indent=1) + "\n")


if __name__ == "__main__":
    main()
