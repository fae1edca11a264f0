"""A network after functions of moments whose coefficients are learned with it.

For one atom with uncontracted moments B, parameters θ = (c, w):

    A = c B,   G = invariants(A),   u = (G − origin) matrix,   E = network(u; w)

The methods are those of `AtomicNetwork` with B instead of the inputs, so that every optimiser
learns c with w. With D = dE/dA, and a dot for the change along a direction t of B,

    dE/dc = D Bᵀ,    d(t·dE/dB)/dc = Ḋ Bᵀ + D tᵀ,    Ḋ = Jᵀ ġ + Σ_q g_q (∂²G_q/∂A²) Ȧ

where g = dE/dG, J = dG/dA; see `nnp.train.fit.invariants`.
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
        moments: per block (n, rows, N) A.
        slopes: (n, functions) dE/dG.
        adjoints: per block (n, rows, N) dE/dA.
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
        values = self._invariants(moments)
        network = super().trace(theta, (values - self._origin) @ self._matrix)
        slopes = network.gradient @ self._matrix.T
        adjoints = [
            c.invariants.pull(a, slopes[:, c.columns])
            for c, a in zip(self.contractions, moments, strict=True)
        ]
        pulled = [(d @ c).flatten(1) for c, d in zip(coefficients, adjoints, strict=True)]
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
            by_c = torch.einsum("nra,nrb->ab", total, b) + torch.einsum("nra,nrb->ab", d, t)
            parts.append((contraction.scale * by_c).reshape(-1))
        return torch.cat(parts)

    def energy_row(self, trace: MomentTrace) -> Tensor:  # type: ignore[override]
        """See `AtomicNetwork.energy_row`."""
        parts = [super().energy_row(trace.network)]
        for contraction, d in zip(self.contractions, trace.adjoints, strict=True):
            if contraction.scale is not None:
                b = contraction.block.of(trace.uncontracted)
                parts.append((contraction.scale * torch.einsum("nra,nrb->ab", d, b)).reshape(-1))
        return torch.cat(parts)

    def tangent_rows(  # type: ignore[override]
        self, trace: MomentTrace, centers: Tensor, tangents: Tensor
    ) -> Tensor:
        """See `AtomicNetwork.tangent_rows`; tangents are of B."""
        k, m = centers.shape
        flat = centers.reshape(-1)
        along = tangents.reshape(k * m, tangents.shape[2])
        moved, bent = self._second_order(trace, flat, along)
        parts = [super().tangent_rows(trace.network, centers, moved.view(k, m, moved.shape[1]))]
        for number, contraction in enumerate(self.contractions):
            if contraction.scale is None:
                continue
            b = contraction.block.of(trace.uncontracted)[flat]
            t = contraction.block.of(along)
            d = trace.adjoints[number][flat]
            by_c = torch.bmm(_joined(bent[number], k).mT, _joined(b, k))
            by_c = torch.baddbmm(by_c, _joined(d, k).mT, _joined(t, k))
            parts.append((contraction.scale * by_c).flatten(1))
        return torch.cat(parts, 1)

    def _second_order(
        self, trace: MomentTrace, atoms: Tensor, tangents: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Along tangents of B of some atoms: du (n, inputs), and per block dD (n, rows, N)."""
        along, slopes = self._contracted(trace.coefficients, tangents), trace.slopes[atoms]
        changes, finish = torch.zeros_like(slopes), []
        for c, a, moved in zip(self.contractions, trace.moments, along, strict=True):
            own, make = c.invariants.along(a[atoms], moved, slopes[:, c.columns])
            changes[:, c.columns] = own
            finish.append(make)
        inputs = changes @ self._matrix
        further = super().bend(trace.network, inputs, atoms) @ self._matrix.T
        pairs = zip(self.contractions, finish, strict=True)
        return inputs, [make(further[:, c.columns]) for c, make in pairs]

    def _contracted(self, coefficients: Sequence[Tensor], numbers: Tensor) -> list[Tensor]:
        return [
            contraction.block.of(numbers) @ c.T
            for c, contraction in zip(coefficients, self.contractions, strict=True)
        ]

    def _invariants(self, moments: Sequence[Tensor]) -> Tensor:
        parts = [c.invariants(a) for c, a in zip(self.contractions, moments, strict=True)]
        return torch.cat(parts, 1)[:, self._back]


def _joined(rows: Tensor, k: int) -> Tensor:
    """(k m, rows, a) → (k, m rows, a)."""
    return rows.reshape(k, -1, rows.shape[2])
