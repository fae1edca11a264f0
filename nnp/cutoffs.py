"""Cutoff functions: which one, how far. Their formulas stand in `nnp.reference` and the kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from nnp.errors import OptionError


class CutoffKind(IntEnum):
    """Shape of the cutoff function f_c(r) over x = (r − r_i) / (r_c − r_i), 0 ≤ x ≤ 1.

    The numbers are those of n2p2's keyword ``cutoff_type``. Below the inner radius r_i = α r_c
    f_c = 1, from r_c on f_c = 0.
    """

    HARD = 0  # 1
    COSINE = 1  # (1 + cos πx) / 2
    TANH_CUBED = 2  # tanh³(1 − r / r_c); f_c(0) = tanh³(1)
    TANH_CUBED_NORMALISED = 3  # tanh³(1 − r / r_c) / tanh³(1)
    EXPONENTIAL = 4  # exp(1 − 1 / (1 − x²))
    POLY1 = 5  # 1 − 3x² + 2x³
    POLY2 = 6  # 1 − 10x³ + 15x⁴ − 6x⁵
    POLY3 = 7  # 1 − 35x⁴ + 84x⁵ − 70x⁶ + 20x⁷
    POLY4 = 8  # 1 − 126x⁵ + 420x⁶ − 540x⁷ + 315x⁸ − 70x⁹


_WITHOUT_INNER = (CutoffKind.HARD, CutoffKind.TANH_CUBED, CutoffKind.TANH_CUBED_NORMALISED)


@dataclass(frozen=True)
class Cutoff:
    """A cutoff function.

    Attributes:
        kind: the shape.
        radius: r_c, Å; positive.
        inner_fraction: α = r_i / r_c in [0, 1); the hard and tanh³ shapes take none and drop it.

    Raises:
        OptionError: a value is not allowed.
    """

    kind: CutoffKind
    radius: float
    inner_fraction: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius) and self.radius > 0):
            raise OptionError(f"cutoff radius {self.radius} is not allowed: it must be positive")
        if not 0 <= self.inner_fraction < 1:
            raise OptionError(
                f"inner fraction {self.inner_fraction} of the cutoff is not in [0, 1)"
            )
        object.__setattr__(self, "radius", float(self.radius))
        object.__setattr__(self, "inner_fraction", float(self.inner_fraction))
        if self.kind in _WITHOUT_INNER:
            object.__setattr__(self, "inner_fraction", 0.0)
