"""Radial functions of moments: Chebyshev series, one set for each element of the neighbour.

As NEP has them: Fan et al., Phys. Rev. B 104, 104309 (2021), doi:10.1103/PhysRevB.104.104309; as
aenet: Artrith et al., Phys. Rev. B 96, 014112 (2017), doi:10.1103/PhysRevB.96.014112.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Self

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import OptionError

MOST_TERMS = 64  # terms and functions of a series, as kernels/model/series.h has it


class Argument(IntEnum):
    """x(r) of the Chebyshev polynomials, by the numbers of chebyshev.h."""

    SQUARE = 0  # 2 (r/r_c − 1)² − 1: NEP
    FALLING = 1  # 1 − 2 r/r_c
    RISING = 2  # 2 r/r_c − 1: aenet


@dataclass(frozen=True, eq=False)
class RadialSeries:
    """Radial functions of one central element: g_n(r) = f_c(r) Σ_k c_nk T_k(x(r)).

    Attributes:
        argument: x(r).
        cutoff_kind, inner_fraction: of f_c; its radius is the neighbour's.
        neighbors: symbols of the elements that are seen.
        radii: r_c of each, Å.
        coefficients: c_nk of each, [neighbour][n][k].

    Raises:
        OptionError: sizes that do not fit one another, or a radius that is not positive.
    """

    argument: Argument
    cutoff_kind: CutoffKind
    inner_fraction: float
    neighbors: tuple[str, ...]
    radii: tuple[float, ...]
    coefficients: tuple[tuple[tuple[float, ...], ...], ...]
    _digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = tuple(
            tuple(tuple(float(c) for c in row) for row in block) for block in self.coefficients
        )
        object.__setattr__(self, "argument", Argument(self.argument))
        object.__setattr__(self, "coefficients", rows)
        for radius in self.radii:
            Cutoff(CutoffKind(self.cutoff_kind), radius, self.inner_fraction)
        counts = {len(block) for block in rows}, {len(row) for block in rows for row in block}
        if not len(self.neighbors) == len(self.radii) == len(rows) > 0:
            raise OptionError(
                f"a radial series has {len(self.neighbors)} neighbours, {len(self.radii)} radii "
                f"and {len(rows)} blocks of coefficients: one of each per neighbour is expected"
            )
        if any(len(sizes) != 1 or not 1 <= min(sizes) <= MOST_TERMS for sizes in counts):
            raise OptionError(
                "a radial series' coefficients are not a block of the same size for each "
                f"neighbour, of 1 to {MOST_TERMS} functions and terms"
            )
        if not all(math.isfinite(c) for block in rows for row in block for c in row):
            raise OptionError("a radial series has a coefficient that is not finite")
        digest = hashlib.sha256(repr(self._key()).encode()).hexdigest()
        object.__setattr__(self, "_digest", digest)

    @property
    def n_functions(self) -> int:
        """Number of g_n."""
        return len(self.coefficients[0])

    def _key(self) -> tuple[Any, ...]:
        shape = (int(self.argument), int(self.cutoff_kind), float(self.inner_fraction))
        return (*shape, tuple(self.neighbors), tuple(map(float, self.radii)), self.coefficients)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RadialSeries) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    @property
    def order(self) -> tuple[Any, ...]:
        """The place among the series of an element."""
        return (-max(self.radii), self.n_functions, self._digest)

    def entry(self) -> dict[str, Any]:
        """For a model file's header; JSON-serialisable."""
        return {
            "argument": int(self.argument),
            "cutoff_kind": int(self.cutoff_kind),
            "inner_fraction": self.inner_fraction,
            "neighbors": list(self.neighbors),
            "radii": list(self.radii),
            "coefficients": self.coefficients,
        }

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """From what `entry` gave."""
        return cls(
            Argument(entry["argument"]),
            CutoffKind(entry["cutoff_kind"]),
            float(entry["inner_fraction"]),
            tuple(entry["neighbors"]),
            tuple(entry["radii"]),
            tuple(entry["coefficients"]),
        )
