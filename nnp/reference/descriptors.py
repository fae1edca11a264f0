"""Symmetry functions of a block of atoms, grouped by what their formulas share.

Suffixes: ``_c`` centre, ``_p`` pair (centre, neighbour), ``_t`` triple (centre, two neighbours).
TorchScript-compatible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nnp.reference.formulas import angle_deg, angular, compact, cutoff_function, gaussian
from nnp.symmetry_functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Radial,
    RadialCosine,
    SymmetryFunction,
    neighbor_symbols,
)

ANY_ELEMENT = -1


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


class PairGroup(nn.Module):
    """Radial functions of one family that share neighbour element and cutoff or core."""

    def __init__(self, functions: Sequence[Any], elements: Sequence[str]) -> None:
        super().__init__()
        first = functions[0]
        symbols = neighbor_symbols(first)
        self.element: int = elements.index(symbols[0]) if symbols else ANY_ELEMENT
        self.n_functions: int = len(functions)
        self.family: str = type(first).__name__
        self.radius: float = max(f.radius for f in functions)
        _take_shared_settings(self, first)
        _take_parameters(self, functions, ("eta", "r_shift", "kappa", "r_left", "r_right"))

    def forward(
        self, center_p: Tensor, element_p: Tensor, z_p: Tensor, r_p: Tensor, n: int
    ) -> Tensor:
        """(n, f) functions from distances r_p (p,) to neighbours of charge z_p (p,)."""
        chosen = r_p < self.radius
        if self.element != ANY_ELEMENT:
            chosen = chosen & (element_p == self.element)
        p = torch.nonzero(chosen).squeeze(1)
        r = r_p[p].unsqueeze(1)
        if self.family == "CompactRadial":
            value = compact(r, self.r_left, self.r_right, self.core, self.asymmetric)
        else:
            f_c = cutoff_function(r, self.cutoff_kind, self.cutoff_radius, self.inner_fraction)
            if self.family == "Radial":
                value = gaussian(r, self.eta, self.r_shift) * f_c
            else:
                value = torch.cos(self.kappa * r) * f_c
        if self.element == ANY_ELEMENT:
            value = value * z_p[p].unsqueeze(1)
        return value.new_zeros(n, self.n_functions).index_add(0, center_p[p], value)


class TripleGroup(nn.Module):
    """Angular functions of one family that share neighbour elements and cutoff or core."""

    def __init__(self, functions: Sequence[Any], elements: Sequence[str]) -> None:
        super().__init__()
        first = functions[0]
        symbols = neighbor_symbols(first)
        indices = [elements.index(s) for s in symbols] if symbols else [ANY_ELEMENT, ANY_ELEMENT]
        self.element_1: int = indices[0]
        self.element_2: int = indices[1]
        self.n_functions: int = len(functions)
        self.family: str = type(first).__name__
        self.narrow: bool = first.narrow
        self.radius: float = max(f.radius for f in functions)
        _take_shared_settings(self, first)
        _take_parameters(
            self,
            functions,
            ("eta", "r_shift", "lambda_", "zeta", "r_left", "r_right")
            + ("theta_left_deg", "theta_right_deg"),
        )

    def forward(
        self,
        center_p: Tensor,
        element_p: Tensor,
        z_p: Tensor,
        vector_pc: Tensor,
        r_p: Tensor,
        pair_1_t: Tensor,
        pair_2_t: Tensor,
        n: int,
    ) -> Tensor:
        """(n, f) functions from vectors (p, 3) to neighbours and the triples among them."""
        t = torch.nonzero(self._chosen(element_p, r_p, pair_1_t, pair_2_t)).squeeze(1)
        p, q = pair_1_t[t], pair_2_t[t]
        r_ij, r_ik = r_p[p].unsqueeze(1), r_p[q].unsqueeze(1)
        cos_theta = (vector_pc[p] * vector_pc[q]).sum(1, keepdim=True) / (r_ij * r_ik)
        value = self._distance_factor(r_ij) * self._distance_factor(r_ik)
        if self.narrow:
            r_jk = (vector_pc[q] - vector_pc[p]).norm(dim=1).unsqueeze(1)
            value = value * self._distance_factor(r_jk)
        value = value * self._angle_factor(cos_theta)
        if self.element_1 == ANY_ELEMENT:
            value = value * (z_p[p] * z_p[q]).unsqueeze(1)
        return value.new_zeros(n, self.n_functions).index_add(0, center_p[p], value)

    def _chosen(self, element_p: Tensor, r_p: Tensor, p: Tensor, q: Tensor) -> Tensor:
        near = r_p < self.radius
        chosen = near[p] & near[q]
        if self.element_1 == ANY_ELEMENT:
            return chosen
        is_1, is_2 = element_p == self.element_1, element_p == self.element_2
        return chosen & ((is_1[p] & is_2[q]) | (is_2[p] & is_1[q]))

    def _distance_factor(self, r: Tensor) -> Tensor:
        if self.family == "CompactAngular":
            return compact(r, self.r_left, self.r_right, self.core, self.asymmetric)
        f_c = cutoff_function(r, self.cutoff_kind, self.cutoff_radius, self.inner_fraction)
        return gaussian(r, self.eta, self.r_shift) * f_c

    def _angle_factor(self, cos_theta: Tensor) -> Tensor:
        if self.family == "CompactAngular":
            theta_deg = angle_deg(cos_theta)
            return compact(theta_deg, self.theta_left_deg, self.theta_right_deg, self.core, False)
        return angular(cos_theta, self.lambda_, self.zeta)


class Descriptors(nn.Module):
    """All functions of one central element, in the order given."""

    def __init__(self, functions: Sequence[SymmetryFunction], elements: Sequence[str]) -> None:
        super().__init__()
        pair_groups: list[nn.Module] = []
        triple_groups: list[nn.Module] = []
        pair_columns: list[int] = []
        triple_columns: list[int] = []
        for columns in _shared_keys(functions):
            group = [functions[column] for column in columns]
            if isinstance(group[0], Angular | CompactAngular):
                triple_groups.append(TripleGroup(group, elements))
                triple_columns += columns
            else:
                pair_groups.append(PairGroup(group, elements))
                pair_columns += columns
        self.pair_groups = nn.ModuleList(pair_groups)
        self.triple_groups = nn.ModuleList(triple_groups)
        order = torch.tensor(pair_columns + triple_columns, dtype=torch.int64)
        self.register_buffer("order", torch.argsort(order))

    def forward(
        self,
        center_p: Tensor,
        element_p: Tensor,
        z_p: Tensor,
        vector_pc: Tensor,
        r_p: Tensor,
        n: int,
    ) -> Tensor:
        """(n, f) functions of n centres, all of this element."""
        parts = [r_p.new_zeros(n, 0)]
        for pair_group in self.pair_groups:
            parts.append(pair_group(center_p, element_p, z_p, r_p, n))
        pair_1_t, pair_2_t = triples(center_p, n)
        for triple_group in self.triple_groups:
            parts.append(
                triple_group(center_p, element_p, z_p, vector_pc, r_p, pair_1_t, pair_2_t, n)
            )
        return torch.cat(parts, 1)[:, self.order]


def _shared_keys(functions: Sequence[SymmetryFunction]) -> list[list[int]]:
    """Indices of functions grouped by family and by every setting that is not a plain number."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, function in enumerate(functions):
        settings = tuple(v for v in vars(function).values() if not isinstance(v, float))
        groups.setdefault((type(function), *settings), []).append(index)
    return list(groups.values())


def _take_shared_settings(group: nn.Module, function: Any) -> None:
    cutoff = getattr(function, "cutoff", None)
    group.cutoff_kind = int(cutoff.kind) if cutoff else 0
    group.cutoff_radius = float(cutoff.radius) if cutoff else 0.0
    group.inner_fraction = float(cutoff.inner_fraction) if cutoff else 0.0
    core = getattr(function, "core", None)
    group.core = str(core.value) if core else ""
    group.asymmetric = bool(getattr(function, "asymmetric", False))


def _take_parameters(group: nn.Module, functions: Sequence[Any], names: Sequence[str]) -> None:
    for name in names:
        values = [getattr(function, name, 0.0) for function in functions]
        group.register_buffer(name, torch.tensor(values, dtype=torch.float64))
