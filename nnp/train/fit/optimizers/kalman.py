"""The global extended Kalman filter over all parameters, as RuNNer and n2p2 train.

For residuals ξ with Jacobian H (m, p), covariance P and noise R:

    A = (λ R + H P Hᵀ)⁻¹,  K = P Hᵀ A,  θ ← θ + K ξ,  P ← (P − K H P) / λ + q

with λ = 1 for the standard filter and λ ← ν λ + 1 − ν for fading memory. One step takes the rows
of a whole batch at once (multi-stream); with one candidate per step it is the classical filter.
For many parameters P is divided into blocks, see `nnp.train.fit.optimizers.blocks`.

Reference:
    Blank and Brown, J. Chemometrics 8, 391 (1994), doi:10.1002/cem.1180080605; Singraber et al.,
    J. Chem. Theory Comput. 15, 3075 (2019), doi:10.1021/acs.jctc.8b01092.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from nnp.errors import OptionError
from nnp.train.fit.network import Trace
from nnp.train.fit.objective import Counts, Objective
from nnp.train.fit.optimizers.averaging import Average
from nnp.train.fit.optimizers.base import State
from nnp.train.fit.optimizers.block_covariance import BlockCovariance
from nnp.train.fit.optimizers.blocks import Blocks, Decoupling
from nnp.train.fit.optimizers.covariance import Covariance
from nnp.train.inputs.features import Sample

# Where coefficients are learned (docs/moments.md has the measurements).
_PENALTY, _AVERAGE = 2e-5, 0.998
# Weights that the penalty looks at in a step.
PENALISED = 16
# Steps over which the loss is averaged that the penalty is a share of.
_LOSS_STEPS = 200
_FROM_ZERO = ("noise_decay", "process_noise", "process_decay", "process_min", "threshold")


@dataclass(frozen=True)
class KalmanSettings:
    """The filter.

    Attributes:
        fading: fading memory instead of the standard filter.
        forgetting: λ at the start (fading memory).
        forgetting_rate: ν.
        noise: R, for residuals weighted as in the loss.
        noise_decay: R shrinks by e^{−decay} per epoch (standard), down to ``noise_min``.
        noise_min: smallest R.
        covariance: diagonal of P at the start.
        process_noise: q, added to the diagonal of P (standard).
        process_decay: q shrinks by e^{−decay} per epoch, down to ``process_min``.
        process_min: smallest q.
        candidates: force components per structure and step; None: all.
        threshold: use only components whose error exceeds this times the structure's
            root-mean-square force error; 0: any.
        decoupling: blocks of weights that are treated as correlated.
        penalty: if ``loss.l2`` is 0, l2 is this share of the recent loss, so that it suits any size
            of labels and falls with the errors; 0: no penalty; None: 2e-5 if coefficients of
            functions are learned with the weights, else 0.
        average: decay per step of the moving average of θ, which is evaluated and saved; 0: use the
            last θ; None: 0.998 if coefficients are learned, else 0.
    """

    fading: bool = True
    forgetting: float = 0.99
    forgetting_rate: float = 0.9995
    noise: float = 0.02
    noise_decay: float = 0.0
    noise_min: float = 1e-4
    covariance: float = 1.0
    process_noise: float = 0.0
    process_decay: float = 0.0
    process_min: float = 0.0
    candidates: int | None = 48
    threshold: float = 0.0
    decoupling: Decoupling = Decoupling.AUTO
    penalty: float | None = None
    average: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoupling", Decoupling(self.decoupling))
        for name in ("forgetting", "forgetting_rate"):
            if not 0 < getattr(self, name) <= 1:
                raise OptionError(f"kalman {name} = {getattr(self, name)} must be in (0, 1]")
        for name in ("noise", "noise_min", "covariance"):
            if not getattr(self, name) > 0:
                raise OptionError(f"kalman {name} = {getattr(self, name)} must be positive")
        for name in _FROM_ZERO:
            if not 0 <= getattr(self, name) < np.inf:
                raise OptionError(f"kalman {name} = {getattr(self, name)} must be 0 or more")
        for name in ("penalty", "average"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise OptionError(f"kalman {name} = {value} must be in [0, 1)")
        if self.candidates is not None and self.candidates < 1:
            raise OptionError(f"kalman candidates = {self.candidates}: 1 or more, or leave it out")

    def resolved(self, coefficients: bool) -> KalmanSettings:
        """With numbers instead of None, where coefficients are learned or are not."""
        penalty, average = (_PENALTY, _AVERAGE) if coefficients else (0.0, 0.0)
        return replace(
            self,
            penalty=penalty if self.penalty is None else self.penalty,
            average=average if self.average is None else self.average,
        )


class Kalman:
    """The filter with its covariance.

    Args:
        settings: constants.
        blocks: of θ, see `nnp.train.fit.optimizers.blocks.parameter_blocks`; or the length of θ,
            which is one block.
        steps_per_epoch: for the decay of the noises.
        seed: of the draw of force components.
        dtype: of the covariance, whatever θ's is. Along directions that no measurement knows P
            grows by 1/λ in every step, to 10⁸ times its smallest variance: float32 loses its
            definiteness there, as where coefficients and weights can make up for each other.
        device: where it lies.
    """

    full_batch = False
    uses_columns = True

    def __init__(
        self,
        settings: KalmanSettings,
        blocks: Blocks | int,
        steps_per_epoch: int,
        seed: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        self._settings = settings
        self._dtype, self._device = dtype, device
        self._covariance = _covariance(settings.covariance, blocks, dtype, device)
        self._forgetting = settings.forgetting if settings.fading else 1.0
        self._steps = 0
        self._loss = 0.0  # over the last steps
        self._average = Average(settings.average) if settings.average else None
        self._per_epoch = max(steps_per_epoch, 1)
        self._seed = seed

    def step(self, theta: Tensor, objective: Objective, batch: Sequence[Sample]) -> Tensor:
        """See `nnp.train.fit.optimizers.base.Optimizer.step`."""
        # without autograd's bookkeeping: a twelfth of a step with one candidate on the CPU
        with torch.inference_mode(theta.device.type == "cpu"):
            moved = self._step(theta, objective, batch)
            if self._average is not None:
                self._average.add(moved)
            return moved

    def _step(self, theta: Tensor, objective: Objective, batch: Sequence[Sample]) -> Tensor:
        traces = [objective.model.traces(theta, [sample]) for sample in batch]
        chosen = [
            self._candidates(objective, sample, trace)
            for sample, trace in zip(batch, traces, strict=True)
        ]
        counts = objective.counts(batch)
        drawn = sum(len(c) for c in chosen if c is not None)
        counts = Counts(counts.energy, objective.total(Counts(0, drawn, 0)).forces, counts.stress)
        rows = [
            objective.residuals(theta, sample, counts, components, trace)
            for sample, components, trace in zip(batch, chosen, traces, strict=True)
        ]
        self._steps += 1
        values = torch.cat([theta.new_zeros(0), *(r.values for r in rows)])
        jacobian = torch.cat([theta.new_zeros((0, len(theta))), *(r.jacobian for r in rows)])
        values, jacobian = objective.ranks.rows(values), objective.ranks.rows(jacobian)
        weight = (1 / min(self._steps, _LOSS_STEPS)) if len(values) else 0.0
        self._loss += weight * (float(values @ values) - self._loss)
        l2 = objective.loss.l2 or (self._settings.penalty or 0.0) * self._loss
        if l2 > 0:
            small, unit = self._penalty_rows(theta, objective, l2)
            values, jacobian = torch.cat([values, small]), torch.cat([jacobian, unit])
        return self.update(theta, values, jacobian)

    def _penalty_rows(
        self, theta: Tensor, objective: Objective, l2: float
    ) -> tuple[Tensor, Tensor]:
        """Some weights measured as 0, as often as makes l2 Σ W² of every step on average."""
        weights = objective.weights
        count = min(PENALISED, len(weights))
        rng = np.random.default_rng((self._seed, self._steps))
        drawn = objective.model.maker.index(np.sort(rng.choice(weights, count, replace=False)))
        scale = (l2 * len(weights) / max(count, 1)) ** 0.5
        jacobian = theta.new_zeros((count, len(theta)))
        jacobian[torch.arange(count, device=theta.device), drawn] = scale
        return -scale * theta[drawn], jacobian

    def update(self, theta: Tensor, values: Tensor, jacobian: Tensor) -> Tensor:
        """θ after the measurements ``values`` (m,) with Jacobian (m, p)."""
        if not len(values):
            return theta
        settings, forgetting = self._settings, self._forgetting
        values, jacobian = values.to(self._dtype), jacobian.to(self._dtype)
        projected = self._covariance.times(jacobian)
        innovation = projected @ jacobian.T
        innovation.diagonal().add_(forgetting * self._decayed("noise"))
        factor, failed = torch.linalg.cholesky_ex(innovation)
        if failed:  # not positive any more: P has lost its symmetry to rounding, or is not finite
            return torch.full_like(theta, torch.nan)
        known = torch.cat([projected, values[:, None]], 1)
        solved = torch.linalg.solve_triangular(factor, known, upper=False)
        half, scaled = solved[:, :-1], solved[:, -1]
        noise = 0.0 if settings.fading else self._decayed("process")
        self._covariance.reduce(half, forgetting, noise)
        if settings.fading:
            rate = settings.forgetting_rate
            self._forgetting = rate * forgetting + 1 - rate
        moved: Tensor = theta + (scaled @ half).to(theta.dtype)
        return moved

    @property
    def covariance(self) -> Tensor:
        """(p, p) P."""
        return self._covariance.dense()

    def set_rate(self, factor: float) -> None:
        """The filter has no learning rate."""

    def judged(self, theta: Tensor) -> Tensor:
        """The moving average, if requested."""
        return theta if self._average is None else self._average.of(theta)

    def state(self) -> State:
        """See `nnp.train.fit.optimizers.base.Optimizer.state`."""
        scalars = np.array([self._forgetting, float(self._steps), self._loss])
        average = {} if self._average is None else self._average.state()
        return {"scalars": scalars} | average | self._covariance.state()

    def restore(self, state: State) -> None:
        """See `nnp.train.fit.optimizers.base.Optimizer.restore`."""
        self._covariance.restore(state)
        if self._average is not None:
            self._average.restore(state, self._device)
        self._forgetting, steps, self._loss = (float(x) for x in state["scalars"])
        self._steps = int(steps)

    def _decayed(self, name: str) -> float:
        s, epochs = self._settings, self._steps / self._per_epoch
        if name == "noise":
            return max(s.noise * float(np.exp(-s.noise_decay * epochs)), s.noise_min)
        return max(s.process_noise * float(np.exp(-s.process_decay * epochs)), s.process_min)

    def _candidates(
        self, objective: Objective, sample: Sample, traces: Sequence[Trace]
    ) -> np.ndarray | None:
        """Force components of this step: at random, or at random among the bad ones."""
        if sample.frame.forces is None or objective.loss.forces == 0:
            return None
        pool = np.arange(sample.frame.forces.size)
        count = self._settings.candidates or len(pool)
        if self._settings.threshold > 0:
            (prediction,) = objective.model.predict_from(traces, [sample])
            force: Tensor = prediction.forces  # type: ignore[assignment]
            error = np.abs(force.cpu().numpy() - sample.frame.forces).ravel()
            limit = self._settings.threshold * np.sqrt(np.mean(error**2))
            bad = np.flatnonzero(error > limit)
            pool = bad if len(bad) else pool
        rng = np.random.default_rng((self._seed, self._steps, sample.number))
        return np.sort(rng.choice(pool, min(count, len(pool)), replace=False))


def _covariance(
    diagonal: float, blocks: Blocks | int, dtype: torch.dtype, device: torch.device | str
) -> Covariance | BlockCovariance:
    if isinstance(blocks, int):
        return Covariance(diagonal, blocks, dtype, device)
    if len(blocks) == 1 and len(blocks[0]) == 1:
        return Covariance(diagonal, blocks[0].size, dtype, device)
    return BlockCovariance(diagonal, blocks, dtype, device)
