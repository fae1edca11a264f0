"""Levenberg-Marquardt over all training data at once, or over so many structures a step.

(JᵀJ + μ D) d = Jᵀr; the step is taken when the loss falls, μ shrinks with success and grows with
failure. The normal matrix is summed structure by structure: memory is that of p² numbers.

Reference:
    Marquardt, J. Soc. Ind. Appl. Math. 11, 431 (1963), doi:10.1137/0111030.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnp.errors import OptionError
from nnp.train.fit.objective import Objective
from nnp.train.fit.optimizers.base import State
from nnp.train.inputs.features import Sample


@dataclass(frozen=True)
class LevenbergMarquardtSettings:
    """The damping.

    Attributes:
        damping: μ at the start.
        decrease: factor of μ after a success, below 1.
        increase: factor of μ after a failure, above 1.
        trials: number of failures after which a step is given up.
        batch: structures per step, judged by their own loss; None: all.
    """

    damping: float = 0.1
    decrease: float = 0.4
    increase: float = 4.0
    trials: int = 8
    batch: int | None = None

    def __post_init__(self) -> None:
        if not (self.damping > 0 and 0 < self.decrease < 1 < self.increase and self.trials >= 1):
            raise OptionError(
                f"levenberg_marquardt damping = {self.damping}, decrease = {self.decrease}, "
                f"increase = {self.increase}, trials = {self.trials}: positive damping, decrease "
                "below 1, increase above 1 and at least one trial are expected"
            )
        if self.batch is not None and self.batch < 1:
            raise OptionError(
                f"levenberg_marquardt batch = {self.batch}: 1 structure per step or more, or leave "
                "it out for all"
            )


class LevenbergMarquardt:
    """Levenberg-Marquardt steps.

    Args:
        settings: the damping.
    """

    uses_columns = True

    def __init__(self, settings: LevenbergMarquardtSettings) -> None:
        self._settings = settings
        self.full_batch = settings.batch is None
        self._damping = settings.damping

    def step(self, theta: Tensor, objective: Objective, batch: Sequence[Sample]) -> Tensor:
        """See `nnp.train.fit.optimizers.base.Optimizer.step`."""
        matrix, vector, loss = self._normal_equations(theta, objective, batch)
        for _ in range(self._settings.trials):
            damped = matrix.clone()
            damped.diagonal().add_(self._damping)
            factor, failed = torch.linalg.cholesky_ex(damped)
            if not failed:
                trial = theta + torch.cholesky_solve(vector[:, None], factor)[:, 0]
                if objective.value(trial, batch) < loss:
                    self._damping *= self._settings.decrease
                    return trial
            self._damping *= self._settings.increase
        return theta

    def set_rate(self, factor: float) -> None:
        """There is no learning rate."""

    def judged(self, theta: Tensor) -> Tensor:
        """See `nnp.train.fit.optimizers.base.Optimizer.judged`."""
        return theta

    def state(self) -> State:
        """See `nnp.train.fit.optimizers.base.Optimizer.state`."""
        return {"damping": np.array([self._damping])}

    def restore(self, state: State) -> None:
        """See `nnp.train.fit.optimizers.base.Optimizer.restore`."""
        self._damping = float(state["damping"][0])

    @staticmethod
    def _normal_equations(
        theta: Tensor, objective: Objective, batch: Sequence[Sample]
    ) -> tuple[Tensor, Tensor, float]:
        counts = objective.counts(batch)
        matrix, vector = theta.new_zeros((len(theta), len(theta))), torch.zeros_like(theta)
        for sample in batch:
            rows = objective.residuals(theta, sample, counts)
            matrix.addmm_(rows.jacobian.T, rows.jacobian)
            vector += rows.jacobian.T @ rows.values
        objective.ranks.add(matrix, vector)
        _, diagonal = objective.penalty(theta)
        matrix.diagonal().add_(diagonal)
        return matrix, vector - diagonal * theta, objective.value(theta, batch)
