"""Errors against references, in the units people compare (meV/atom, eV/Å), and of time series."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnp.units import BOHR, HARTREE, KCAL_PER_MOL, KJ_PER_MOL
from nnp.values import counted

# Labels that go together with predictions like this (cosine) differ by a factor, if at all …
_TOGETHER = 0.9
# … which no two methods have between them, only units.
_SCALE = 3.0
_FEWEST_FOR_A_SCALE = 3
# Share by which a factor may differ from a known one.
_NEAR = 0.15
_FACTORS = {
    "hartree for eV": 1 / HARTREE,
    "eV for hartree": HARTREE,
    "hartree/bohr for eV/Å": BOHR / HARTREE,
    "eV/Å for hartree/bohr": HARTREE / BOHR,
    "rydberg/bohr for eV/Å": 2 * BOHR / HARTREE,
    "kcal/mol for eV": 1 / KCAL_PER_MOL,
    "eV for kcal/mol": KCAL_PER_MOL,
    "kJ/mol for eV": 1 / KJ_PER_MOL,
    "eV for kJ/mol": KJ_PER_MOL,
}


def block_average(values: ArrayLike, blocks: int = 5) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean of a time series, and its standard error from the means of consecutive blocks.

    Blocks are far less correlated than the values in them.

    Args:
        values: (t, ...) in the order of time.
        blocks: how many.

    Returns:
        (...) mean, (...) standard error; the error is NaN where there are fewer values than blocks.

    >>> mean, error = block_average([1.0, 2.0, 1.0, 2.0], blocks=2)
    >>> float(mean), float(error)
    (1.5, 0.0)
    """
    series = np.asarray(values, np.float64)
    mean = series.mean(axis=0)
    if not 2 <= blocks <= len(series):
        return mean, np.full_like(mean, np.nan)
    means = np.array([block.mean(axis=0) for block in np.array_split(series, blocks)])
    return mean, np.asarray(means.std(axis=0, ddof=1) / np.sqrt(blocks))


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

    def merge(self, other: ErrorStatistics) -> None:
        """Take in the differences that another one has seen."""
        self.count += other.count
        self._sum += other._sum
        self._absolute += other._absolute
        self._squared += other._squared
        self.largest = max(self.largest, other.largest)

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
        stress: per component, eV/Å³.
    """

    energy: ErrorStatistics = field(default_factory=ErrorStatistics)
    forces: ErrorStatistics = field(default_factory=ErrorStatistics)
    stress: ErrorStatistics = field(default_factory=ErrorStatistics)

    def lines(self) -> list[str]:
        """A line for each quantity that had references."""
        found = []
        if self.energy.count:
            e = self.energy
            found.append(
                f"energy  MAE {1e3 * e.mae:.3f}  RMSE {1e3 * e.rmse:.3f}  "
                f"mean {1e3 * e.mean:+.3f}  largest {1e3 * e.largest:.3f} meV/atom  "
                f"({counted(e.count, 'structure')})"
            )
        if self.forces.count:
            f = self.forces
            found.append(
                f"forces  MAE {f.mae:.4f}  RMSE {f.rmse:.4f}  largest {f.largest:.4f} eV/Å  "
                f"({f.count} components)"
            )
        if self.stress.count:
            s = self.stress
            found.append(
                f"stress  MAE {1e3 * s.mae:.4f}  RMSE {1e3 * s.rmse:.4f}  "
                f"largest {1e3 * s.largest:.4f} meV/Å³  ({s.count} components)"
            )
        return found


@dataclass
class ScaleCheck:
    """Whether labels look like the potential's numbers in another unit.

    >>> check = ScaleCheck()
    >>> check.add([27.2, -54.4, 27.2], [1.0, -2.0, 1.0])
    >>> "27.2 times" in (check.warning("forces") or "")
    True
    """

    count: int = 0
    _products: float = field(default=0.0, repr=False)
    _labels: float = field(default=0.0, repr=False)
    _predictions: float = field(default=0.0, repr=False)

    def add(self, labels: ArrayLike, predictions: ArrayLike) -> None:
        """Take in numbers of the same kind."""
        label = np.asarray(labels, np.float64).ravel()
        prediction = np.asarray(predictions, np.float64).ravel()
        self.count += label.size
        self._products += float(label @ prediction)
        self._labels += float(label @ label)
        self._predictions += float(prediction @ prediction)

    def warning(self, what: str) -> str | None:
        """A line where labels and predictions go together but for a factor; None else."""
        size = math.sqrt(self._labels * self._predictions)
        if self.count < _FEWEST_FOR_A_SCALE or size == 0 or self._products < _TOGETHER * size:
            return None
        factor = self._products / self._predictions
        if 1 / _SCALE < factor < _SCALE:
            return None
        near = [name for name, value in _FACTORS.items() if abs(factor / value - 1) < _NEAR]
        guess = f", about {near[0]}" if near else ""
        return (
            f"units look wrong: the labels' {what} are {factor:.3g} times the potential's{guess}: "
            "are the units of the file or of the potential other than assumed?"
        )
