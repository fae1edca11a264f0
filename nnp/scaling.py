"""Scaling of the symmetry functions before the network, and their range in the training data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError

# G outside [min, max] by more than this share of max − min counts as extrapolation. It lets the
# very structures that set min and max pass in spite of the last digits.
EXTRAPOLATION_TOLERANCE = {"float64": 1e-9, "float32": 1e-5}
# −min and max of a function whose range is not known: nothing extrapolates.
NO_RANGE = 1e100


class ScalingMode(StrEnum):
    """How G becomes the network's input; S_min and S_max are the target range."""

    NONE = "none"  # G
    CENTER = "center"  # G − mean
    SCALE = "scale"  # S_min + (G − min) (S_max − S_min) / (max − min)
    SCALE_CENTER = "scale_center"  # S_min + (G − mean) (S_max − S_min) / (max − min)
    SCALE_SIGMA = "scale_sigma"  # S_min + (G − mean) (S_max − S_min) / sigma


@dataclass(frozen=True, eq=False)
class Scaling:
    """Affine scaling of one element's functions, in canonical order.

    Attributes:
        minimum, maximum, mean, sigma: (s,) statistics of G over the training data.
        mode: the formula.
        target_min, target_max: S_min, S_max.

    Raises:
        OptionError: shapes differ, a value is not finite, or the mode divides by zero.
    """

    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    sigma: NDArray[np.float64]
    mode: ScalingMode = ScalingMode.SCALE_CENTER
    target_min: float = 0.0
    target_max: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", ScalingMode(self.mode))
        for name in ("minimum", "maximum", "mean", "sigma"):
            array = np.ascontiguousarray(getattr(self, name), np.float64)
            object.__setattr__(self, name, array)
            if array.ndim != 1 or array.shape != self.minimum.shape:
                raise OptionError(f"scaling {name} has shape {array.shape}, not that of minimum")
            if not np.isfinite(array).all():
                function = _first(~np.isfinite(array))
                raise OptionError(f"scaling {name} of function {function} is not finite")
        if not self.target_min < self.target_max:
            raise OptionError(
                f"scaling target range {self.target_min} to {self.target_max} is empty"
            )
        self._check_width()

    def __len__(self) -> int:
        return len(self.minimum)

    @property
    def knows_ranges(self) -> bool:
        """Whether any range is known, without which nothing extrapolates."""
        return bool((self.maximum < NO_RANGE).any())

    @property
    def factor(self) -> NDArray[np.float64]:
        """(s,) a of G_scaled = a G + b."""
        width = self._width()
        return np.ones(len(self)) if width is None else (self.target_max - self.target_min) / width

    @property
    def offset(self) -> NDArray[np.float64]:
        """(s,) b of G_scaled = a G + b."""
        origin = {
            ScalingMode.NONE: np.zeros(len(self)),
            ScalingMode.SCALE: self.minimum,
        }.get(self.mode, self.mean)
        shift = 0.0 if self._width() is None else self.target_min
        return shift - self.factor * origin

    def _width(self) -> NDArray[np.float64] | None:
        if self.mode in (ScalingMode.SCALE, ScalingMode.SCALE_CENTER):
            return self.maximum - self.minimum
        return self.sigma if self.mode is ScalingMode.SCALE_SIGMA else None

    def _check_width(self) -> None:
        inverted = self.maximum < self.minimum
        if inverted.any():
            raise OptionError(f"scaling of function {_first(inverted)}: maximum is below minimum")
        with np.errstate(over="ignore"):
            width = self._width()
        if width is not None and not (width > 0).all():
            what = "sigma = 0" if self.mode is ScalingMode.SCALE_SIGMA else "min = max"
            raise OptionError(
                f"scaling of function {_first(~(width > 0))} divides by zero ({what}): the "
                "function never changed in the training data; remove it or use another mode"
            )
        with np.errstate(all="ignore"):
            numbers = [self.maximum - self.minimum, self.offset, self.factor, 1 / self.factor]
            usable = np.logical_and.reduce(np.isfinite(numbers))
        if not usable.all():
            function = _first(~usable)
            raise OptionError(
                f"scaling of function {function}, range {self.minimum[function - 1]:g} to "
                f"{self.maximum[function - 1]:g}, is too narrow or too wide to compute with"
            )


def _first(mask: NDArray[np.bool_]) -> int:
    """Number (from 1, as in scaling.data) of the first function that a mask marks."""
    return int(np.argmax(mask)) + 1
