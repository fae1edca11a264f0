"""One epoch as n2p2 trains mlearn's silicon, and the memory of a fit to 13,233 atoms and forces.

    NNP_REFERENCE_DATA=... python benchmarks/bench_training_epoch.py [--columns computed] [--save]
        [--device cuda]

n2p2 2.3 with the 27 functions of the shipped input.nn, 24-24 neurons (1,297 weights) and its Kalman
filter takes 7.1 s per epoch of 566 updates on two cores. Here the same: 214 updates from an energy
and 352 from one force component each, drawn among those with more than the structure's
root-mean-square error (selection_mode 2, threshold 1). Then an epoch of the defaults: 214 updates
with 48 components and the energy. The fastest of some epochs counts, for other programs
on the machine only ever add time. Two fixed pieces of work tell machines apart.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from nnp.train.config.tables import from_table
from nnp.train.data.dataset import Dataset
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.machine import use_threads
from nnp.train.fit.objective import Objective
from nnp.train.fit.optimizers.base import Optimizer
from nnp.train.fit.optimizers.kalman import Kalman, KalmanSettings
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import Task, build

RESULTS = Path(__file__).parent / "results" / "training.json"
N2P2_SECONDS = 7.1
ENERGY_UPDATES, FORCE_UPDATES = 214, 352


def make_task(folder: Path, store: bool, device: str) -> Task:
    """The silicon of mlearn with the functions of the shipped potential."""
    file = str(folder / "potential" / "input.nn")
    table = {
        "data": {"train": ["none"]},
        "functions": {"file": file, "prune": {"method": "none"}},
        "run": {"store_columns": store, "device": device},
    }
    settings = from_table(TrainingSettings, table, "")
    return build(settings, Dataset.read(folder / "train.extxyz"), Dataset(()), quiet=True)


def n2p2_epoch(task: Task) -> Callable[[], None]:
    """566 updates of one candidate each, energies and forces mixed."""
    rng = np.random.default_rng(0)
    energy = Objective(task.model, LossSettings(energy=1.0, forces=0.0))
    forces = Objective(task.model, LossSettings(energy=0.0, forces=1.0))
    settings = KalmanSettings(fading=False, candidates=1, threshold=1.0, process_noise=1e-6)
    theta = task.theta
    updater: Optimizer = Kalman(settings, len(theta), 566, 0, theta.dtype, theta.device)

    def epoch() -> None:
        nonlocal theta
        kinds = rng.permutation([True] * ENERGY_UPDATES + [False] * FORCE_UPDATES)
        for is_energy, structure in zip(
            kinds, rng.integers(len(task.train), size=len(kinds)), strict=True
        ):
            objective = energy if is_energy else forces
            theta = updater.step(theta, objective, [task.train[structure]])

    return epoch


def default_epoch(task: Task) -> Callable[[], None]:
    """One update per structure: 48 components and the energy."""
    objective, theta = Objective(task.model, LossSettings()), task.theta
    updater: Optimizer = Kalman(KalmanSettings(), len(theta), 214, 0, theta.dtype, theta.device)

    def epoch() -> None:
        nonlocal theta
        for sample in task.train:
            theta = updater.step(theta, objective, [sample])

    return epoch


def best_seconds(work: Callable[[], None], repeats: int) -> dict[str, float]:
    """CPU and wall time of the fastest call, after one to warm up.

    Each step waits for its device, to see whether the filter failed.
    """
    work()
    cpu, wall = [], []
    for _ in range(repeats):
        start = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - start[0])
        wall.append(time.perf_counter() - start[1])
    return {"cpu_s": min(cpu), "wall_s": min(wall)}


def clocks() -> dict[str, float]:
    """Seconds of fixed work: 10 products of 1,000² matrices, 20 copies of 64 MB."""
    matrix, block = torch.ones((1000, 1000), dtype=torch.float64), np.ones(8_000_000)

    def multiply() -> None:
        for _ in range(10):
            torch.mm(matrix, matrix)

    def copy() -> None:
        for _ in range(20):
            block.copy()

    work = {"matrix_products_cpu_s": multiply, "copies_cpu_s": copy}
    return {name: best_seconds(piece, 5)["cpu_s"] for name, piece in work.items()}


def measure(folder: Path, store: bool, repeats: int, device: str) -> dict[str, object]:
    """All numbers of one way to hold the Jacobian's columns."""
    start = time.process_time()
    task = make_task(folder, store, device)
    found: dict[str, object] = {
        "columns": "stored" if store else "computed",
        "device": device_name(task.theta.device),
        "weights": task.model.n_parameters,
        "atoms": task.frames.n_atoms,
        "inputs_cpu_s": time.process_time() - start,
        "n2p2_epoch": best_seconds(n2p2_epoch(task), repeats),
        "default_epoch": best_seconds(default_epoch(task), repeats),
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if task.theta.device.type == "cuda":
        found["peak_device_memory_mib"] = torch.cuda.max_memory_allocated() / 2**20
    return found | {"peak_memory_mib": peak, "clock": clocks()}


def device_name(device: torch.device) -> str:
    """Of the CPU "cpu", of a GPU what its driver calls it."""
    return "cpu" if device.type == "cpu" else torch.cuda.get_device_name(device)


def save(found: dict[str, object]) -> None:
    """Append to the results, with machine and commit."""
    head = ("git", "rev-parse", "--short", "HEAD")
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    record = found | {"machine": platform.machine(), "cores": os.cpu_count(), "commit": commit}
    RESULTS.write_text(json.dumps([*earlier, record], indent=1) + "\n")


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", choices=("stored", "computed"), default="stored")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="n2p2's 7.1 s are of two")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--save", action="store_true", help=f"add the numbers to {RESULTS.name}")
    arguments = parser.parse_args()
    if "NNP_REFERENCE_DATA" not in os.environ:
        sys.exit("NNP_REFERENCE_DATA is unset: it names the folder that holds mlearn/")
    use_threads(arguments.threads, "kalman")
    folder = Path(os.environ["NNP_REFERENCE_DATA"]) / "mlearn" / "Si"
    threads = {"threads": arguments.threads}
    found = threads | measure(
        folder, arguments.columns == "stored", arguments.repeats, arguments.device
    )
    print(json.dumps(found, indent=1))
    epoch = found["n2p2_epoch"]
    assert isinstance(epoch, dict)
    print(
        f"n2p2's 7.1 s / this: {N2P2_SECONDS / epoch['wall_s']:.1f} (wall), "
        f"{N2P2_SECONDS / epoch['cpu_s']:.1f} (CPU)"
    )
    if arguments.save:
        save(found)


if __name__ == "__main__":
    main()
