"""Time of training steps: Kalman updates as n2p2 makes them, and whole epochs of each optimiser.

    python benchmarks/bench_training.py

n2p2 2.3 on the mlearn silicon data with 27 functions and 24-24 neurons (1,297 weights) takes
12.6 ms per update on two cores, 7.1 s per epoch of 566 updates of one candidate each. Here the
same architecture learns Stillinger-Weber silicon, 64 atoms per structure, so that nothing needs to
be downloaded; a step's cost does not depend on what the labels say. One thread; CPU time, or with
``--device cuda`` wall time up to the moment when the device has done its part.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from ase.build import bulk

from nnp.teachers.ase import StillingerWeber
from nnp.train.config.tables import from_table
from nnp.train.data.dataset import Dataset
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.objective import Objective
from nnp.train.fit.optimizers import KINDS, OptimizerSettings, make_optimizer
from nnp.train.fit.optimizers.base import Optimizer
from nnp.train.fit.optimizers.kalman import KalmanSettings
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import Task, build

N2P2_UPDATE_MS = 12.6


def silicon(count: int) -> Dataset:
    """Rattled crystals of 64 atoms with the teacher's labels."""
    frames = []
    for seed in range(count):
        atoms = bulk("Si", cubic=True).repeat(2)
        atoms.rattle(0.15, seed=seed)
        atoms.calc = StillingerWeber()
        atoms.get_forces()
        frames.append(atoms)
    return Dataset.from_atoms(frames)


def make_task(count: int, store: bool, device: str = "cpu") -> Task:
    """27 functions within 5.5 Å as the published silicon potential has, 24-24 neurons."""
    table = {
        "data": {"train": ["none"]},
        "functions": {
            "generate": {
                "cutoff": 5.5,
                "radial": [{"count": 3}],
                "angular": [{"widths": [7.0, 5.0, 3.2]}],
            },
            "prune": {"method": "none"},
        },
        "run": {"store_columns": store, "device": device},
    }
    settings = from_table(TrainingSettings, table, "")
    return build(settings, silicon(count), Dataset(()), quiet=True)


def milliseconds(
    work: Callable[[], object], repeats: int, device: torch.device
) -> tuple[float, float]:
    """Median time of a call and the interquartile range, after one to warm up."""

    def now() -> float:
        if device.type == "cpu":
            return time.process_time()
        torch.cuda.synchronize(device)
        return time.perf_counter()

    work()
    times = []
    for _ in range(repeats):
        start = now()
        work()
        times.append(1e3 * (now() - start))
    low, middle, high = np.percentile(times, [25, 50, 75])
    return float(middle), float(high - low)


def time_kalman(task: Task, candidates: int, repeats: int) -> tuple[float, float]:
    """One update from one structure's force components (and its energy, if several)."""
    energy = 100.0 if candidates > 1 else 0.0
    settings = OptimizerSettings("kalman", kalman=KalmanSettings(candidates=candidates))
    optimizer = optimizer_of(task, settings)
    aim = Objective(task.model, LossSettings(energy=energy))
    theta = task.theta

    def step() -> None:
        nonlocal theta
        theta = optimizer.step(theta, aim, task.train[:1])

    return milliseconds(step, repeats, theta.device)


def optimizer_of(task: Task, settings: OptimizerSettings) -> Optimizer:
    """For all structures of the task, where they lie."""
    theta = task.theta
    return make_optimizer(settings, len(theta), len(task.train), 0, theta.dtype, theta.device)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--structures", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for store in (True, False):
        task = make_task(arguments.structures, store, arguments.device)
        held = "stored" if store else "computed"
        print(f"{task.model.n_parameters} weights, {held} columns; ms, median (IQR)")
        for candidates in (1, 16, 48):
            middle, spread = time_kalman(task, candidates, arguments.repeats)
            ratio = f"   n2p2 / this = {N2P2_UPDATE_MS / middle:.1f}" if candidates == 1 else ""
            print(
                f"  kalman, {candidates:2d} force components: {middle:7.2f} ({spread:.2f}){ratio}"
            )
    aim = Objective(task.model, LossSettings())
    for kind in [k for k in KINDS if k not in ("kalman", "levenberg_marquardt")]:
        settings = OptimizerSettings(kind)
        optimizer = optimizer_of(task, settings)
        work = lambda: optimizer.step(task.theta, aim, task.train)  # noqa: E731, B023
        middle, spread = milliseconds(work, 3, task.theta.device)
        print(f"  {kind}: {middle / len(task.train):7.2f} per structure ({spread:.2f})")


if __name__ == "__main__":
    main()
