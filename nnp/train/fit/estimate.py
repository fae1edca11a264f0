"""What a fit will take, said before it begins: memory by counting, time by trying a few steps."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from nnp.neighbors import neighbor_list
from nnp.train.fit.log import set_errors
from nnp.train.fit.objective import Objective
from nnp.train.fit.optimizers import make_optimizer, steps_of_epoch
from nnp.train.fit.optimizers.covariance import PENDING
from nnp.train.fit.progress import duration
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import Chosen, Task, learns_stress, make_model, prepare, stores_columns

_LOOKED_AT = 20  # structures whose neighbours are counted
_TRIED = 4  # structures that steps are tried with


@dataclass(frozen=True)
class Memory:
    """Bytes of the large arrays; Python, torch and the data come on top.

    Attributes:
        inputs: of the networks, with their derivatives by strain where a stress is learned.
        columns: of the stored Jacobian.
        optimizer: what it remembers.
    """

    inputs: float
    columns: float
    optimizer: float

    def __str__(self) -> str:
        parts = {
            "columns of the Jacobian": self.columns,
            "inputs": self.inputs,
            "optimiser": self.optimizer,
        }
        known = ", ".join(f"{name} {_size(size)}" for name, size in parts.items())
        return f"about {_size(sum(parts.values()))} ({known})"


@dataclass(frozen=True)
class Survey:
    """A fit that has not begun.

    Attributes:
        chosen: functions, inputs, findings.
        architecture: per element, neurons of each layer.
        n_parameters: weights and biases.
        steps: of an epoch.
        memory: of the large arrays.
        seconds_inputs: to compute inputs and stored columns, by the clock here and now.
        seconds_epoch: of an epoch.
        epochs: how many at most.
    """

    chosen: Chosen
    architecture: dict[str, tuple[int, ...]]
    n_parameters: int
    steps: int
    memory: Memory
    seconds_inputs: float
    seconds_epoch: float
    epochs: int

    def lines(self) -> list[str]:
        """For people."""
        functions = [
            f"{symbol}: {sizes[0]} functions, network {'-'.join(map(str, sizes))}"
            for symbol, sizes in self.architecture.items()
        ]
        whole = duration(self.seconds_inputs + self.epochs * self.seconds_epoch)
        first, each = duration(self.seconds_inputs), duration(self.seconds_epoch)
        return [
            *functions,
            f"{self.n_parameters} weights and biases, {self.steps} steps an epoch",
            f"memory: {self.memory}",
            f"time: about {whole}, here and now: inputs {first}, {self.epochs} epochs of {each}",
        ]


def memory_of(settings: TrainingSettings, chosen: Chosen) -> Memory:
    """By counting atoms, neighbours, functions and weights."""
    size = settings.run.torch_dtype.itemsize
    frames = chosen.frames.frames
    share = 1 / chosen.ranks.size
    widths = {s: len(own) for s, own in chosen.functions.items()}
    symbols = [frame.structure.symbols for frame in frames]
    inputs = size * sum(widths[s] for own in symbols for s in own)
    if learns_stress(settings):
        inputs += (
            6
            * size
            * sum(
                widths[s]
                for f, own in zip(frames, symbols, strict=True)
                if f.stress is not None
                for s in own
            )
        )
    columns = 0.0
    if stores_columns(settings):
        each = 3 * (1 + _neighbors(chosen)) * size
        known = zip(frames[: chosen.n_train], symbols, strict=False)
        columns = each * sum(widths[s] for f, own in known if f.forces is not None for s in own)
    parameters = _n_parameters(settings, chosen)
    return Memory(inputs * share, columns * share, size * _remembered(settings, parameters))


def survey(settings: TrainingSettings, chosen: Chosen) -> Survey:
    """Try some steps, on structures spread over the training set, and throw them away."""
    numbers = np.unique(np.linspace(0, chosen.n_train - 1, _TRIED).round().astype(int))
    few = replace(chosen, frames=chosen.frames.subset(numbers), n_train=len(numbers))
    start = time.perf_counter()
    prepared = prepare(settings, few, quiet=True)
    inputs = time.perf_counter() - start
    model, theta = make_model(settings, prepared)
    task = Task(**vars(prepared), model=model, theta=theta)
    train = chosen.frames.subset(range(chosen.n_train))
    all_atoms, tried = sum(map(len, chosen.frames)), sum(map(len, few.frames))
    return Survey(
        chosen=chosen,
        architecture={
            m.symbol: network.sizes
            for m, network in zip(model.template.models, model.networks, strict=True)
        },
        n_parameters=model.n_parameters,
        steps=steps_of_epoch(settings.optimizer, chosen.n_train),
        memory=memory_of(settings, chosen),
        seconds_inputs=inputs * all_atoms / tried,
        seconds_epoch=_epoch(settings, task) * sum(map(len, train)) / tried,
        epochs=settings.run.epochs,
    )


def _epoch(settings: TrainingSettings, task: Task) -> float:
    """Seconds of an epoch over the tried structures, the second one."""
    objective = Objective(task.model, settings.loss, task.ranks)
    theta = task.theta
    optimizer = make_optimizer(
        settings.optimizer,
        task.model.n_parameters,
        task.n_train,
        settings.run.seed,
        theta.dtype,
        theta.device,
    )
    size = len(task.train) if optimizer.full_batch else settings.optimizer.batch
    seconds = 0.0
    for _ in range(2):
        start = time.perf_counter()
        for at in range(0, len(task.train), size):
            theta = optimizer.step(theta, objective, task.train[at : at + size])
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    set_errors(objective, theta, task.train)
    return seconds + (time.perf_counter() - start) / settings.run.evaluate_every


def _neighbors(chosen: Chosen) -> float:
    """Mean number of other atoms within the largest cutoff; images of an atom count once."""
    cutoff = max(f.radius for own in chosen.functions.values() for f in own)
    step = max(1, chosen.n_train // _LOOKED_AT)
    looked_at = [chosen.frames[n] for n in range(0, chosen.n_train, step)]
    pairs = 0
    for frame in looked_at:
        found = neighbor_list(frame.structure, cutoff)
        others = found.i != found.j
        pairs += len(np.unique(found.i[others] * len(frame) + found.j[others]))
    return pairs / max(1, sum(map(len, looked_at)))


def _n_parameters(settings: TrainingSettings, chosen: Chosen) -> int:
    found = 0
    for symbol, own in chosen.functions.items():
        sizes = (len(own), *settings.network.of(symbol).hidden, 1)
        found += sum((a + 1) * b for a, b in pairwise(sizes))
    return found


def _size(count: float) -> str:
    """Bytes for people.

    >>> _size(8.7e4), _size(6.149e8), _size(3.51e9)
    ('0.087 MB', '615 MB', '3.51 GB')
    """
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


def _remembered(settings: TrainingSettings, p: int) -> int:
    """Numbers that an optimiser holds for p parameters."""
    kind = settings.optimizer.kind
    if kind == "kalman":
        return p * p + PENDING * p
    if kind == "levenberg_marquardt":
        return 2 * p * p  # the normal equations and their factors
    return 20 * p
