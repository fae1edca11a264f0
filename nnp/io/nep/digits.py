"""Decimal numbers that read back as they are, with as few digits as a file had."""

from __future__ import annotations

from collections.abc import Callable

# Significant digits as GPUMD's trainer writes them, and as any float64 needs.
_FEWEST, _MOST = 8, 17


def shortest(value: float, reads_back: Callable[[float], bool]) -> float:
    """The value with the fewest decimal digits that still passes; itself if none does.

    >>> shortest(0.1 + 0.2, lambda x: abs(x - 0.3) < 1e-15)
    0.3
    """
    for digits in range(_FEWEST, _MOST + 1):
        candidate = float(f"{value:.{digits - 1}e}")
        if reads_back(candidate):
            return candidate
    return value
