"""The exponential moving average of θ: what a noisy walk is about."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nnp.train.fit.optimizers.base import State

# The first steps count less than the decay says: what they average is far from any minimum.
_EARLY = 10.0


class Average:
    """a ← d a + (1 − d) θ after every step, with d = min(decay, (1 + t) / (10 + t)) in step t.

    Args:
        decay: towards 1: over more steps.
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._steps = 0
        self._mean: Tensor | None = None

    def add(self, theta: Tensor) -> None:
        """Take in θ after one step; where it is not finite the fit ends, and the mean stays."""
        if not bool(torch.isfinite(theta).all()):
            return
        decay = min(self._decay, (1 + self._steps) / (_EARLY + self._steps))
        if self._mean is None:
            self._mean = theta.clone()
        else:
            self._mean.lerp_(theta, 1 - decay)
        self._steps += 1

    def of(self, theta: Tensor) -> Tensor:
        """The average; θ itself before the first step."""
        return theta if self._mean is None else self._mean

    def state(self) -> State:
        """Mean and count."""
        if self._mean is None:
            return {}
        return {"average": self._mean.cpu().numpy(), "averaged": np.array([float(self._steps)])}

    def restore(self, state: State, device: torch.device | str) -> None:
        """Continue from what `state` returned, with the mean on ``device``."""
        if "average" in state:
            self._mean = torch.from_numpy(state["average"].copy()).to(device)
            self._steps = int(state["averaged"][0])
