"""Where a run has forgotten its beginning.

The cut is where most uncorrelated values are left behind it: Chodera, J. Chem. Theory Comput. 12,
1799 (2016), doi:10.1021/acs.jctc.5b00784, by pymbar.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.distribution import install
from nnp.errors import UnavailableError

# Beginnings that are tried: each costs a correlation function of what is after it.
_TRIED = 50
# Fewer values tell nothing of correlation.
FEWEST = 20
# A run of which so much is cut has not equilibrated, as far as it can tell.
LATE = 0.5


@dataclass(frozen=True)
class Equilibration:
    """What was found.

    Attributes:
        start: index of the first value of the equilibrated part.
        inefficiency: how many values after it count as one.
        what: the series it was found in.
    """

    start: int
    inefficiency: float
    what: str = ""


def detect_equilibration(values: NDArray[np.float64], what: str = "") -> Equilibration:
    """The cut for one time series.

    Args:
        values: (t,) at equal times.
        what: its name.

    Raises:
        UnavailableError: pymbar is missing.
    """
    if len(values) < FEWEST or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return Equilibration(0, 1.0, what)
    timeseries = _timeseries()
    start, inefficiency, _ = timeseries.detect_equilibration(
        values - values.mean(), nskip=max(1, len(values) // _TRIED)
    )
    return Equilibration(int(start), float(inefficiency), what)


def statistical_inefficiency(values: NDArray[np.float64]) -> float:
    """How many values count as one; 1 for constant ones.

    Raises:
        UnavailableError: pymbar is missing.
    """
    if len(values) < FEWEST or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return 1.0
    return float(_timeseries().statistical_inefficiency(values))


def _timeseries() -> Any:
    log, before = logging.getLogger("pymbar"), logging.getLogger("pymbar").level
    log.setLevel(logging.ERROR)  # it recommends JAX, whatever is used of it
    try:
        from pymbar import timeseries
    except ImportError:
        raise UnavailableError(
            "detecting equilibration needs pymbar, which is not installed: "
            f"{install('analysis')}, or give --skip"
        ) from None
    finally:
        log.setLevel(before)
    return timeseries
