"""The lines ``cutoff`` and ``zbl`` of a ``nep.txt`` from radii per pair of elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError
from nnp.io.nep.digits import shortest
from nnp.io.nep.radii import covalent_radius
from nnp.terms import PairRepulsion, RepulsionTerm
from nnp.terms.repulsion import UNIVERSAL_AMPLITUDES, UNIVERSAL_EXPONENTS

Array = NDArray[np.float64]

_SCREENING_TERMS = 4  # of a pair's own screening
# Atoms per Å³ of the densest solids (diamond), for hints that no file has given.
_DENSEST = 0.18
_MOST_NEIGHBORS = 819  # GPUMD takes 1.25 times this at most


def neighbor_hints(radial: float, angular: float) -> tuple[int, int]:
    """How many neighbours there may be, for programs that size their arrays by it."""
    radii = (radial, angular)
    first, second = (
        min(_MOST_NEIGHBORS, math.ceil(4 / 3 * math.pi * r**3 * _DENSEST)) for r in radii
    )
    return first, second


def cutoff_line(radial: Array, angular: Array, elements: Sequence[str]) -> tuple[float, ...]:
    """The numbers of `Header.cutoffs` that give these radii.

    Args:
        radial: (elements, elements) r_c of each pair, Å.
        angular: the same of the angular functions.
        elements: symbols.

    Raises:
        OptionError: no form of the line has them.
    """
    both = (radial, angular)
    if all(np.ptp(radii) == 0 for radii in both):
        return float(radial[0, 0]), float(angular[0, 0])
    own = [np.diag(radii) for radii in both]
    if all(np.array_equal((d[:, None] + d) / 2, m) for d, m in zip(own, both, strict=True)):
        return tuple(np.column_stack(own).ravel().tolist())
    sums = _radius_sums(elements)
    factors = [_factor(radii, sums) for radii in both]
    if None in factors:
        raise OptionError(
            "the potential is not a NEP: its cutoffs are neither one for all pairs of elements, "
            "nor means of the elements' own, nor shares of covalent radii"
        )
    return (float(radial.max()), float(angular.max()), *factors, 0.0)  # type: ignore[arg-type]


def repulsion_lines(
    terms: Sequence[RepulsionTerm], elements: Sequence[str]
) -> tuple[tuple[float, ...] | None, Array | None]:
    """The numbers of the line ``zbl``, and those of each pair where they are its own.

    Raises:
        OptionError: a screening function of more terms than a file has room for.
    """
    if not terms:
        return None, None
    if len(terms) > 1:
        raise OptionError(f"a nep.txt has one ZBL repulsion, the potential has {len(terms)}")
    known = {frozenset(pair.symbols): pair for pair in terms[0].pairs}
    places = [frozenset(pair) for pair in combinations_with_replacement(elements, 2)]
    pairs = [known.get(place) for place in places]
    whole = [pair for pair in pairs if pair is not None and _is_universal(pair)]
    if len(whole) == len(pairs) and (line := _universal_line(whole, elements)) is not None:
        return line, None
    return (0.0, 0.0), np.array([_own_numbers(pair) for pair in pairs])


def _universal_line(
    pairs: Sequence[PairRepulsion], elements: Sequence[str]
) -> tuple[float, ...] | None:
    inner, outer = {p.r_inner for p in pairs}, {p.r_outer for p in pairs}
    if len(inner) == len(outer) == 1:
        return inner.pop(), outer.pop()
    first, second = np.triu_indices(len(elements))
    sums = _radius_sums(elements)[first, second]
    factor = _factor(np.array([p.r_outer for p in pairs]), sums)
    if inner != {0.0} or factor is None:
        return None
    return max(outer) / 2, max(outer), factor  # the first plays no part


def _factor(radii: Array, sums: Array) -> float | None:
    """F with r = min(largest r, f · sum of covalent radii) for all; None without one."""
    largest = radii.max()
    below = radii < largest
    if not below.any():
        return float(2 * (radii / sums).max())

    def fits(factor: float) -> bool:
        return bool(np.array_equal(np.minimum(largest, factor * sums), radii))

    factor = _rounded(float((radii[below] / sums[below]).max()), fits)
    return factor if fits(factor) else None


def _rounded(value: float, fits: Callable[[float], bool]) -> float:
    """A factor as people write it, if it is one."""
    plain = float(f"{value:.4g}")
    return plain if fits(plain) else shortest(value, fits)


def _radius_sums(elements: Sequence[str]) -> Array:
    radii = np.array([covalent_radius(symbol) for symbol in elements])
    sums: Array = radii[:, None] + radii
    return sums


def _is_universal(pair: PairRepulsion) -> bool:
    return (pair.amplitudes, pair.exponents) == (UNIVERSAL_AMPLITUDES, UNIVERSAL_EXPONENTS)


def _own_numbers(pair: PairRepulsion | None) -> list[float]:
    """The ten numbers of a pair; zeros: no repulsion."""
    if pair is None:
        return [0.0] * (2 + 2 * _SCREENING_TERMS)
    missing = _SCREENING_TERMS - len(pair.amplitudes)
    if missing < 0:
        raise OptionError(
            f"the screening of {'-'.join(pair.symbols)} has {len(pair.amplitudes)} terms: "
            f"a nep.txt has room for {_SCREENING_TERMS}"
        )
    terms = zip(
        (*pair.amplitudes, *[0.0] * missing), (*pair.exponents, *[0.0] * missing), strict=True
    )
    return [pair.r_inner, pair.r_outer, *(number for term in terms for number in term)]
