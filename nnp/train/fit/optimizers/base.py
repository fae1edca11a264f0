"""What all optimisers share: their contract, and how the learning rate falls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nnp.errors import OptionError
from nnp.train.fit.objective import Objective
from nnp.train.inputs.features import Sample

# What an optimiser remembers between steps: plain arrays, so that checkpoints need no pickle.
State = dict[str, NDArray[np.float64]]


class Optimizer(Protocol):
    """Moves θ downhill.

    Attributes:
        full_batch: whether every step wants all training structures at once.
        uses_columns: whether steps take single columns of the Jacobian, which storing speeds up.
    """

    full_batch: bool
    uses_columns: bool

    def step(self, theta: Tensor, objective: Objective, batch: Sequence[Sample]) -> Tensor:
        """θ after one step over a batch."""
        ...

    def set_rate(self, factor: float) -> None:
        """Multiply the first learning rate by this; optimisers without one ignore it."""
        ...

    def judged(self, theta: Tensor) -> Tensor:
        """The parameters that errors and models are of, when the last step gave θ."""
        ...

    def state(self) -> State:
        """All that the next step depends on, besides θ."""
        ...

    def restore(self, state: State) -> None:
        """Continue from what `state` returned."""
        ...


class ScheduleKind(StrEnum):
    """Shape of the schedule."""

    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    COSINE = "cosine"
    STEP = "step"


@dataclass(frozen=True)
class ScheduleSettings:
    """How the learning rate falls.

    Attributes:
        kind: ``"constant"``, ``"exponential"``, ``"cosine"`` or ``"step"``.
        final: factor of the rate in the last epoch (exponential, cosine).
        every: epochs between drops (step).
        factor: factor of each drop (step).
        warmup: epochs of linear rise at the start.
        by_step: whether the rate changes with every step rather than every epoch.
    """

    kind: ScheduleKind = ScheduleKind.CONSTANT
    final: float = 0.01
    every: int = 100
    factor: float = 0.5
    warmup: int = 0
    by_step: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", ScheduleKind(self.kind))
        if not (0 < self.final <= 1 and 0 < self.factor <= 1):
            raise OptionError(
                f"schedule final = {self.final}, factor = {self.factor} must be in (0, 1]"
            )
        if self.every < 1 or self.warmup < 0:
            raise OptionError(
                f"schedule every = {self.every}, warmup = {self.warmup}: 1, 0 or more"
            )

    def at(self, epoch: int, epochs: int) -> float:
        """Factor in epoch ``epoch`` (from 0) of ``epochs``.

        >>> ScheduleSettings(ScheduleKind.EXPONENTIAL, final=0.01).at(9, 10)
        0.01
        """
        rise = min(1.0, (epoch + 1) / (self.warmup + 1))
        return rise * self._fall(epoch, epoch / max(epochs - 1, 1))

    def at_step(self, step: int, steps: int, epochs: int) -> float:
        """Factor in step ``step`` of all, counted from 0, with ``steps`` an epoch.

        >>> ScheduleSettings(ScheduleKind.COSINE, final=0.5, warmup=1).at_step(10, 10, 3)
        0.875
        """
        rise = min(1.0, (step + 1) / (self.warmup * steps + 1))
        return rise * self._fall(step // steps, min(1.0, step / (epochs * steps)))

    def _fall(self, epoch: int, progress: float) -> float:
        match self.kind:
            case ScheduleKind.EXPONENTIAL:
                fall = self.final**progress
            case ScheduleKind.COSINE:
                fall = self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2
            case ScheduleKind.STEP:
                fall = self.factor ** (epoch // self.every)
            case _:
                fall = 1.0
        return float(fall)
