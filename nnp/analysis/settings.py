"""What an analysis is told; checked before anything is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from nnp.analysis.blocks import BLOCKS
from nnp.analysis.thermodynamics import ENSEMBLES
from nnp.errors import OptionError
from nnp.values import require_number, require_whole

_MOST_BINS = 100_000  # of a radial distribution: no trajectory fills as many


@dataclass(frozen=True)
class AnalysisSettings:
    """How a trajectory is analysed.

    Attributes:
        skip: share of the frames that is cut at the beginning; None: detected.
        every: take every so many-th frame.
        r_max: largest distance of radial distributions, Å.
        bin_width: of radial distributions, Å.
        structure_frames: at most so many frames, evenly chosen, for structure; dynamics takes all.
        bonds: distance (Å) below which two elements are bonded, by ``"Si-O"``; first minima of
            radial distributions where not said.
        frame_time_fs: time between two frames, where the file does not say it.
        ensemble: ``nve``, ``nvt`` or ``npt``; None: as the log looks.
        pressure_bar: of the barostat; None: as the log says, else 1.
        viscosity_mpa_s: shear viscosity for the finite-size correction of D; None: only told.
        blocks: of time, for errors.

    Raises:
        OptionError: a value is not allowed.
    """

    skip: float | None = None
    every: int = 1
    r_max: float = 10.0
    bin_width: float = 0.02
    structure_frames: int = 1000
    bonds: Mapping[str, float] = field(default_factory=dict)
    frame_time_fs: float | None = None
    ensemble: str | None = None
    pressure_bar: float | None = None
    viscosity_mpa_s: float | None = None
    blocks: int = BLOCKS

    def __post_init__(self) -> None:
        if self.skip is not None and not 0 <= self.skip < 1:
            raise OptionError(
                f"skip={self.skip}: must be a fraction of the frames, from 0 to below 1"
            )
        for name, least in (("every", 1), ("structure_frames", 1), ("blocks", 2)):
            require_whole(name, getattr(self, name), least)
        for name in ("r_max", "bin_width", "frame_time_fs", "viscosity_mpa_s"):
            value = getattr(self, name)
            if value is not None and not require_number(name, value, 0) > 0:
                raise OptionError(f"{name}={value}: must be above zero")
        if self.bin_width > self.r_max / 2:
            raise OptionError(
                f"bin_width={self.bin_width:g} Å: at most half of r_max={self.r_max:g} Å"
            )
        if self.bins > _MOST_BINS:
            raise OptionError(
                f"bin_width={self.bin_width:g} Å up to r_max={self.r_max:g} Å are {self.bins:.3g} "
                f"bins: allowed are {_MOST_BINS:,}; take wider ones"
            )
        for pair, value in self.bonds.items():
            if pair.count("-") != 1 or not require_number(f"bond {pair}", value, 0) > 0:
                raise OptionError(f"bond {pair}={value}: give ELEMENT-ELEMENT and a distance in Å")
        if self.ensemble is not None and self.ensemble not in ENSEMBLES:
            raise OptionError(f"ensemble={self.ensemble!r}: allowed are {', '.join(ENSEMBLES)}")
        if self.pressure_bar is not None:
            require_number("pressure_bar", self.pressure_bar, -math.inf, ", or None")
            if self.ensemble not in (None, "npt"):
                raise OptionError(
                    f"pressure_bar={self.pressure_bar:g} (--pressure) belongs to a barostat, and "
                    f"ensemble={self.ensemble!r} has none: leave it out, or use npt"
                )

    @property
    def bins(self) -> int:
        """Of radial distributions."""
        return max(1, round(self.r_max / self.bin_width))
