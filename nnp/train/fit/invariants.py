"""Functions of moments from the moments: values, and first and second derivatives.

For moments A, functions G(A), a displacement Ȧ and slopes g = dE/dG of an energy E:

    G,   D = Jᵀ g,   Ġ = J Ȧ,   Ḋ = Jᵀ ġ + Σ_q g_q (∂²G_q/∂A²) Ȧ        with J = dG/dA

Functions of one kind with the same degrees are columns of a table over all their radial functions,
which a constant matrix picks and scales. Sums and pairs, of which there are many, are written out;
autograd differentiates products of three and more moments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Protocol

import torch
from torch import Tensor

from nnp.functions import MomentFunction, MomentPair, MomentQuartic, MomentSum, MomentTriple
from nnp.reference.harmonics import coupling
from nnp.train.inputs.uncontracted import Block

# Moments, or derivatives by them, per degree: (n, 2 l + 1, N).
_Moments = dict[int, Tensor]
_Finish = Callable[[Tensor], _Moments]


class _Part(Protocol):
    """Functions of one kind with the same degrees."""

    def value(self, a: _Moments) -> Tensor:
        """(n, f) G."""
        ...

    def pull(self, a: _Moments, slopes: Tensor) -> _Moments:
        """D of slopes (n, f)."""
        ...

    def along(self, a: _Moments, moved: _Moments, slopes: Tensor) -> tuple[Tensor, _Finish]:
        """(n, f) Ġ, and what makes Ḋ from ġ (n, f)."""
        ...


class Invariants:
    """The functions of one block of moments: (n, rows, N) → (n, functions), as ``block.functions``.

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
        groups = [
            [function for _, function in members]
            for _, members in groupby(own, key=lambda each: _kind(each[1]))
        ]
        self._parts = [_part(group, block.series.n_functions, like) for group in groups]
        self._sizes = [len(group) for group in groups]
        self._sorted = torch.tensor([place for place, _ in own], device=device)
        self._order = torch.argsort(self._sorted)
        self._degrees = range(int(block.rows.start**0.5), int(block.rows.stop**0.5))

    def __call__(self, moments: Tensor) -> Tensor:
        """(n, functions) G of A (n, rows, N)."""
        a = self._by_degree(moments)
        return torch.cat([part.value(a) for part in self._parts], 1)[:, self._order]

    def pull(self, moments: Tensor, slopes: Tensor) -> Tensor:
        """(n, rows, N) D of slopes (n, functions)."""
        a = self._by_degree(moments)
        pairs = zip(self._parts, self._parted(slopes), strict=True)
        return self._summed([part.pull(a, own) for part, own in pairs], moments)

    def along(
        self, moments: Tensor, moved: Tensor, slopes: Tensor
    ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """(n, functions) Ġ along Ȧ (n, rows, N), and what makes Ḋ from ġ (n, functions)."""
        a, m = self._by_degree(moments), self._by_degree(moved)
        pairs = zip(self._parts, self._parted(slopes), strict=True)
        changes, finish = zip(*(part.along(a, m, own) for part, own in pairs), strict=True)

        def bent(further: Tensor) -> Tensor:
            parts = zip(finish, self._parted(further), strict=True)
            return self._summed([make(own) for make, own in parts], moments)

        return torch.cat(changes, 1)[:, self._order], bent

    def _by_degree(self, moments: Tensor) -> _Moments:
        widths = [2 * degree + 1 for degree in self._degrees]
        return dict(zip(self._degrees, torch.split(moments, widths, 1), strict=True))

    def _parted(self, slopes: Tensor) -> Sequence[Tensor]:
        return torch.split(slopes[:, self._sorted], self._sizes, 1)

    def _summed(self, parts: Sequence[_Moments], like: Tensor) -> Tensor:
        total: _Moments = {}
        for part in parts:
            for degree, value in part.items():
                total[degree] = total[degree] + value if degree in total else value
        n, _, count = like.shape
        for degree in self._degrees:
            if degree not in total:
                total[degree] = like.new_zeros((n, 2 * degree + 1, count))
        return torch.cat([total[degree] for degree in self._degrees], 1)


class _Sums:
    def __init__(self, functions: Sequence[MomentFunction], count: int, like: Tensor) -> None:
        self._pick = like.new_zeros((count, len(functions)))
        for column, f in enumerate(functions):
            self._pick[f.numbers[0], column] = f.coefficient

    def value(self, a: _Moments) -> Tensor:
        return a[0][:, 0] @ self._pick

    def pull(self, a: _Moments, slopes: Tensor) -> _Moments:  # noqa: ARG002  linear
        return {0: (slopes @ self._pick.T)[:, None]}

    def along(self, a: _Moments, moved: _Moments, slopes: Tensor) -> tuple[Tensor, _Finish]:
        del slopes
        return self.value(moved), lambda further: self.pull(a, further)


class _Pairs:
    def __init__(self, functions: Sequence[MomentFunction], count: int, like: Tensor) -> None:
        self._degree, self._count = functions[0].factor_degrees[0], count
        pick = like.new_zeros((count, count, len(functions)))
        for column, f in enumerate(functions):
            pick[(*f.numbers, column)] = f.coefficient
        self._pick = pick.flatten(0, 1)
        self._both = (pick + pick.transpose(0, 1)).flatten(0, 1)

    def value(self, a: _Moments) -> Tensor:
        own = a[self._degree]
        return torch.bmm(own.mT, own).flatten(1) @ self._pick

    def pull(self, a: _Moments, slopes: Tensor) -> _Moments:
        return {self._degree: torch.bmm(a[self._degree], self._weights(slopes))}

    def along(self, a: _Moments, moved: _Moments, slopes: Tensor) -> tuple[Tensor, _Finish]:
        own, m = a[self._degree], moved[self._degree]
        changes = torch.bmm(own.mT, m).flatten(1) @ self._both

        def finish(further: Tensor) -> _Moments:
            bent = torch.bmm(m, self._weights(slopes))
            return {self._degree: torch.baddbmm(bent, own, self._weights(further))}

        return changes, finish

    def _weights(self, slopes: Tensor) -> Tensor:
        return (slopes @ self._both.T).view(-1, self._count, self._count)


class _Products:
    """Triples and quartics."""

    def __init__(self, functions: Sequence[MomentFunction], _: int, like: Tensor) -> None:
        first = functions[0]
        self._degrees, factors = first.factor_degrees, range(len(first.numbers))
        numbers = [sorted({f.numbers[place] for f in functions}) for place in factors]
        pick = like.new_zeros([*(len(own) for own in numbers), len(functions)])
        for column, f in enumerate(functions):
            place = [own.index(n) for own, n in zip(numbers, f.numbers, strict=True)]
            pick[(*place, column)] = f.coefficient
        self._pick = pick.reshape(-1, len(functions))
        self._numbers = [torch.tensor(own, device=like.device) for own in numbers]
        self._coupled = _coupled(self._degrees, like)
        self._table = _triples if isinstance(first, MomentTriple) else _quartics

    def value(self, a: _Moments) -> Tensor:
        factors = [
            a[degree].index_select(2, numbers)
            for degree, numbers in zip(self._degrees, self._numbers, strict=True)
        ]
        return self._table(factors, self._coupled) @ self._pick

    def pull(self, a: _Moments, slopes: Tensor) -> _Moments:
        with torch.inference_mode(False), torch.enable_grad():  # type: ignore[no-untyped-call]
            leaves = self._leaves(a)
            found = torch.autograd.grad(self.value(leaves), list(leaves.values()), slopes.clone())
        return dict(zip(leaves, found, strict=True))

    def along(self, a: _Moments, moved: _Moments, slopes: Tensor) -> tuple[Tensor, _Finish]:
        with torch.inference_mode(False), torch.enable_grad():  # type: ignore[no-untyped-call]
            leaves = self._leaves(a)
            known, own = slopes.detach().clone().requires_grad_(), list(leaves.values())
            values = self.value(leaves)
            pulled = torch.autograd.grad(values, own, known, create_graph=True)
            steps = [moved[degree].clone() for degree in leaves]
            total = torch.stack([(d * m).sum() for d, m in zip(pulled, steps, strict=True)]).sum()
            changes, *bent = torch.autograd.grad(total, [known, *own], retain_graph=True)

        def finish(further: Tensor) -> _Moments:
            with torch.inference_mode(False):
                more = torch.autograd.grad(values, own, further.clone())
                return {d: b + m for d, b, m in zip(leaves, bent, more, strict=True)}

        return changes, finish

    def _leaves(self, a: _Moments) -> _Moments:
        return {d: a[d].detach().clone().requires_grad_() for d in sorted({*self._degrees})}


def _triples(factors: list[Tensor], coupled: Tensor) -> Tensor:
    first, second, third = factors  # (n, 2 l + 1, N)
    (n, width, count), others, last = second.shape, first.shape[2], third.shape[1]
    turned = (first.mT @ coupled).view(n, others, width, last).transpose(1, 2)
    two = torch.bmm(second.mT, turned.reshape(n, width, others * last))
    three = torch.bmm(two.view(n, count * others, last), third)
    return three.view(n, count, others, third.shape[2]).transpose(1, 2).flatten(1)


def _quartics(factors: list[Tensor], _: Tensor) -> Tensor:
    return (factors[0] ** 2).sum(1) ** 2


def _coupled(degrees: tuple[int, ...], like: Tensor) -> Tensor:
    """The coupling of three degrees, (l, l' and l'' joined); of fewer, nothing."""
    if len(degrees) != 3:
        return like.new_zeros(0)
    dense = like.new_zeros([2 * d + 1 for d in degrees])
    a, b, c = (d * d for d in degrees)
    for i, j, k, value in coupling(*degrees):
        dense[i - a, j - b, k - c] = value
    return dense.flatten(1)


def _kind(function: MomentFunction) -> tuple[str, tuple[int, ...]]:
    return type(function).__name__, function.factor_degrees


def _part(functions: Sequence[MomentFunction], count: int, like: Tensor) -> _Part:
    return _PARTS[type(functions[0])](functions, count, like)


_PARTS: dict[Any, Callable[[Sequence[MomentFunction], int, Tensor], _Part]] = {
    MomentSum: _Sums,
    MomentPair: _Pairs,
    MomentTriple: _Products,
    MomentQuartic: _Products,
}
