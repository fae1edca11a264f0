"""The formulas that families share, in plain torch; imported only where torch is needed.

Slow, obvious, float64, differentiated by autograd, and TorchScript-compatible: annotations are
not postponed, and constants are arguments with defaults because TorchScript sees no globals.
Parameters broadcast along the last axis: values of shape (m, 1) with parameters of shape (f,)
give (m, f).
"""

import math

import torch
from torch import Tensor

# acos has no finite slope at ±1. Cosines are held this far inside, which moves an angle by at most
# 5e-8 rad; there the compact functions' slope is zero by construction.
_COSINE_MARGIN = 1e-15


def decay(x: Tensor, core: str) -> Tensor:
    """Smooth decay from 1 at x = 0 to 0 at x = 1 and beyond; see `Core`."""
    inside = x < 1
    x = torch.where(inside, x, torch.zeros_like(x))
    # the polynomials of `Core`, factored: near x = 1 the expanded ones cancel to rounding noise
    if core == "p1":
        value = (1 - x) ** 2 * (1 + 2 * x)
    elif core == "p2":
        value = (1 - x) ** 3 * (1 + x * (3 + 6 * x))
    elif core == "p3":
        value = (1 - x) ** 4 * (1 + x * (4 + x * (10 + 20 * x)))
    elif core == "p4":
        value = (1 - x) ** 5 * (1 + x * (5 + x * (15 + x * (35 + 70 * x))))
    elif core == "e":
        value = torch.exp(1 - 1 / (1 - x**2))
    else:
        raise ValueError("unknown core")
    return torch.where(inside, value, torch.zeros_like(value))


def cutoff_function(r: Tensor, kind: int, radius: float, inner_fraction: float) -> Tensor:
    """f_c(r); see `cutoffs.CutoffKind` for the shapes."""
    inner = inner_fraction * radius
    x = torch.clamp((r - inner) / (radius - inner), min=0.0)
    if kind == 0:
        value = torch.ones_like(r)
    elif kind == 1:
        value = 0.5 * (1 + torch.cos(math.pi * x))
    elif kind == 2:
        value = torch.tanh(1 - r / radius) ** 3
    elif kind == 3:
        value = (torch.tanh(1 - r / radius) / math.tanh(1.0)) ** 3
    elif kind == 4:
        value = decay(x, "e")
    elif kind == 5:
        value = decay(x, "p1")
    elif kind == 6:
        value = decay(x, "p2")
    elif kind == 7:
        value = decay(x, "p3")
    elif kind == 8:
        value = decay(x, "p4")
    else:
        raise ValueError("unknown cutoff kind")
    return torch.where(r < radius, value, torch.zeros_like(value))


def angular(cos_theta: Tensor, lambda_: Tensor, zeta: Tensor) -> Tensor:
    """2^{1−ζ} (1 + λ cos θ)^ζ, and 0 where 1 + λ cos θ ≤ 0."""
    base = 1 + lambda_ * cos_theta
    positive = base > 0
    power = torch.where(positive, base, torch.ones_like(base)) ** zeta
    return torch.where(positive, 2 ** (1 - zeta) * power, torch.zeros_like(power))


def compact(x: Tensor, left: Tensor, right: Tensor, core: str, asymmetric: bool) -> Tensor:
    """C(x) = core(|x − m| / w) between left and right, m their middle, w half their distance."""
    scaled = torch.abs(x - (left + right) / 2) / ((right - left) / 2)
    if asymmetric:
        scaled = torch.where(scaled < 1, (2 - scaled) * scaled, scaled)
    return decay(scaled, core)


def angle_deg(cos_theta: Tensor, margin: float = _COSINE_MARGIN) -> Tensor:
    """θ in degrees."""
    return torch.rad2deg(torch.acos(cos_theta.clamp(-1 + margin, 1 - margin)))
