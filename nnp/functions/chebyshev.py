"""Sets of functions that make ænet's Chebyshev basis, as functions of moments.

Artrith, Urban and Ceder, Phys. Rev. B 96, 014112 (2017), doi:10.1103/PhysRevB.96.014112.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.cutoffs import CutoffKind
from nnp.errors import OptionError
from nnp.functions.base import SymmetryFunction
from nnp.functions.moments import MOST_L, MomentChebyshev, MomentFunction, MomentSum
from nnp.functions.series import MOST_TERMS, Argument, RadialSeries

# J_k(π/2) of k = 1, 3, …: sin(πx/2) = 2 Σ (−1)^((k−1)/2) J_k(π/2) T_k(x); the next is 8e-20.
_ORDERS = range(1, 18, 2)


@dataclass(frozen=True)
class ChebyshevSetup:
    """ænet's basis of one central element.

    Attributes:
        environment: elements of ENV, which decides their weights; with one, every neighbour counts.
        radial_cutoff, angular_cutoff: Å.
        radial, angular: highest orders.
        legacy: the angle as ænet 2.0.0 to 2.0.3 have it: x = (2 cos θ − π)/π.

    Raises:
        OptionError: cutoffs or orders that cannot be.
    """

    environment: tuple[str, ...]
    radial_cutoff: float
    radial: int
    angular_cutoff: float
    angular: int
    legacy: bool = False

    def __post_init__(self) -> None:
        for name, most in (("radial", MOST_TERMS - 1), ("angular", MOST_L)):
            if not 0 <= getattr(self, name) <= most:
                raise OptionError(
                    f"{name} order {getattr(self, name)} of a Chebyshev basis: 0 to {most}"
                )
        for name in ("radial_cutoff", "angular_cutoff"):
            if not 0 < getattr(self, name) < math.inf:
                raise OptionError(f"{name} {getattr(self, name)} Å of a Chebyshev basis: above 0")
        if not self.environment or len(set(self.environment)) != len(self.environment):
            raise OptionError(f"elements {self.environment} of a Chebyshev basis: each one once")

    @property
    def weights(self) -> dict[str, float]:
        """Of each element in the second half of the functions; empty where there is none."""
        n = len(self.environment)
        if n == 1:
            return {}
        places = [k for k in range(-(n // 2), n // 2 + 1) if k or n % 2]
        return {symbol: float(k) for symbol, k in zip(self.environment, places, strict=True)}

    def functions(self, elements: Sequence[str]) -> list[MomentFunction]:
        """In ænet's order: R_0 … R_N, A_0 … A_M, then both with weights.

        Args:
            elements: all of the potential.
        """
        seen = tuple(elements) if len(self.environment) == 1 else self.environment
        blocks = [dict.fromkeys(seen, 1.0), *([self.weights] if self.weights else [])]
        radial = self._radial_series(seen, blocks)
        angular = self._angular_series(seen, blocks)
        found: list[MomentFunction] = []
        for block in range(len(blocks)):
            for n in range(self.radial + 1):
                series, number = radial[block], n
                if radial[0] is radial[-1]:
                    number += block * (self.radial + 1)
                found.append(MomentSum(series, math.sqrt(4 * math.pi), number))
            square = len(blocks) + block
            found += [
                MomentChebyshev(angular, 1.0, block, square, n, self.legacy)
                for n in range(self.angular + 1)
            ]
        return found

    def _radial_series(
        self, seen: Sequence[str], blocks: Sequence[dict[str, float]]
    ) -> list[RadialSeries]:
        """The functions f T_n of every block, in one series while it holds them."""
        count = self.radial + 1

        def series(chosen: Sequence[dict[str, float]]) -> RadialSeries:
            coefficients = [np.concatenate([s[e] * np.eye(count) for s in chosen]) for e in seen]
            return _series(seen, self.radial_cutoff, coefficients)

        if count * len(blocks) <= MOST_TERMS:
            return [series(blocks)] * len(blocks)
        return [series([block]) for block in blocks]

    def _angular_series(
        self, seen: Sequence[str], blocks: Sequence[dict[str, float]]
    ) -> RadialSeries:
        """Cutoff functions f of every block, then f² of every block."""
        square = _cutoff_as_series()
        one = np.eye(len(square))[0]
        coefficients = [
            np.stack([*(s[e] * one for s in blocks), *(s[e] ** 2 * square for s in blocks)])
            for e in seen
        ]
        return _series(seen, self.angular_cutoff, coefficients)


def _series(
    seen: Sequence[str], radius: float, coefficients: Sequence[NDArray[np.float64]]
) -> RadialSeries:
    rows = tuple(tuple(map(tuple, block.tolist())) for block in coefficients)
    return RadialSeries(
        Argument.RISING, CutoffKind.COSINE, 0.0, tuple(seen), (radius,) * len(seen), rows
    )


def _cutoff_as_series() -> NDArray[np.float64]:
    """What f² is f times of, that is f = ½(cos(πr/r_c) + 1), by T_k(x) with x = 2r/r_c − 1.

    It is ½ − ½ sin(πx/2).
    """
    found = np.zeros(_ORDERS[-1] + 1)
    found[0] = 0.5
    for number, k in enumerate(_ORDERS):
        found[k] = -((-1) ** number) * _bessel(k, math.pi / 2)
    return found


def _bessel(order: int, x: float) -> float:
    """J by its power series."""
    terms = [
        (-1) ** k / (math.factorial(k) * math.factorial(k + order)) * (x / 2) ** (2 * k + order)
        for k in range(20)
    ]
    return math.fsum(terms)


def setup_of(
    functions: Sequence[SymmetryFunction], elements: Sequence[str], central: str
) -> ChebyshevSetup | None:
    """The smallest basis that holds functions of an element; None: none of ænet's does."""
    sums = [f for f in functions if isinstance(f, MomentSum)]
    angles = [f for f in functions if isinstance(f, MomentChebyshev)]
    if not sums or len(sums) + len(angles) != len(functions) or not angles:
        return None
    series = angles[0].series
    symbols = [central]
    blocks = series.n_functions // 2
    if blocks > 1:
        rows = dict(zip(series.neighbors, series.coefficients, strict=True))
        symbols = sorted(series.neighbors, key=lambda symbol: rows[symbol][1][0])
    try:
        found = ChebyshevSetup(
            tuple(symbols),
            sums[0].radius,
            len(sums[0].series.coefficients[0][0]) - 1,
            series.radii[0],
            max(f.l_1 for f in angles),
            angles[0].legacy,
        )
        made = found.functions(elements)
    except OptionError:
        return None
    return found if set(functions) <= set(made) else None
