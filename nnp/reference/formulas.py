"""The formulas of HDNNPs in plain torch: slow, obvious, float64, differentiated by autograd.

Every other engine answers to these. Those of the symmetry functions stand with their families in
`nnp.functions`, what families share in `nnp.functions.torch_formulas`; here stand the networks'.
TorchScript-compatible, so that the portable export is the same code (constants are arguments with
defaults because TorchScript sees no globals).
"""

from __future__ import annotations

import torch
from torch import Tensor

from nnp.networks import SCALED_TANH_AMPLITUDE, SCALED_TANH_SLOPE, TWIST_SLOPE


def activation(
    x: Tensor,
    name: str,
    a: float = SCALED_TANH_AMPLITUDE,
    b: float = SCALED_TANH_SLOPE,
    c: float = TWIST_SLOPE,
) -> Tensor:
    """Activation function by its name in `networks.Activation`."""
    if name == "l":
        return x
    if name == "t":
        return torch.tanh(x)
    if name == "s":
        return torch.sigmoid(x)
    if name == "p":  # torch's own softplus is linear above 20: 2e-9 off
        return torch.logaddexp(x, torch.zeros_like(x))
    if name == "r":
        return torch.relu(x)
    if name == "g":
        return torch.exp(-0.5 * x**2)
    if name == "c":
        return torch.cos(x)
    if name == "S":
        return torch.sigmoid(-x)
    if name == "e":
        return torch.exp(-x)
    if name == "h":
        return x**2
    if name == "mtanh":
        return a * torch.tanh(b * x)
    if name == "twist":
        return a * torch.tanh(b * x) + c * x
    raise ValueError("unknown activation")
