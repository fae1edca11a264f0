"""NEP's radial basis f_k = (T_k + 1) f_c / 2 and plain Chebyshev series, there and back.

Z. Fan et al., Phys. Rev. B 104, 104309 (2021), doi:10.1103/PhysRevB.104.104309, eq. 13.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnp.io.nep.digits import shortest

Array = NDArray[np.float64]


def to_series(c: Array) -> Array:
    """Coefficients of f_k → those of T_k f_c; the last axis is k."""
    series = c / 2
    series[..., 0] += series.sum(axis=-1)
    return series


def from_series(series: Array) -> Array:
    """The inverse of `to_series`, to the last bit where decimals of a file came from there."""
    c = 2 * series
    c[..., 0] = series[..., 0] - series[..., 1:].sum(axis=-1)
    for place in np.ndindex(c.shape[:-1]):
        row = c[place].copy()

        def reads_back(first: float, row: Array = row, wanted: float = series[place][0]) -> bool:
            row[0] = first
            return bool(to_series(row)[0] == wanted)

        c[place][0] = shortest(float(c[place][0]), reads_back)
    return c
