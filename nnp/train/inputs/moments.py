"""Our own family of functions for a fit: moments of the neighbourhood, see docs/moments.md.

    g_k(r) = T_k(1 − 2 r/r_c) f_c(r),    A_nlm = Σ_j g_n(r_ij) Y_lm(r̂_ij),    g_n = Σ_k c_nk g_k

2-body functions take every g_k of every neighbour element for itself. 3-body and 4-body ones take
few g_n, to which all neighbour elements are contracted: their number does not grow with the
elements. c are the directions in which the moments of the training data vary most: Goscinski et
al., J. Chem. Phys. 155, 104106 (2021), doi:10.1063/5.0057229.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np
from numpy.typing import NDArray

from nnp.cutoffs import CutoffKind
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions import (
    Argument,
    MomentFunction,
    MomentPair,
    MomentSum,
    MomentTriple,
    RadialSeries,
    SymmetryFunction,
    canonical_order,
)
from nnp.structure import Structure
from nnp.train.inputs.products import DescriptorProducts

Coefficients = NDArray[np.float64]

# Largest l: what all kernels have.
_MOST_L = 8
# Structures whose moments are looked at, and of each element so many.
_LOOKED_AT = 256
_OF_EACH = 32
# Largest l: the GPU kernels' own.
_MOST_L = 8
# 2-body functions of all neighbour elements together, beyond which each has fewer.
_MOST_SUMS = 40
_FEWEST_TERMS = 2
# Degrees of the 4-body functions; the first two share their radial functions' order.
_FOUR_BODY = ((2, 2, 2), (1, 1, 2))


@dataclass(frozen=True)
class GeneratedMoments:
    """Functions of moments for any list of elements.

    Attributes:
        family: name of the family.
        cutoff: r_c, Å.
        radial: radial functions g_k of the 2-body part, and terms of the others.
        angular: radial functions g_n of the 3-body part.
        l: largest l of the 3-body part.
        four_body: whether to add 4-body functions.
        four_body_radial: their radial functions.
        learn: whether the coefficients are learned with the networks, starting from the data.
    """

    family: str = "moments"
    cutoff: float = 6.0
    radial: int = 8
    angular: int = 5
    l: int = 4  # noqa: E741  the paper's letter
    four_body: bool = True
    four_body_radial: int = 2
    learn: bool = True

    def __post_init__(self) -> None:
        if self.family != "moments":
            raise OptionError(f"family = {self.family!r} is not 'moments'")
        if not (math.isfinite(self.cutoff) and self.cutoff > 0):
            raise OptionError(f"cutoff = {self.cutoff}: a positive number of Å is expected")
        if not 1 <= self.l <= _MOST_L:
            raise OptionError(f"l = {self.l}: 1 to {_MOST_L}")
        if self.four_body and self.l < 2:
            raise OptionError(f"four_body = true with l = {self.l}: it takes l of 2 or more")
        if not 1 <= self.four_body_radial <= self.angular <= self.radial <= 16:
            raise OptionError(
                f"radial = {self.radial}, angular = {self.angular}, four_body_radial = "
                f"{self.four_body_radial}: 1 ≤ four_body_radial ≤ angular ≤ radial ≤ 16 is expected"
            )

    def for_elements(
        self, elements: Iterable[str], structures: Sequence[Structure] = ()
    ) -> dict[str, tuple[SymmetryFunction, ...]]:
        """The functions of every element, in canonical order.

        Args:
            elements: symbols.
            structures: the data, from which the contraction of the neighbour elements is taken.

        >>> [len(f) for f in GeneratedMoments().for_elements(("O", "H")).values()]
        [86, 86]
        """
        symbols = tuple(sorted(elements, key=atomic_number))
        contractions = contract(self.spread(symbols, structures), self.angular)
        return {
            symbol: tuple(canonical_order(self._functions(symbols, contractions[symbol])))
            for symbol in symbols
        }

    def _functions(self, symbols: tuple[str, ...], c: Coefficients) -> list[MomentFunction]:
        blocks = self._blocks(symbols)
        radial = self._series(symbols, blocks)
        angular = self._series(symbols, c)
        found: list[MomentFunction] = [
            MomentSum(radial, math.sqrt(4 * math.pi), n) for n in range(blocks.shape[1])
        ]
        pairs = list(combinations_with_replacement(range(self.angular), 2))
        found += [
            MomentPair(angular, 4 * math.pi / (2 * degree + 1), n, other, degree)
            for degree, (n, other) in product(range(1, self.l + 1), pairs)
        ]
        return found + (self._four_body(angular) if self.four_body else [])

    def _four_body(self, series: RadialSeries) -> list[MomentFunction]:
        found: list[MomentFunction] = []
        numbers = range(self.four_body_radial)
        for degrees in _FOUR_BODY:
            factor = (4 * math.pi) ** 1.5 / math.sqrt(math.prod(2 * d + 1 for d in degrees))
            same = len({*degrees}) == 1
            for n, other in combinations_with_replacement(numbers, 2):
                thirds = [k for k in numbers if k >= other or not same]
                found += [MomentTriple(series, factor, n, other, k, *degrees) for k in thirds]
        return found

    def _blocks(self, symbols: tuple[str, ...]) -> Coefficients:
        """2-body g_k of each neighbour element apart: [neighbour][n][k]."""
        count = len(symbols)
        terms = min(self.radial, max(_MOST_SUMS // count, _FEWEST_TERMS))
        blocks = np.zeros((count, count * terms, terms))
        for number in range(count):
            blocks[number, number * terms : (number + 1) * terms] = np.eye(terms)
        return blocks

    def _series(self, symbols: tuple[str, ...], c: Coefficients) -> RadialSeries:
        radii = (float(self.cutoff),) * len(symbols)
        return RadialSeries(
            Argument.FALLING, CutoffKind.POLY2, 0.0, symbols, radii, tuple(c.tolist())
        )

    def spread(
        self, symbols: tuple[str, ...], structures: Sequence[Structure]
    ) -> dict[str, Coefficients]:
        """Per central element Σ_lm A_jklm A_j'k'lm over the data, (j, k, j', k')."""
        size = (len(symbols), self.radial, len(symbols), self.radial)
        spread = {symbol: np.zeros(size) for symbol in symbols}
        if not len(structures):
            falling = 4.0 ** -np.arange(self.radial)  # in turn the first terms of every element
            for matrix in spread.values():
                for number in range(len(symbols)):
                    matrix[number, :, number, :] = np.diag(falling * 0.9**number)
            return spread
        functions, places = self._products(symbols)
        products = DescriptorProducts(dict.fromkeys(symbols, functions))
        for structure in spread_out(structures, symbols, _LOOKED_AT, _OF_EACH):
            values = products.descriptors(products.place(structure))
            for symbol, rows in zip(symbols, values, strict=True):
                for (j, k, other, last), value in zip(places, rows.sum(0).tolist(), strict=True):
                    spread[symbol][j, k, other, last] += value
                    if (j, k) != (other, last):
                        spread[symbol][other, last, j, k] += value
        return spread

    def _products(
        self, symbols: tuple[str, ...]
    ) -> tuple[tuple[MomentFunction, ...], list[tuple[int, int, int, int]]]:
        """Functions Σ_m A_jklm A_j'k'lm, in canonical order, and which (j, k, j', k') each is."""
        terms, found = self.radial, []
        for j, other in combinations_with_replacement(range(len(symbols)), 2):
            both = sorted({j, other})
            c = np.zeros((len(both), terms * len(both), terms))
            for number in range(len(both)):
                c[number, number * terms : (number + 1) * terms] = np.eye(terms)
            series = self._series(tuple(symbols[n] for n in both), c)
            for degree, k, last in product(range(1, self.l + 1), range(terms), range(terms)):
                if j != other:
                    found.append(
                        (MomentPair(series, 1.0, k, terms + last, degree), (j, k, other, last))
                    )
                elif k <= last:
                    found.append((MomentPair(series, 1.0, k, last, degree), (j, k, other, last)))
        found.sort(key=lambda each: each[0].order)
        return tuple(function for function, _ in found), [place for _, place in found]


def spread_out(
    structures: Sequence[Structure], symbols: Sequence[str], most: int, of_each: int
) -> list[Structure]:
    """About ``most`` structures, evenly, and about ``of_each`` that hold each element.

    >>> len(spread_out([], ("Si",), 4, 2))
    0
    """
    numbers = set(range(0, len(structures), max(1, len(structures) // most)))
    for symbol in symbols:
        z = atomic_number(symbol)
        holding = [n for n, s in enumerate(structures) if (s.atomic_numbers == z).any()]
        numbers |= set(holding[:: max(1, len(holding) // of_each)])
    return [structures[n] for n in sorted(numbers)]


def contract(spread: dict[str, Coefficients], count: int) -> dict[str, Coefficients]:
    """The ``count`` directions of largest variance per central element: c [neighbour][n][k].

    Every neighbour element counts alike, however rare; each direction is scaled to variance 1.
    """
    found = {}
    for symbol, matrix in spread.items():
        n, terms = matrix.shape[:2]
        own = np.sqrt(np.maximum(np.einsum("jkjk->j", matrix), 1e-300))
        own[own < 1e-100] = np.inf  # an element that is never near
        scale = np.repeat(1 / own, terms)
        flat = matrix.reshape(n * terms, n * terms) * scale[:, None] * scale
        values, vectors = np.linalg.eigh(flat)
        order = np.argsort(values)[::-1][:count]
        kept = vectors[:, order] / np.sqrt(
            np.maximum(values[order], 1e-12 * max(values[-1], 1e-300))
        )
        kept *= np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(len(order))])
        found[symbol] = np.moveaxis((kept * scale[:, None]).reshape(n, terms, -1), 2, 1)
    return found
