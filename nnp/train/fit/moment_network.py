"""A network behind functions of moments whose coefficients are learned with it.

For one atom with uncontracted moments B, parameters θ = (c, w):

    A = c B,   G = invariants(A),   u = (G − origin) matrix,   E = network(u; w)

The methods are those of `AtomicNetwork` with B in the place of the inputs, so that every optimiser
learns c with w. With D = dE/dA, and a dot for the change along a direction t of B,

    dE/dc = D Bᵀ,    d(t·dE/dB)/dc = Ḋ Bᵀ + D tᵀ,    Ḋ = Jᵀ ġ + Σ_q g_q (∂²G_q/∂A²) Ȧ

where g = dE/dG, J = dG/dA. G is a polynomial: its first and second derivatives come by autograd.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nnp.networks import Activation
from nnp.train.fit.invariants import Invariants
from nnp.train.fit.network import AtomicNetwork, Trace
from nnp.train.inputs.uncontracted import Block


@dataclass(frozen=True, eq=False)
class Contraction:
    """How a block of moments is contracted: c = first + scale · parameters, or first alone.

    Attributes:
        block: the uncontracted moments.
        invariants: the functions of the contracted ones.
        columns: (f,) where these stand among the element's functions.
        first: (N, elements · terms) c at the start.
        scale: (N, elements · terms) change of c with its parameter; None: c is not learned.
    """

    block: Block
    invariants: Invariants
    columns: Tensor
    first: Tensor
    scale: Tensor | None

    @property
    def n_parameters(self) -> int:
        """Of c."""
        return 0 if self.scale is None else self.first.numel()

    def coefficients(self, parameters: Tensor) -> Tensor:
        """(N, elements · terms) c."""
        if self.scale is None:
            return self.first
        return self.first + self.scale * parameters.view_as(self.first)


@dataclass(frozen=True)
class MomentTrace:
    """What one forward and one backward pass leave behind.

    Attributes:
        network: of the network.
        uncontracted: (n, numbers) B.
        coefficients: per block c.
        moments: per block (n, N, rows) A.
        slopes: (n, functions) dE/dG.
        adjoints: per block (n, N, rows) dE/dA.
        energies: (n,) E.
        gradient: (n, numbers) dE/dB.
    """

    network: Trace
    uncontracted: Tensor
    coefficients: list[Tensor]
    moments: list[Tensor]
    slopes: Tensor
    adjoints: list[Tensor]
    energies: Tensor
    gradient: Tensor


class MomentNetwork(AtomicNetwork):
    """One element's network and coefficients as a view into θ: weights and biases, then c.

    Args:
        sizes, activations, start: of the network, see `AtomicNetwork`.
        contractions: per block of the element's moments.
        origin: (functions,) subtracted from G.
        matrix: (functions, inputs) from G to the network's inputs.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activations: Sequence[Activation],
        start: int,
        contractions: Sequence[Contraction],
        origin: Tensor,
        matrix: Tensor,
    ) -> None:
        super().__init__(sizes, activations, start)
        self.contractions = list(contractions)
        self._origin, self._matrix = origin, matrix
        self._back = torch.argsort(torch.cat([c.columns for c in self.contractions]))
        self.n_weights = self.n_parameters
        self.n_parameters += sum(c.n_parameters for c in self.contractions)

    @property
    def learned(self) -> slice:
        """Where the coefficients' parameters lie in θ."""
        return slice(self.start + self.n_weights, self.start + self.n_parameters)

    def coefficients(self, theta: Tensor) -> list[Tensor]:
        """Per block (N, elements · terms) c."""
        sizes = [c.n_parameters for c in self.contractions]
        parts = torch.split(theta[self.learned], sizes)
        return [c.coefficients(part) for c, part in zip(self.contractions, parts, strict=True)]

    def functions(self, theta: Tensor, uncontracted: Tensor) -> Tensor:
        """(n, functions) G of B (n, numbers)."""
        return self._invariants(self._contracted(self.coefficients(theta), uncontracted))

    def trace(self, theta: Tensor, x: Tensor) -> MomentTrace:  # type: ignore[override]
        """Energies of the rows of B (n, numbers) and all that derivatives need."""
        coefficients = self.coefficients(theta)
        moments = self._contracted(coefficients, x)
        with torch.inference_mode(False), torch.enable_grad():  # type: ignore[no-untyped-call]
            leaves = [a.detach().clone().requires_grad_() for a in moments]
            values = self._invariants(leaves)
            known = values.detach()
            network = super().trace(theta, (known - self._origin) @ self._matrix)
            slopes = (network.gradient @ self._matrix.T).clone()
            adjoints = list(torch.autograd.grad(values, leaves, slopes))
        pulled = [(c.T @ d).flatten(1) for c, d in zip(coefficients, adjoints, strict=True)]
        return MomentTrace(
            network,
            x,
            coefficients,
            moments,
            slopes,
            adjoints,
            network.energies,
            torch.cat(pulled, 1),
        )

    def parameter_gradient(  # type: ignore[override]
        self, trace: MomentTrace, energy_n: Tensor, tangent: Tensor
    ) -> Tensor:
        """See `AtomicNetwork.parameter_gradient`; tangents are of B."""
        atoms = torch.arange(len(tangent), device=tangent.device)
        moved, bent = self._second_order(trace, atoms, tangent)
        own = super().parameter_gradient(trace.network, energy_n, moved)
        parts = [own]
        for number, contraction in enumerate(self.contractions):
            if contraction.scale is None:
                continue
            b, t = (contraction.block.of(x) for x in (trace.uncontracted, tangent))
            d = trace.adjoints[number]
            total = bent[number] + energy_n[:, None, None] * d
            by_c = torch.einsum("nar,nbr->ab", total, b) + torch.einsum("nar,nbr->ab", d, t)
            parts.append((contraction.scale * by_c).reshape(-1))
        return torch.cat(parts)

    def energy_row(self, trace: MomentTrace) -> Tensor:  # type: ignore[override]
        """See `AtomicNetwork.energy_row`."""
        parts = [super().energy_row(trace.network)]
        for contraction, d in zip(self.contractions, trace.adjoints, strict=True):
            if contraction.scale is not None:
                b = contraction.block.of(trace.uncontracted)
                parts.append((contraction.scale * torch.einsum("nar,nbr->ab", d, b)).reshape(-1))
        return torch.cat(parts)

    def tangent_rows(  # type: ignore[override]
        self, trace: MomentTrace, centers: Tensor, tangents: Tensor
    ) -> Tensor:
        """See `AtomicNetwork.tangent_rows`; tangents are of B."""
        k, m = centers.shape
        flat = centers.reshape(-1)
        moved, bent = self._second_order(trace, flat, tangents.reshape(k * m, -1))
        parts = [super().tangent_rows(trace.network, centers, moved.view(k, m, -1))]
        for number, contraction in enumerate(self.contractions):
            if contraction.scale is None:
                continue
            b = contraction.block.of(trace.uncontracted)[flat]
            t = contraction.block.of(tangents.reshape(k * m, -1))
            d = trace.adjoints[number][flat]
            left = torch.cat([bent[number], d], 2)  # (k m, N, 2 rows)
            right = torch.cat([b, t], 2)
            by_c = torch.bmm(_joined(left, k), _joined(right, k).mT)
            parts.append((contraction.scale * by_c).flatten(1))
        return torch.cat(parts, 1)

    def _second_order(
        self, trace: MomentTrace, atoms: Tensor, tangents: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Along tangents of B of some atoms: du (n, inputs), and per block dD (n, N, rows)."""
        with torch.inference_mode(False), torch.enable_grad():  # type: ignore[no-untyped-call]
            along = [a.clone() for a in self._contracted(trace.coefficients, tangents)]
            leaves = [a[atoms].clone().requires_grad_() for a in trace.moments]
            slopes = trace.slopes[atoms].clone().requires_grad_()
            values = self._invariants(leaves)
            pulled = torch.autograd.grad(values, leaves, slopes, create_graph=True)
            total = torch.stack([(d * a).sum() for d, a in zip(pulled, along, strict=True)]).sum()
            changes, *bent = torch.autograd.grad(
                total, [slopes, *leaves], retain_graph=True, materialize_grads=True
            )
            moved = changes @ self._matrix
            further = super().bend(trace.network, moved, atoms) @ self._matrix.T
            more = torch.autograd.grad(values, leaves, further.clone())
            return moved, [b + d for b, d in zip(bent, more, strict=True)]

    def _contracted(self, coefficients: Sequence[Tensor], numbers: Tensor) -> list[Tensor]:
        return [
            torch.matmul(c, contraction.block.of(numbers))
            for c, contraction in zip(coefficients, self.contractions, strict=True)
        ]

    def _invariants(self, moments: Sequence[Tensor]) -> Tensor:
        parts = [c.invariants(a) for c, a in zip(self.contractions, moments, strict=True)]
        return torch.cat(parts, 1)[:, self._back]


def _joined(rows: Tensor, k: int) -> Tensor:
    """(k m, a, b) → (k, a, m b)."""
    _, a, b = rows.shape
    return rows.view(k, -1, a, b).transpose(1, 2).reshape(k, a, -1)
