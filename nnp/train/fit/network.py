"""Atomic networks for training: energies, and every derivative that a fit needs, in closed form.

One flat vector θ holds the parameters of all elements, so that any optimiser sees one vector. For
one atom with inputs x and energy E(x; θ) a fit to energies, forces and stresses needs

    E,  g = dE/dx,  dE/dθ,  and  d(t·g)/dθ  for directions t in input space,

because a force is F_k = −Σ_i t_ik · g_i with t_ik = dx_i/dr_k. The last one is a tangent pass
(ȧ, ż along t) followed by a backward pass through both, with φ' and φ'' of the activations:

    ε_l = (ε_{l+1} W_{l+1}ᵀ) φ'(z_l) + (δ_{l+1} W_{l+1}ᵀ) φ''(z_l) ż_l,   d(t·g)/dW_l = ȧᵀδ + aᵀε
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from nnp.errors import OptionError
from nnp.networks import Activation, Network
from nnp.reference.formulas import activation


@dataclass(frozen=True)
class Trace:
    """What one forward and one backward pass leave behind, per layer l.

    Attributes:
        inputs: (n, n_in) a_{l−1}.
        slopes: (n, n_out) φ'(z_l).
        curvatures: (n, n_out) φ''(z_l).
        adjoints: (n, n_out) δ_l = dE/dz_l.
        weights: (n_in, n_out).
        energies: (n,) E.
        gradient: (n, n_inputs) dE/dx.
    """

    inputs: list[Tensor]
    slopes: list[Tensor]
    curvatures: list[Tensor]
    adjoints: list[Tensor]
    weights: list[Tensor]
    energies: Tensor
    gradient: Tensor


class AtomicNetwork:
    """One element's network as a view into θ.

    Args:
        sizes: neurons per layer: inputs, hidden layers, 1.
        activations: per layer, the output layer included.
        start: where its parameters begin in θ.
    """

    def __init__(
        self, sizes: Sequence[int], activations: Sequence[Activation], start: int = 0
    ) -> None:
        self.sizes = tuple(sizes)
        self.activations = tuple(Activation(a) for a in activations)
        if len(self.sizes) != len(self.activations) + 1 or self.sizes[-1] != 1:
            raise OptionError(
                f"sizes {self.sizes} and {len(self.activations)} activations: one activation per "
                "layer after the inputs and a last layer of 1 are expected"
            )
        self.start = start
        self.n_parameters = sum((a + 1) * b for a, b in pairwise(self.sizes))

    @property
    def span(self) -> slice:
        """Where its parameters lie in θ: per layer weights (row by row), then biases."""
        return slice(self.start, self.start + self.n_parameters)

    def unpack(self, theta: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Weights (n_in, n_out) and biases (n_out,) per layer, views of θ."""
        weights, biases, at = [], [], self.start
        for n_in, n_out in pairwise(self.sizes):
            weights.append(theta[at : at + n_in * n_out].view(n_in, n_out))
            at += n_in * n_out
            biases.append(theta[at : at + n_out])
            at += n_out
        return weights, biases

    def trace(self, theta: Tensor, x: Tensor) -> Trace:
        """Energies of the rows of x (n, n_inputs) and all that derivatives need."""
        weights, biases = self.unpack(theta)
        inputs, slopes, curvatures = [], [], []
        for weight, bias, name in zip(weights, biases, self.activations, strict=True):
            inputs.append(x)
            x, slope, curvature = activation_derivatives(torch.addmm(bias, x, weight), name)
            slopes.append(slope)
            curvatures.append(curvature)
        adjoints = [slopes[-1]]
        for weight, slope in zip(weights[:0:-1], slopes[-2::-1], strict=True):
            adjoints.append((adjoints[-1] @ weight.T) * slope)
        adjoints.reverse()
        gradient = adjoints[0] @ weights[0].T
        return Trace(inputs, slopes, curvatures, adjoints, weights, x.squeeze(1), gradient)

    def parameter_gradient(self, trace: Trace, energy_n: Tensor, tangent: Tensor) -> Tensor:
        """d/dθ of Σ_i (e_i E_i + t_i · g_i), this network's part of θ.

        Args:
            trace: of the n atoms.
            energy_n: (n,) e.
            tangent: (n, n_inputs) t.
        """
        dots, second = _tangent_pass(trace, tangent)
        parts = []
        for layer, (a, delta) in enumerate(zip(trace.inputs, trace.adjoints, strict=True)):
            total = second[layer] + energy_n[:, None] * delta
            parts += [(dots[layer].T @ delta + a.T @ total).reshape(-1), total.sum(0)]
        return torch.cat(parts)

    def energy_row(self, trace: Trace) -> Tensor:
        """d/dθ of Σ_i E_i: (p,)."""
        parts = []
        for a, delta in zip(trace.inputs, trace.adjoints, strict=True):
            parts += [(a.T @ delta).reshape(-1), delta.sum(0)]
        return torch.cat(parts)

    def tangent_rows(self, trace: Trace, centers: Tensor, tangents: Tensor) -> Tensor:
        """d/dθ of Σ_m t_km · g_{c(k,m)} for each k: (k, p).

        Args:
            trace: of the n atoms.
            centers: (k, m) atoms.
            tangents: (k, m, n_inputs); rows of zeros are padding.
        """
        picked = _picked(trace, centers)
        dots, second = _tangent_pass(picked, tangents)
        parts = []
        for layer, (a, delta) in enumerate(zip(picked.inputs, picked.adjoints, strict=True)):
            outer = torch.bmm(dots[layer].mT, delta) + torch.bmm(a.mT, second[layer])
            parts += [outer.flatten(1), second[layer].sum(1)]
        return torch.cat(parts, 1)

    def bend(self, trace: Trace, tangents: Tensor, centers: Tensor | None = None) -> Tensor:
        """(…, n_inputs) how dE/dx changes along tangents (…, n_inputs) of all atoms, or of some."""
        second = _tangent_pass(trace if centers is None else _picked(trace, centers), tangents)[1]
        return second[0] @ trace.weights[0].T


def _picked(trace: Trace, centers: Tensor) -> Trace:
    """The atoms of an index of any shape."""
    return replace(
        trace,
        inputs=[a[centers] for a in trace.inputs],
        slopes=[slope[centers] for slope in trace.slopes],
        curvatures=[curvature[centers] for curvature in trace.curvatures],
        adjoints=[delta[centers] for delta in trace.adjoints],
    )


def _tangent_pass(trace: Trace, tangent: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """ȧ_{l−1} and ε_l per layer, for directions t of the inputs."""
    dots, rates = [], []  # ȧ_{l−1}, ż_l
    dot = tangent
    for weight, slope in zip(trace.weights, trace.slopes, strict=True):
        dots.append(dot)
        rate = dot @ weight
        rates.append(rate)
        dot = slope * rate
    second = [trace.curvatures[-1] * rates[-1]]
    for layer in range(len(rates) - 2, -1, -1):
        weight = trace.weights[layer + 1].T
        bent = (trace.adjoints[layer + 1] @ weight) * trace.curvatures[layer] * rates[layer]
        second.append((second[-1] @ weight) * trace.slopes[layer] + bent)
    return dots, second[::-1]


def activation_derivatives(z: Tensor, name: str) -> tuple[Tensor, Tensor, Tensor]:
    """φ(z), φ'(z) and φ''(z) of the activation that `nnp.reference` defines."""
    if name == Activation.IDENTITY:
        return z, torch.ones_like(z), torch.zeros_like(z)
    if name == Activation.TANH:  # the usual one, without autograd's overhead
        value = torch.tanh(z)
        slope = 1 - value * value
        return value, slope, -2 * value * slope
    with torch.inference_mode(False), torch.enable_grad():  # type: ignore[no-untyped-call]
        z = z.clone().detach().requires_grad_()
        value = activation(z, str(name))
        (slope,) = torch.autograd.grad(value.sum(), z, create_graph=True)
        if not slope.requires_grad:  # piecewise linear
            return value.detach(), slope.detach(), torch.zeros_like(z)
        (curvature,) = torch.autograd.grad(slope.sum(), z)
    return value.detach(), slope.detach(), curvature


def to_network(network: AtomicNetwork, theta: Tensor) -> Network:
    """The package's `Network` with the values in θ."""
    weights, biases = network.unpack(theta.detach().to("cpu", torch.float64))
    return Network(
        tuple(weight.numpy().copy() for weight in weights),
        tuple(bias.numpy().copy() for bias in biases),
        network.activations,
    )


def from_network(network: Network) -> Tensor:
    """The parameters of a `Network` in the order of θ."""
    parts = [
        part.ravel()
        for layer in zip(network.weights, network.biases, strict=True)
        for part in layer
    ]
    return torch.from_numpy(np.concatenate(parts))
