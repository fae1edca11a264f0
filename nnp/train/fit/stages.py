"""The optimiser of a fit, and L-BFGS after it for the last epochs if requested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from nnp.train.fit.optimizers import Optimizer, State, make_optimizer
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import Task

_FINISHING = "finishing"  # in the state: L-BFGS has begun


class Stages:
    """Which optimiser works in which epoch.

    Args:
        settings: all of them.
        task: data and model.
        steps: of an epoch.
    """

    def __init__(self, settings: TrainingSettings, task: Task, steps: int) -> None:
        self._settings, self._task, self._steps = settings, task, steps
        self._finishing = False
        self.optimizer = self._make()

    def begin(self, epoch: int, theta: Tensor) -> Tensor:
        """θ to begin an epoch with; L-BFGS continues from what was judged before."""
        finish = self._settings.optimizer.finish
        if finish and not self._finishing and epoch >= self._settings.run.passes - finish:
            theta = self.optimizer.judged(theta)
            self._finishing = True
            self.optimizer = self._make()
        return theta

    def state(self) -> State:
        """That of the optimiser, and which one it is."""
        return self.optimizer.state() | ({_FINISHING: np.ones(1)} if self._finishing else {})

    def restore(self, state: State) -> None:
        """Continue from what `state` returned."""
        if _FINISHING in state:
            self._finishing = True
            self.optimizer = self._make()
        self.optimizer.restore({name: a for name, a in state.items() if name != _FINISHING})

    def _make(self) -> Optimizer:
        settings, theta = self._settings.optimizer, self._task.theta
        if self._finishing:
            settings = replace(settings, kind="lbfgs")
        return make_optimizer(
            settings,
            len(theta),
            self._steps,
            self._settings.run.seed,
            theta.dtype,
            theta.device,
            self._task.model.networks,
        )
