"""The contract of all optimisers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nnp.train.features import Sample
from nnp.train.objective import Objective

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

    def state(self) -> State:
        """All that the next step depends on, besides θ."""
        ...

    def restore(self, state: State) -> None:
        """Continue from what `state` returned."""
        ...
