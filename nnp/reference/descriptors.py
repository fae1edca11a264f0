"""Symmetry functions of a block of atoms, grouped by what their formulas share.

Suffixes: ``_c`` centre, ``_p`` pair (centre, neighbour), ``_t`` triple (centre, two neighbours).
TorchScript-compatible, which is why annotations are not postponed here.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from nnp.functions import (
    MomentChebyshev,
    MomentFunction,
    MomentPair,
    MomentQuartic,
    MomentSum,
    MomentTriple,
    SymmetryFunction,
    WholeNeighborhood,
)
from nnp.reference.harmonics import chebyshev_in_legendre, coupling
from nnp.reference.moments import MomentGroup, Series


def triples(center_p: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """All pairs of pairs with the same centre, each once.

    Args:
        center_p: (p,) centre of each pair, ascending.
        n: number of centres.

    Returns:
        (t,) and (t,) indices of first and second pair.
    """
    pairs = torch.arange(center_p.numel(), device=center_p.device)
    end_p = torch.cumsum(torch.bincount(center_p, minlength=n), 0)[center_p]
    later_p = end_p - pairs - 1  # pairs of the same centre behind this one
    first = torch.repeat_interleave(pairs, later_p)
    begin_p = torch.cumsum(later_p, 0) - later_p
    rank = torch.arange(first.numel(), device=center_p.device) - begin_p[first]
    return first, first + 1 + rank


class Pairs(NamedTuple):
    """Pairs of a block of centres, by ascending centre."""

    center: Tensor  # (p,) index of the centre
    element: Tensor  # (p,) element index of the neighbour
    z: Tensor  # (p,) atomic number of the neighbour
    vector: Tensor  # (p, 3) from centre to neighbour, Å
    r: Tensor  # (p,) its length


class _Group(nn.Module):
    """Functions of one family that share neighbour elements, cutoff, core and flags."""

    elements: list[int]  # of the neighbours; empty: all, weighted

    def __init__(self, functions: Sequence[SymmetryFunction], elements: Sequence[str]) -> None:
        super().__init__()
        first = functions[0]
        self.n_functions: int = len(functions)
        self.weighted: bool = not first.neighbor_symbols
        self.elements = [elements.index(s) for s in first.neighbor_symbols]
        self.radius: float = max(function.radius for function in functions)
        self.narrow: bool = bool(getattr(first, "narrow", False))
        self.terms = type(first).terms()(functions)


class PairGroup(_Group):
    """Functions that sum over neighbours."""

    def forward(self, pairs: Pairs, n: int) -> Tensor:
        """(n, f) functions of n centres."""
        chosen = pairs.r < self.radius
        if not self.weighted:
            chosen = chosen & (pairs.element == self.elements[0])
        p = torch.nonzero(chosen).squeeze(1)
        value: Tensor = self.terms(pairs.r[p].unsqueeze(1))
        if self.weighted:
            value = value * pairs.z[p].unsqueeze(1)
        return value.new_zeros(n, self.n_functions).index_add(0, pairs.center[p], value)


class TripleGroup(_Group):
    """Functions that sum over pairs of neighbours."""

    def forward(self, pairs: Pairs, pair_1_t: Tensor, pair_2_t: Tensor, n: int) -> Tensor:
        """(n, f) functions of n centres from their triples."""
        t = torch.nonzero(self._chosen(pairs, pair_1_t, pair_2_t)).squeeze(1)
        p, q = pair_1_t[t], pair_2_t[t]
        if self.narrow:
            r_jk = torch.linalg.norm(pairs.vector[q] - pairs.vector[p], dim=1)
            t = torch.nonzero(r_jk < self.radius).squeeze(1)
            p, q = p[t], q[t]
        distances = [pairs.r[p].unsqueeze(1), pairs.r[q].unsqueeze(1)]
        dot = (pairs.vector[p] * pairs.vector[q]).sum(1, keepdim=True)
        cos_theta = dot / (distances[0] * distances[1])
        if self.narrow:
            distances.append(
                torch.linalg.norm(pairs.vector[q] - pairs.vector[p], dim=1).unsqueeze(1)
            )
        value: Tensor = self.terms(distances, cos_theta)
        if self.weighted:
            value = value * (pairs.z[p] * pairs.z[q]).unsqueeze(1)
        return value.new_zeros(n, self.n_functions).index_add(0, pairs.center[p], value)

    def _chosen(self, pairs: Pairs, p: Tensor, q: Tensor) -> Tensor:
        near = pairs.r < self.radius
        chosen = near[p] & near[q]
        if self.weighted:
            return chosen
        is_1, is_2 = pairs.element == self.elements[0], pairs.element == self.elements[1]
        return chosen & ((is_1[p] & is_2[q]) | (is_2[p] & is_1[q]))


class NeighborhoodGroup(nn.Module):
    """Functions of all neighbours at once, which a family's own module evaluates."""

    def __init__(self, functions: Sequence[SymmetryFunction], elements: Sequence[str]) -> None:
        super().__init__()
        self.radius: float = max(function.radius for function in functions)
        self.terms = type(functions[0]).terms()(functions, elements)  # type: ignore[call-arg]

    def forward(self, pairs: Pairs, n: int) -> Tensor:
        """(n, f) functions of n centres."""
        p = torch.nonzero(pairs.r < self.radius).squeeze(1)
        value: Tensor = self.terms(
            pairs.center[p], pairs.element[p], pairs.vector[p], pairs.r[p], n
        )
        return value


def moment_group(functions: Sequence[MomentFunction], elements: Sequence[str]) -> MomentGroup:
    """The functions of one radial series as a module, in their order."""
    series = functions[0].series
    shape = np.shape(series.coefficients)[1:]
    radii, coefficients = np.zeros(len(elements)), np.zeros((len(elements), *shape))
    for symbol, radius, block in zip(
        series.neighbors, series.radii, series.coefficients, strict=True
    ):
        radii[elements.index(symbol)] = radius
        coefficients[elements.index(symbol)] = block
    module = Series(
        torch.from_numpy(radii),
        torch.from_numpy(coefficients),
        int(series.argument),
        int(series.cutoff_kind),
        float(series.inner_fraction),
    )
    parts = _MomentParts()
    for index, function in enumerate(functions):
        parts.add(function, index)
    degrees = [degree for f in functions for degree in f.degrees]
    l_max = max([*degrees, 1 if parts.quartics else 0])
    kinds = (parts.sums, parts.pairs, parts.triples, parts.quartics)
    targets = [index for kind in kinds for index, _ in kind]
    sums, pairs, triple_terms, quartics = ([part for _, part in kind] for kind in kinds)
    return MomentGroup(len(functions), targets, module, l_max, sums, pairs, triple_terms, quartics)


class _MomentParts:
    """What `MomentGroup` adds up, each with the index of its function."""

    def __init__(self) -> None:
        self.sums: list[Any] = []
        self.pairs: list[Any] = []
        self.triples: list[Any] = []
        self.quartics: list[Any] = []

    def add(self, function: MomentFunction, index: int) -> None:
        c = function.coefficient
        if isinstance(function, MomentSum):
            self.sums.append((index, (function.n_1, c)))
        elif isinstance(function, MomentPair):
            self.pairs.append((index, (function.n_1, function.n_2, function.l_1, c)))
        elif isinstance(function, MomentTriple):
            n_1, n_2, n_3 = function.numbers
            terms = coupling(*function.degrees)
            own = [(n_1, i, n_2, j, n_3, k, c * v) for i, j, k, v in terms]
            self.triples.append((index, own))
        elif isinstance(function, MomentQuartic):
            self.quartics.append((index, (function.n_1, c)))
        elif isinstance(function, MomentChebyshev):
            self._chebyshev(function, index)

    def _chebyshev(self, function: MomentChebyshev, index: int) -> None:
        """Half of all pairs of neighbours, less a neighbour with itself (where cos θ = 1)."""
        n, half = function.n_1, function.coefficient / 2
        legendre = chebyshev_in_legendre(function.l_1, function.legacy)
        for degree, c in enumerate(legendre):
            if c:
                norm = 4 * math.pi / (2 * degree + 1)
                self.pairs.append((index, (n, n, degree, half * c * norm)))
        itself = -half * sum(legendre) * math.sqrt(4 * math.pi)
        self.sums.append((index, (function.n_2, itself)))


class Descriptors(nn.Module):
    """All functions of one central element, in the order given."""

    order: Tensor

    def __init__(self, functions: Sequence[SymmetryFunction], elements: Sequence[str]) -> None:
        super().__init__()
        tables = list(dict.fromkeys(f.table for f in functions if f.table is not None))
        moments = [[i for i, f in enumerate(functions) if f.table == table] for table in tables]
        moment_groups, self.moment_columns = [], []
        for columns in moments:
            members = [f for f in (functions[i] for i in columns) if isinstance(f, MomentFunction)]
            moment_groups.append(moment_group(members, elements))
            self.moment_columns += columns
        self.moment_groups = nn.ModuleList(moment_groups)
        groups = [g for g in _groups(functions) if functions[g[0]].table is None]
        whole = [g for g in groups if isinstance(functions[g[0]], WholeNeighborhood)]
        sums = [g for g in groups if g not in whole]
        pair = [g for g in sums if not functions[g[0]].is_angular]
        triple = [g for g in sums if g not in pair]
        self.pair_groups = nn.ModuleList(
            [PairGroup([functions[column] for column in g], elements) for g in pair]
        )
        self.triple_groups = nn.ModuleList(
            [TripleGroup([functions[column] for column in g], elements) for g in triple]
        )
        self.neighborhood_groups = nn.ModuleList(
            [NeighborhoodGroup([functions[column] for column in g], elements) for g in whole]
        )
        ordered = [column for g in (*pair, *triple, *whole) for column in g]
        columns = ordered + self.moment_columns
        self.register_buffer("order", torch.argsort(torch.tensor(columns, dtype=torch.int64)))

    def forward(self, pairs: Pairs, n: int) -> Tensor:
        """(n, f) functions of n centres, all of this element."""
        parts = [pairs.r.new_zeros(n, 0)]
        for pair_group in self.pair_groups:
            parts.append(pair_group(pairs, n))
        if len(self.triple_groups) > 0:
            pair_1_t, pair_2_t = triples(pairs.center, n)
            for triple_group in self.triple_groups:
                parts.append(triple_group(pairs, pair_1_t, pair_2_t, n))
        for neighborhood_group in self.neighborhood_groups:
            parts.append(neighborhood_group(pairs, n))
        for moment_group in self.moment_groups:
            parts.append(moment_group(pairs.center, pairs.element, pairs.vector, n))
        return torch.cat(parts, 1)[:, self.order]


def _groups(functions: Sequence[SymmetryFunction]) -> list[list[int]]:
    """Indices of functions grouped by family and by every setting that is not a plain number.

    Those of all neighbours at once are grouped as their family says.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, function in enumerate(functions):
        settings = tuple(v for v in vars(function).values() if not isinstance(v, float))
        if isinstance(function, WholeNeighborhood):
            settings = function.shared
        groups.setdefault((type(function), *settings), []).append(index)
    return list(groups.values())
