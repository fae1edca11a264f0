"""Functions of moments from the moments, as one differentiable map.

Functions of a kind with the same degrees are columns of a table over all their radial functions,
which a constant matrix picks and scales: small dense products, forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from nnp.functions import MomentFunction, MomentPair, MomentQuartic, MomentSum, MomentTriple
from nnp.reference.harmonics import coupling
from nnp.train.inputs.uncontracted import Block


@dataclass(frozen=True, eq=False)
class _Part:
    """Functions of one kind with the same degrees.

    Attributes:
        table: from the moments of each degree, (n, radial functions, 2 l + 1), to (n, products).
        degrees: one for each factor.
        numbers: radial functions of each factor.
        coupled: the coupling of three degrees; empty for fewer.
        pick: (products, functions) the coefficient where a product is a function, else 0.
    """

    table: Callable[[list[Tensor], Tensor], Tensor]
    degrees: tuple[int, ...]
    numbers: list[Tensor]
    coupled: Tensor
    pick: Tensor


class Invariants:
    """The functions of one block of moments: (n, N, rows) → (n, functions), as ``block.functions``.

    Args:
        block: the moments.
        functions: of the element; the block says which are its own.
        dtype, device: of the moments.
    """

    def __init__(
        self,
        block: Block,
        functions: Sequence[MomentFunction],
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        like = torch.zeros((), dtype=dtype, device=device)
        own = [(place, functions[i]) for place, i in enumerate(block.functions)]
        own.sort(key=lambda each: _kind(each[1]))
        self._parts = [
            _part([function for _, function in members], like)
            for _, members in groupby(own, key=lambda each: _kind(each[1]))
        ]
        self._order = torch.argsort(torch.tensor([place for place, _ in own], device=device))
        self._first = int(block.rows.start**0.5)
        self._widths = [2 * d + 1 for d in range(self._first, int(block.rows.stop**0.5))]

    def __call__(self, moments: Tensor) -> Tensor:
        """(n, functions) from A (n, N, rows)."""
        by_degree = torch.split(moments, self._widths, 2)
        parts = []
        for part in self._parts:
            factors = [
                by_degree[degree - self._first].index_select(1, numbers)
                for degree, numbers in zip(part.degrees, part.numbers, strict=True)
            ]
            parts.append(part.table(factors, part.coupled) @ part.pick)
        return torch.cat(parts, 1)[:, self._order]


def _kind(function: MomentFunction) -> tuple[str, tuple[int, ...]]:
    return type(function).__name__, function.factor_degrees


def _part(functions: Sequence[MomentFunction], like: Tensor) -> _Part:
    degrees, factors = functions[0].factor_degrees, len(functions[0].numbers)
    numbers = [sorted({f.numbers[place] for f in functions}) for place in range(factors)]
    shape = [len(own) for own in numbers]
    pick = like.new_zeros([*shape, len(functions)])
    for column, f in enumerate(functions):
        place = [own.index(n) for own, n in zip(numbers, f.numbers, strict=True)]
        pick[(*place, column)] = f.coefficient
    index = [torch.tensor(own, device=like.device) for own in numbers]
    table = _TABLES[type(functions[0])]
    return _Part(table, degrees, index, _coupled(degrees, like), pick.reshape(-1, len(functions)))


def _coupled(degrees: tuple[int, ...], like: Tensor) -> Tensor:
    if len(degrees) != 3:
        return like.new_zeros(0)
    dense = like.new_zeros([2 * d + 1 for d in degrees])
    a, b, c = (d * d for d in degrees)
    for i, j, k, value in coupling(*degrees):
        dense[i - a, j - b, k - c] = value
    return dense.flatten(0, 1)


def _sums(factors: list[Tensor], _: Tensor) -> Tensor:
    return factors[0][:, :, 0]


def _pairs(factors: list[Tensor], _: Tensor) -> Tensor:
    return torch.bmm(factors[0], factors[1].mT).flatten(1)


def _triples(factors: list[Tensor], coupled: Tensor) -> Tensor:
    first, second, third = factors
    two = first[:, :, None, :, None] * second[:, None, :, None, :]
    turned = two.flatten(3).flatten(1, 2) @ coupled  # (n, N N', 2 l'' + 1)
    return torch.bmm(turned, third.mT).flatten(1)


def _quartics(factors: list[Tensor], _: Tensor) -> Tensor:
    return (factors[0] ** 2).sum(2) ** 2


_TABLES: dict[Any, Callable[[list[Tensor], Tensor], Tensor]] = {
    MomentSum: _sums,
    MomentPair: _pairs,
    MomentTriple: _triples,
    MomentQuartic: _quartics,
}
