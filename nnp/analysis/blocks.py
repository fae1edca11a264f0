"""Errors of averages over correlated values, by blocks.

Means have the error of `nnp.metrics.block_average`; what is not a mean (variances, slopes) has the
jackknife's: the estimate is made again with each block left out. Reference: Flyvbjerg, Petersen,
J. Chem. Phys. 91, 461 (1989), doi:10.1063/1.457480; Efron, The Jackknife, SIAM (1982).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nnp.metrics import block_average

__all__ = ["BLOCKS", "block_average", "correlation_warning", "jackknife"]

Floats = NDArray[np.float64]

BLOCKS = 5
# Blocks shorter than so many times the statistical inefficiency are correlated with one another.
_LONG_ENOUGH = 5.0


def jackknife(
    estimate: Callable[..., float], series: Sequence[Floats], blocks: int = BLOCKS
) -> tuple[float, float]:
    """An estimate from time series, and its standard error.

    Args:
        estimate: of the series, each (t,).
        series: values at the same times.
        blocks: into how many the series are cut.

    Returns:
        The estimate from all of them, its error; NaN where there are fewer than two values a block.

    >>> value, error = jackknife(lambda x: float(x.mean()), [np.array([1.0, 1.0, 2.0, 2.0])], 2)
    >>> value, error
    (1.5, 0.5)
    """
    value = estimate(*series)
    parts = np.array_split(np.arange(len(series[0])), blocks)
    if min(len(part) for part in parts) < 2:
        return value, float("nan")
    left = [estimate(*(np.delete(x, part) for x in series)) for part in parts]
    spread = np.mean((np.array(left) - np.mean(left)) ** 2)
    return value, float(np.sqrt((blocks - 1) * spread))


def correlation_warning(inefficiency: float, count: int, blocks: int = BLOCKS) -> str | None:
    """What to say where blocks are too short for independent means; None where they are not.

    Args:
        inefficiency: statistical inefficiency, in values: how many count as one.
        count: of all values.
        blocks: into how many they are cut.
    """
    if count / blocks >= _LONG_ENOUGH * inefficiency:
        return None
    return (
        f"the {count} values count as {count / inefficiency:.0f} independent ones, fewer than "
        f"{_LONG_ENOUGH:g} in each of {blocks} blocks: errors are too small; run longer"
    )
