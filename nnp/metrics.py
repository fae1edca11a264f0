"""Errors of predictions against references, in the units people compare: meV/atom and eV/Å."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike


@dataclass
class ErrorStatistics:
    """Running mean, mean absolute and root mean square of differences.

    >>> statistics = ErrorStatistics()
    >>> statistics.add([3.0, -4.0])
    >>> statistics.mae, round(statistics.rmse, 4), statistics.largest
    (3.5, 3.5355, 4.0)
    """

    count: int = 0
    largest: float = 0.0
    _sum: float = field(default=0.0, repr=False)
    _absolute: float = field(default=0.0, repr=False)
    _squared: float = field(default=0.0, repr=False)

    def add(self, differences: ArrayLike) -> None:
        """Take in any number of differences."""
        flat = np.asarray(differences, np.float64).ravel()
        self.count += flat.size
        self._sum += float(flat.sum())
        self._absolute += float(np.abs(flat).sum())
        self._squared += float(flat @ flat)
        self.largest = max(self.largest, float(np.abs(flat).max(initial=0.0)))

    @property
    def mean(self) -> float:
        """Mean (signed) difference; NaN without any."""
        return self._sum / self.count if self.count else math.nan

    @property
    def mae(self) -> float:
        """Mean absolute difference; NaN without any."""
        return self._absolute / self.count if self.count else math.nan

    @property
    def rmse(self) -> float:
        """Root of the mean squared difference; NaN without any."""
        return math.sqrt(self._squared / self.count) if self.count else math.nan


@dataclass
class PredictionErrors:
    """Errors over a set of structures.

    Attributes:
        energy: per atom, eV.
        forces: per component, eV/Å.
    """

    energy: ErrorStatistics = field(default_factory=ErrorStatistics)
    forces: ErrorStatistics = field(default_factory=ErrorStatistics)

    def lines(self) -> list[str]:
        """A line for each quantity that had references."""
        found = []
        if self.energy.count:
            e = self.energy
            found.append(
                f"energy  MAE {1e3 * e.mae:.3f}  RMSE {1e3 * e.rmse:.3f}  "
                f"mean {1e3 * e.mean:+.3f}  largest {1e3 * e.largest:.3f} meV/atom  "
                f"({e.count} structures)"
            )
        if self.forces.count:
            f = self.forces
            found.append(
                f"forces  MAE {f.mae:.4f}  RMSE {f.rmse:.4f}  largest {f.largest:.4f} eV/Å  "
                f"({f.count} components)"
            )
        return found
