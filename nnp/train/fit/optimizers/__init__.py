"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from nnp.errors import OptionError
from nnp.train.fit.network import AtomicNetwork
from nnp.train.fit.optimizers.base import Optimizer, State
from nnp.train.fit.optimizers.blocks import Blocks, parameter_blocks, resolved
from nnp.train.fit.optimizers.first_order import (
    MINIBATCH,
    GradientOptimizer,
    GradientSettings,
    Lbfgs,
    LbfgsSettings,
)
from nnp.train.fit.optimizers.kalman import Kalman, KalmanSettings
from nnp.train.fit.optimizers.levenberg_marquardt import (
    LevenbergMarquardt,
    LevenbergMarquardtSettings,
)

__all__ = [
    "KINDS",
    "Optimizer",
    "OptimizerSettings",
    "State",
    "make_optimizer",
    "steps_of_epoch",
    "uses_columns",
]

KINDS = ("kalman", "levenberg_marquardt", "lbfgs", *MINIBATCH)


@dataclass(frozen=True)
class OptimizerSettings:
    """Which optimiser, and the constants of each.

    Attributes:
        kind: of `KINDS`.
        batch: structures per step, of those that go by minibatches.
        kalman, levenberg_marquardt, lbfgs: constants of those.
        gradient: constants of Adam, AdamW, SGD and RMSprop.
    """

    kind: str = "kalman"
    batch: int = 1
    kalman: KalmanSettings = field(default_factory=KalmanSettings)
    levenberg_marquardt: LevenbergMarquardtSettings = field(
        default_factory=LevenbergMarquardtSettings
    )
    lbfgs: LbfgsSettings = field(default_factory=LbfgsSettings)
    gradient: GradientSettings = field(default_factory=GradientSettings)

    @property
    def full_batch(self) -> bool:
        """Whether every step takes all training structures."""
        return self.kind in ("levenberg_marquardt", "lbfgs")

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"optimizer kind {self.kind!r}: allowed are {', '.join(KINDS)}")
        if self.batch < 1:
            raise OptionError(f"batch = {self.batch}: 1 structure per step or more")


def make_optimizer(
    settings: OptimizerSettings,
    n_parameters: int,
    n_structures: int,
    seed: int,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    networks: Sequence[AtomicNetwork] = (),
) -> Optimizer:
    """The optimiser that the settings ask for.

    Args:
        settings: kind and constants.
        n_parameters: length of θ.
        n_structures: in the training set.
        seed: of what the optimiser draws.
        dtype: of θ.
        device: where θ lies, and all that the optimiser remembers.
        networks: per element, by which a large covariance is parted.
    """
    if settings.kind == "kalman":
        steps = steps_of_epoch(settings, n_structures)
        blocks = kalman_blocks(settings, n_parameters, networks)
        return Kalman(settings.kalman, blocks, steps, seed, dtype, device)
    if settings.kind == "levenberg_marquardt":
        return LevenbergMarquardt(settings.levenberg_marquardt)
    if settings.kind == "lbfgs":
        return Lbfgs(settings.lbfgs, n_parameters, dtype, device)
    return GradientOptimizer(settings.kind, settings.gradient, n_parameters, dtype, device)


def kalman_blocks(
    settings: OptimizerSettings, n_parameters: int, networks: Sequence[AtomicNetwork]
) -> Blocks:
    """How the filter's covariance is parted for these networks."""
    level = resolved(networks, n_parameters, settings.kalman.decoupling)
    return parameter_blocks(networks, n_parameters, level)


def steps_of_epoch(settings: OptimizerSettings, n_structures: int) -> int:
    """How many steps an epoch has, over batches or over all structures."""
    return 1 if settings.full_batch else -(-n_structures // settings.batch)


def uses_columns(settings: OptimizerSettings) -> bool:
    """Whether steps take single columns of the Jacobian, which storing speeds up."""
    return make_optimizer(settings, 1, 1, 0, torch.float64).uses_columns
