"""What a fit will take, said before it begins: memory by counting, time by trying a few steps."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from nnp.train.fit.batches import batches, steps_of_epoch
from nnp.train.fit.choosing import Chosen
from nnp.train.fit.log import set_errors
from nnp.train.fit.memory import MemoryPlan, n_coefficients, plan_memory
from nnp.train.fit.objective import Objective
from nnp.train.fit.optimizers import make_optimizer
from nnp.train.fit.progress import duration
from nnp.train.fit.recipe import n_judged
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import Task, make_model, prepare
from nnp.values import counted

_TRIED = 4  # structures that steps are tried with


@dataclass(frozen=True)
class Survey:
    """A fit that has not begun.

    Attributes:
        chosen: functions, inputs, findings.
        architecture: per element, neurons of each layer.
        n_parameters: weights and biases.
        steps: of an epoch.
        plan: of the large arrays.
        seconds_inputs: to compute inputs and stored columns, by the clock here and now.
        seconds_epoch: of an epoch.
        epochs: how many at most.
        recipe: why this optimiser; empty where the settings say it.
    """

    chosen: Chosen
    architecture: dict[str, tuple[int, ...]]
    n_parameters: int
    steps: int
    plan: MemoryPlan
    seconds_inputs: float
    seconds_epoch: float
    epochs: int
    recipe: str = ""

    @property
    def _parameters(self) -> str:
        learned = n_coefficients(self.chosen)
        if not learned:
            return f"{self.n_parameters} weights and biases"
        return (
            f"{self.n_parameters} weights: {self.n_parameters - learned} of networks, {learned} "
            "coefficients of functions"
        )

    def lines(self) -> list[str]:
        """For people."""
        functions = [
            f"{symbol}: {sizes[0]} functions, network {'-'.join(map(str, sizes))}"
            for symbol, sizes in self.architecture.items()
        ]
        whole = duration(self.seconds_inputs + self.epochs * self.seconds_epoch)
        first, each = duration(self.seconds_inputs), duration(self.seconds_epoch)
        epochs = counted(self.epochs, "epoch")
        return [
            *functions,
            f"{self._parameters}, {self.steps} steps per epoch",
            *[self.recipe] * bool(self.recipe),
            *self.plan.lines,
            f"time: about {whole}, here and now: inputs {first}, {epochs} of {each}",
        ]


def survey(settings: TrainingSettings, chosen: Chosen) -> Survey:
    """Try some steps, on structures spread over the training set, and throw them away.

    Raises:
        UnavailableError: the memory is not enough.
    """
    plan = plan_memory(settings, chosen)
    numbers = np.unique(np.linspace(0, chosen.n_train - 1, _TRIED).round().astype(int))
    few = replace(chosen, frames=chosen.frames.subset(numbers), n_train=len(numbers))
    start = time.perf_counter()
    prepared = prepare(settings, few, quiet=True)
    inputs = time.perf_counter() - start
    model, theta = make_model(settings, prepared)
    task = Task(**vars(prepared), model=model, theta=theta)
    train = chosen.frames.subset(range(chosen.n_train))
    all_atoms, tried = sum(map(len, chosen.frames)), sum(map(len, few.frames))
    steps, judging = _tried(settings, task)
    judged_atoms = all_atoms * n_judged(settings, chosen) / len(chosen.frames)
    epoch = steps * sum(map(len, train)) + judging * judged_atoms / settings.run.evaluate_every
    return Survey(
        chosen=chosen,
        architecture={
            m.symbol: network.sizes
            for m, network in zip(model.template.models, model.networks, strict=True)
        },
        n_parameters=model.n_parameters,
        steps=steps_of_epoch(settings.optimizer, np.array([len(frame) for frame in train])),
        plan=plan,
        seconds_inputs=inputs * all_atoms / tried,
        seconds_epoch=epoch / tried,
        epochs=settings.run.passes,
    )


def _tried(settings: TrainingSettings, task: Task) -> tuple[float, float]:
    """Seconds of all steps over the tried structures, the second time, and of judging them."""
    objective = Objective(task.model, settings.loss, task.ranks)
    theta = task.theta
    optimizer = make_optimizer(
        settings.optimizer,
        task.model.n_parameters,
        steps_of_epoch(settings.optimizer, np.array([len(sample) for sample in task.train])),
        settings.run.seed,
        theta.dtype,
        theta.device,
        task.model.networks,
    )
    atoms = np.array([len(sample) for sample in task.train])
    numbers = list(range(len(task.train)))
    parts = [numbers] if optimizer.full_batch else [*batches(numbers, atoms, settings.optimizer)]
    seconds = 0.0
    for _ in range(2):
        start = time.perf_counter()
        for part in parts:
            theta = optimizer.step(theta, objective, task.train.of(part))
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    set_errors(objective, theta, task.train)
    return seconds, time.perf_counter() - start
