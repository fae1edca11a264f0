"""The loss: what is summed over errors of energies, forces and stresses.

L = w_E ⟨ω ρ(ΔE/n)⟩ + w_F ⟨ω ρ(ΔF)⟩ + w_S ⟨ω ρ(Δσ)⟩ + l2 Σ W²

Means run over the labels of the batch (structures, force components, stress components), ω is a
structure's weight, ρ(x) = x² or Huber's, which is x² below δ and 2δ|x| − δ² above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import torch
from torch import Tensor

from nnp.errors import OptionError


class LossKind(StrEnum):
    """ρ."""

    MSE = "mse"
    HUBER = "huber"


@dataclass(frozen=True)
class LossSettings:
    """Weights and shape of the loss.

    Attributes:
        energy: w_E, weight of squared errors in eV/atom.
        forces: w_F, weight of squared errors in eV/Å.
        stress: w_S, weight of squared errors in eV/Å³.
        kind: ρ: ``"mse"`` or ``"huber"``.
        delta: Huber's δ, in the unit of each error.
        l2: weight of the squared network weights (without biases).
        schedule: whether weights follow the learning rate as in DeePMD:
            w(t) = w_end (1 − η_t/η_0) + w η_t/η_0.
        energy_end, forces_end, stress_end: w_end of the schedule.

    Reference:
        Wang et al., Comput. Phys. Commun. 228, 178 (2018), doi:10.1016/j.cpc.2018.03.016.
    """

    energy: float = 100.0
    forces: float = 1.0
    stress: float = 0.0
    kind: LossKind = LossKind.MSE
    delta: float = 0.05
    l2: float = 0.0
    schedule: bool = False
    energy_end: float = 100.0
    forces_end: float = 1.0
    stress_end: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", LossKind(self.kind))
        for name in ("energy", "forces", "stress", "l2", "energy_end", "forces_end", "stress_end"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise OptionError(f"loss {name} = {value} must not be negative")
        if self.energy + self.forces + self.stress == 0:
            raise OptionError("loss weights of energy, forces and stress are all 0: set one")
        if not self.delta > 0:
            raise OptionError(f"loss delta = {self.delta} must be positive")

    def at(self, progress: float) -> LossSettings:
        """The weights in force when the learning rate is ``progress`` times its first value."""
        if not self.schedule:
            return self
        return replace(
            self,
            energy=self.energy_end * (1 - progress) + self.energy * progress,
            forces=self.forces_end * (1 - progress) + self.forces * progress,
            stress=self.stress_end * (1 - progress) + self.stress * progress,
        )

    def rho(self, error: Tensor) -> Tensor:
        """ρ of each error."""
        if self.kind is LossKind.MSE:
            return error**2
        size = error.abs()
        return torch.where(size <= self.delta, error**2, self.delta * (2 * size - self.delta))

    def slope(self, error: Tensor) -> Tensor:
        """ρ' of each error."""
        if self.kind is LossKind.MSE:
            return 2 * error
        return 2 * error.clamp(-self.delta, self.delta)

    def reweight(self, error: Tensor) -> Tensor:
        """√(ρ'(x) / 2x): multiplies residuals of least squares so that their slope is ρ's."""
        if self.kind is LossKind.MSE:
            return torch.ones_like(error)
        return (self.delta / error.abs().clamp(min=self.delta)).sqrt()
