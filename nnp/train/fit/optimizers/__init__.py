"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from nnp.errors import OptionError
from nnp.train.fit.moment_network import MomentNetwork
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
    "uses_columns",
]

AUTO = "auto"  # see `nnp.train.fit.recipe`
KINDS = ("kalman", "levenberg_marquardt", "lbfgs", *MINIBATCH)


@dataclass(frozen=True)
class OptimizerSettings:
    """Which optimiser, and the constants of each.

    Attributes:
        kind: of `KINDS`, or ``"auto"``: chosen by weights, data and time.
        batch: structures per step, for optimisers with minibatches.
        batch_atoms: structures per step by number of atoms, instead of ``batch``.
        finish: epochs of L-BFGS at the end.
        kalman, levenberg_marquardt, lbfgs: constants of those.
        gradient: constants of Adam, AdamW, SGD and RMSprop.
    """

    kind: str = "kalman"
    batch: int = 1
    batch_atoms: int | None = None
    finish: int = 0
    kalman: KalmanSettings = field(default_factory=KalmanSettings)
    levenberg_marquardt: LevenbergMarquardtSettings = field(
        default_factory=LevenbergMarquardtSettings
    )
    lbfgs: LbfgsSettings = field(default_factory=LbfgsSettings)
    gradient: GradientSettings = field(default_factory=GradientSettings)

    @property
    def full_batch(self) -> bool:
        """Whether every step takes all training structures."""
        whole = self.kind == "levenberg_marquardt" and self.levenberg_marquardt.batch is None
        return whole or self.kind == "lbfgs"

    @property
    def structures(self) -> int:
        """Per step, where that is a number of structures."""
        own = self.levenberg_marquardt.batch if self.kind == "levenberg_marquardt" else None
        return own or self.batch

    def __post_init__(self) -> None:
        if self.kind not in (AUTO, *KINDS):
            allowed = ", ".join((AUTO, *KINDS))
            raise OptionError(f"optimizer kind {self.kind!r}: allowed are {allowed}")
        if self.batch_atoms is not None and self.batch_atoms < 1:
            raise OptionError(f"batch_atoms = {self.batch_atoms}: 1 or more, or leave it out")
        if self.finish < 0:
            raise OptionError(f"finish = {self.finish}: epochs of L-BFGS at the end, 0 or more")
        if self.batch < 1:
            raise OptionError(f"batch = {self.batch}: 1 structure per step or more")


def make_optimizer(
    settings: OptimizerSettings,
    n_parameters: int,
    steps: int,
    seed: int,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    networks: Sequence[AtomicNetwork] = (),
) -> Optimizer:
    """The optimiser that the settings ask for.

    Args:
        settings: kind and constants.
        n_parameters: length of θ.
        steps: of an epoch.
        seed: of what the optimiser draws.
        dtype: of θ.
        device: where θ lies, and all that the optimiser remembers.
        networks: per element, by which a large covariance is divided.
    """
    if settings.kind == AUTO:
        raise OptionError(
            f"optimizer kind {AUTO!r} is not resolved yet: nnp.train.fit.recipe chooses"
        )
    if settings.kind == "kalman":
        blocks = kalman_blocks(settings, n_parameters, networks)
        learned = any(isinstance(network, MomentNetwork) for network in networks)
        constants = settings.kalman.resolved(learned)
        own = covariance_dtype(learned, dtype)
        return Kalman(constants, blocks, steps, seed, own, device)
    if settings.kind == "levenberg_marquardt":
        return LevenbergMarquardt(settings.levenberg_marquardt)
    if settings.kind == "lbfgs":
        return Lbfgs(settings.lbfgs, n_parameters, dtype, device)
    return GradientOptimizer(settings.kind, settings.gradient, n_parameters, dtype, device)


def kalman_blocks(
    settings: OptimizerSettings, n_parameters: int, networks: Sequence[AtomicNetwork]
) -> Blocks:
    """How the filter's covariance is divided for these networks."""
    level = resolved(networks, n_parameters, settings.kalman.decoupling)
    return parameter_blocks(networks, n_parameters, level)


def covariance_dtype(coefficients: bool, dtype: torch.dtype) -> torch.dtype:
    """Of the filter, where coefficients are learned too or not; see `Kalman`."""
    return torch.float64 if coefficients else dtype


def uses_columns(settings: OptimizerSettings) -> bool:
    """Whether steps take single columns of the Jacobian, which storing speeds up."""
    return make_optimizer(settings, 1, 1, 0, torch.float64).uses_columns
