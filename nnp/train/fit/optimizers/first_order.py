"""Optimisers that follow the gradient, by ``torch.optim``: minibatches and L-BFGS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnp.errors import OptionError
from nnp.train.fit.objective import Objective
from nnp.train.fit.optimizers.averaging import Average
from nnp.train.fit.optimizers.base import State
from nnp.train.inputs.features import Sample

MINIBATCH = ("adam", "adamw", "sgd", "rmsprop")


@dataclass(frozen=True)
class GradientSettings:
    """Constants of Adam, AdamW, SGD and RMSprop.

    Attributes:
        rate: initial learning rate.
        momentum: of SGD and RMSprop.
        betas: of Adam and AdamW.
        weight_decay: of AdamW, decoupled from the gradient; for the others use ``loss.l2``.
        smoothing: α of RMSprop.
        clip: largest norm of the gradient; None: no limit.
        average: decay of the moving average of θ, which is evaluated and saved; None: use the last
            θ.
    """

    rate: float = 1e-3
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    smoothing: float = 0.99
    clip: float | None = None
    average: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise OptionError(f"optimizer rate = {self.rate} must be positive")
        if self.clip is not None and not self.clip > 0:
            raise OptionError(f"optimizer clip = {self.clip} must be positive, or left out")
        if self.average is not None and not 0 < self.average < 1:
            raise OptionError(
                f"optimizer average = {self.average}: a decay between 0 and 1, or leave it out"
            )
        if not 0 <= self.weight_decay < math.inf:
            raise OptionError(f"optimizer weight_decay = {self.weight_decay} must be 0 or more")
        inside = (self.momentum, self.smoothing, *self.betas)
        if len(self.betas) != 2 or not all(0 <= value < 1 for value in inside):
            raise OptionError(
                f"optimizer momentum = {self.momentum}, smoothing = {self.smoothing}, betas = "
                f"{self.betas}: numbers from 0 to below 1 are expected"
            )


@dataclass(frozen=True)
class LbfgsSettings:
    """Constants of L-BFGS.

    Attributes:
        iterations: iterations per step (epoch).
        history: number of steps and gradients remembered.
    """

    iterations: int = 10
    history: int = 100

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.history < 1:
            raise OptionError(
                f"lbfgs iterations = {self.iterations}, history = {self.history}: 1 or more"
            )


class _TorchOptimizer:
    """Holds θ as torch's parameter, and torch's optimiser of it."""

    uses_columns = False

    def __init__(self, n_parameters: int, dtype: torch.dtype, device: torch.device | str) -> None:
        self._theta = torch.nn.Parameter(torch.zeros(n_parameters, dtype=dtype, device=device))
        self._optimizer: torch.optim.Optimizer = self._make()
        self._rate = float(self._optimizer.param_groups[0]["lr"])

    def _make(self) -> torch.optim.Optimizer:
        raise NotImplementedError

    def set_rate(self, factor: float) -> None:
        """See `nnp.train.fit.optimizers.base.Optimizer.set_rate`."""
        self._optimizer.param_groups[0]["lr"] = self._rate * factor

    def judged(self, theta: Tensor) -> Tensor:
        """See `nnp.train.fit.optimizers.base.Optimizer.judged`."""
        return theta

    def state(self) -> State:
        """See `nnp.train.fit.optimizers.base.Optimizer.state`."""
        held = self._optimizer.state.get(self._theta, {})
        # L-BFGS refills "al" before it reads it
        kept = {name: item for name, item in held.items() if name != "al"}
        return {key: value for name, item in kept.items() for key, value in _packed(name, item)}

    def restore(self, state: State) -> None:
        """See `nnp.train.fit.optimizers.base.Optimizer.restore`."""
        held: dict[str, Any] = {}
        for key, array in state.items():
            kind, _, name = key.partition(":")
            if kind == "list":
                name = name.rpartition("/")[0]
                held.setdefault(name, [])
                if array.size:
                    held[name].append(self._tensor(array))
            elif kind == "tensor":
                # torch counts Adam's steps on the host
                held[name] = torch.from_numpy(array) if name == "step" else self._tensor(array)
            else:
                held[name] = _UNPACK[kind](array)
        self._optimizer.state[self._theta] = held

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.copy()).to(self._theta.device)


class GradientOptimizer(_TorchOptimizer):
    """Adam, AdamW, SGD with momentum or RMSprop on minibatches.

    Args:
        kind: of `MINIBATCH`.
        settings: constants.
        n_parameters: length of θ.
        dtype: of θ.
        device: where θ lies.
    """

    full_batch = False

    def __init__(
        self,
        kind: str,
        settings: GradientSettings,
        n_parameters: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        self._kind, self._settings = kind, settings
        self._average = None if settings.average is None else Average(settings.average)
        super().__init__(n_parameters, dtype, device)

    def _make(self) -> torch.optim.Optimizer:
        s, theta = self._settings, [self._theta]
        match self._kind:
            case "adam":
                return torch.optim.Adam(theta, s.rate, s.betas)
            case "adamw":
                return torch.optim.AdamW(theta, s.rate, s.betas, weight_decay=s.weight_decay)
            case "sgd":
                return torch.optim.SGD(theta, s.rate, s.momentum)
            case _:
                return torch.optim.RMSprop(theta, s.rate, s.smoothing, momentum=s.momentum)

    def step(self, theta: Tensor, objective: Objective, batch: Sequence[Sample]) -> Tensor:
        """See `nnp.train.fit.optimizers.base.Optimizer.step`."""
        with torch.no_grad():
            self._theta.copy_(theta)
        _, gradient = objective.value_and_gradient(theta, batch)
        self._theta.grad = gradient
        if self._settings.clip is not None:
            torch.nn.utils.clip_grad_norm_([self._theta], self._settings.clip)
        self._optimizer.step()
        moved = self._theta.detach().clone()
        if self._average is not None:
            self._average.add(moved)
        return moved

    def judged(self, theta: Tensor) -> Tensor:
        """The moving average, if requested."""
        return theta if self._average is None else self._average.of(theta)

    def state(self) -> State:
        """See `nnp.train.fit.optimizers.base.Optimizer.state`."""
        return super().state() | ({} if self._average is None else self._average.state())

    def restore(self, state: State) -> None:
        """See `nnp.train.fit.optimizers.base.Optimizer.restore`."""
        if self._average is not None:
            self._average.restore(state, self._theta.device)
        super().restore({key: a for key, a in state.items() if ":" in key})


class Lbfgs(_TorchOptimizer):
    """L-BFGS with strong Wolfe line search over all training data.

    Args:
        settings: constants.
        n_parameters: length of θ.
        dtype: of θ.
        device: where θ lies.
    """

    full_batch = True

    def __init__(
        self,
        settings: LbfgsSettings,
        n_parameters: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        self._settings = settings
        super().__init__(n_parameters, dtype, device)

    def _make(self) -> torch.optim.Optimizer:
        return torch.optim.LBFGS(
            [self._theta],
            max_iter=self._settings.iterations,
            history_size=self._settings.history,
            line_search_fn="strong_wolfe",
            tolerance_grad=0.0,
            tolerance_change=0.0,
        )

    def step(self, theta: Tensor, objective: Objective, batch: Sequence[Sample]) -> Tensor:
        """See `nnp.train.fit.optimizers.base.Optimizer.step`."""
        with torch.no_grad():
            self._theta.copy_(theta)

        def evaluate() -> float:
            value, gradient = objective.value_and_gradient(self._theta.detach(), batch)
            self._theta.grad = gradient
            return value

        self._optimizer.step(evaluate)
        return self._theta.detach().clone()


_UNPACK: dict[str, Any] = {
    "int": int,
    "float": float,
    "none": lambda _: None,
}


def _packed(name: str, item: Any) -> list[tuple[str, np.ndarray]]:
    """Arrays under keys that say how to read them back."""
    if isinstance(item, Tensor):
        return [(f"tensor:{name}", item.detach().clone().cpu().numpy())]
    if isinstance(item, list):
        rows = [
            (f"list:{name}/{i:06d}", part.detach().cpu().numpy()) for i, part in enumerate(item)
        ]
        return rows or [(f"list:{name}/", np.empty(0))]
    if item is None:
        return [(f"none:{name}", np.empty(0))]
    kind = "int" if isinstance(item, int) else "float"
    return [(f"{kind}:{name}", np.array(item))]
