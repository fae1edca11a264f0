"""Functions of moments A_nlm = Σ_j g_n(r_ij) Y_lm(r̂_ij) of a block of atoms.

TorchScript-compatible, which is why annotations are not postponed here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnp.functions.torch_formulas import cutoff_function
from nnp.reference.harmonics import harmonics


def chebyshev_argument(r: Tensor, radius: Tensor, argument: int) -> Tensor:
    """x(r) of the radial series, between −1 and 1; that of the radius beyond it."""
    s = torch.clamp(r / radius, max=1.0)
    if argument == 0:  # NEP
        return 2 * (s - 1) ** 2 - 1
    if argument == 1:  # ours
        return 1 - 2 * s
    return 2 * s - 1  # aenet


def chebyshev(x: Tensor, count: int) -> Tensor:
    """T_k(x), k < count: (p,) → (p, count)."""
    columns = [torch.ones_like(x), x]
    for _ in range(2, count):
        columns.append(2 * x * columns[-1] - columns[-2])
    return torch.stack(columns[:count], 1)


class Series(nn.Module):
    """g_n(r) = f_c(r) Σ_k c_nk T_k(x(r)) with c and r_c of the neighbour's element.

    Args:
        radii: (elements,) r_c, Å; 0 where an element is not seen.
        coefficients: (elements, n, k) c.
        argument: which x(r), see `chebyshev_argument`.
        cutoff_kind, inner_fraction: of f_c, see `nnp.cutoffs.Cutoff`.
    """

    radii: Tensor
    coefficients: Tensor

    def __init__(
        self,
        radii: Tensor,
        coefficients: Tensor,
        argument: int,
        cutoff_kind: int,
        inner_fraction: float,
    ) -> None:
        super().__init__()
        self.register_buffer("radii", radii)
        self.register_buffer("coefficients", coefficients)
        self.argument, self.cutoff_kind = argument, cutoff_kind
        self.inner_fraction = inner_fraction

    def forward(self, r: Tensor, element: Tensor) -> Tensor:
        """(p,) distances and elements of neighbours → (p, n)."""
        n, terms = self.coefficients.size(1), self.coefficients.size(2)
        values = r.new_zeros(r.numel(), n)
        for index in range(self.radii.numel()):
            radius = self.radii[index]
            p = torch.nonzero((element == index) & (r < radius)).squeeze(1)
            if p.numel() == 0:
                continue
            polynomials = chebyshev(chebyshev_argument(r[p], radius, self.argument), terms)
            f_c = cutoff_function(r[p], self.cutoff_kind, float(radius), self.inner_fraction)
            g = f_c.unsqueeze(1) * (polynomials @ self.coefficients[index].t())
            values = values.index_add(0, p, g)
        return values


class MomentGroup(nn.Module):
    """Functions of one element that share a radial series; each is a sum of the parts below.

    Args:
        n_functions: how many.
        targets: the function that each part belongs to: of sums, pairs, triples, quartics.
        series: their radial functions.
        l_max: largest l of any.
        sums: (n, coefficient): coefficient · A_n00.
        pairs: (n, n', l, coefficient): coefficient · Σ_m A_nlm A_n'lm.
        triples: per function a list of (n, row, n', row', n'', row'', coefficient), the rows of
            `harmonics`.
        quartics: (n, coefficient): coefficient · (Σ_m A_n1m²)².
    """

    sums: list[tuple[int, float]]
    pairs: list[tuple[int, int, int, float]]
    triples: list[list[tuple[int, int, int, int, int, int, float]]]
    quartics: list[tuple[int, float]]
    targets: Tensor

    def __init__(
        self,
        n_functions: int,
        targets: Sequence[int],
        series: Series,
        l_max: int,
        sums: Sequence[tuple[int, float]],
        pairs: Sequence[tuple[int, int, int, float]],
        triples: Sequence[Sequence[tuple[int, int, int, int, int, int, float]]],
        quartics: Sequence[tuple[int, float]],
    ) -> None:
        super().__init__()
        self.series, self.l_max, self.n_functions = series, l_max, n_functions
        self.register_buffer("targets", torch.tensor(targets, dtype=torch.int64))
        self.sums, self.pairs = list(sums), list(pairs)
        self.triples, self.quartics = [list(terms) for terms in triples], list(quartics)

    def forward(self, center_p: Tensor, element_p: Tensor, vector_pc: Tensor, n: int) -> Tensor:
        """(n, functions) of n centres from their pairs."""
        r_p = torch.linalg.norm(vector_pc, dim=1)
        p = torch.nonzero(r_p < self.series.radii.max()).squeeze(1)
        g: Tensor = self.series(r_p[p], element_p[p])
        y = harmonics(vector_pc[p] / r_p[p].unsqueeze(1), self.l_max)
        a = g.new_zeros(n, g.size(1), y.size(1))
        a = a.index_add(0, center_p[p], g.unsqueeze(2) * y.unsqueeze(1))
        columns: list[Tensor] = [coefficient * a[:, k, 0] for k, coefficient in self.sums]
        for k, other, l, coefficient in self.pairs:  # noqa: E741  the paper's letter
            first, last = l * l, (l + 1) * (l + 1)
            products = a[:, k, first:last] * a[:, other, first:last]
            columns.append(coefficient * products.sum(1))
        for terms in self.triples:
            total = a.new_zeros(n)
            for i, row_i, j, row_j, k, row_k, coefficient in terms:
                total = total + coefficient * a[:, i, row_i] * a[:, j, row_j] * a[:, k, row_k]
            columns.append(total)
        for k, coefficient in self.quartics:
            columns.append(coefficient * (a[:, k, 1:4] ** 2).sum(1) ** 2)
        values: Tensor = g.new_zeros(n, self.n_functions)
        return values.index_add(1, self.targets, torch.stack(columns, 1))
