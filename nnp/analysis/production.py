"""Which frames are the run proper: the beginning cut, equally far in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.blocks import correlation_warning
from nnp.analysis.equilibration import (
    FEWEST,
    LATE,
    detect_equilibration,
    statistical_inefficiency,
)
from nnp.analysis.settings import AnalysisSettings
from nnp.analysis.trajectories import Outline
from nnp.errors import UnavailableError
from nnp.units import FS_PER_PS

Floats = NDArray[np.float64]

# Series that tell of equilibrium, the slower ones first.
_TELLING = ("volume_A3", "potential_energy_eV", "temperature_K")
_UNEVEN = 1e-3  # relative difference of times between frames
_TOLD = "the first share of {:.4g}, as given"


@dataclass(frozen=True, eq=False)
class Production:
    """What is analysed.

    Attributes:
        frames: their numbers.
        columns: the log after the cut; None without a log.
        spacing_ps: between two of the frames; None where it is not known, or not one.
        why: what was cut and why.
        notes: to be said.
        why_no_spacing: and the way out.
    """

    frames: range
    columns: Mapping[str, Floats] | None
    spacing_ps: float | None
    why: str
    notes: list[str] = field(default_factory=list)
    why_no_spacing: str = ""


def find_production(
    outline: Outline, log: Mapping[str, Floats] | None, settings: AnalysisSettings
) -> Production:
    """Cut the beginning, as told or as the log (else the frames' energies) shows."""
    times_ps = _times(outline, settings) / FS_PER_PS
    notes: list[str] = []
    share, why = _cut(outline, log, settings, notes)
    columns = None
    start = int(np.ceil(share * outline.count)) if share else 0
    if log is not None and len(log.get("time_ps", ())):
        log_times = log["time_ps"]
        begin = log_times[0] + share * (log_times[-1] - log_times[0])
        columns = {name: values[log_times >= begin] for name, values in log.items()}
        if np.isfinite(times_ps).all() and outline.count > 1:
            rounding = _UNEVEN * abs(times_ps[-1] - times_ps[0]) / (outline.count - 1)
            start = int(np.searchsorted(times_ps, begin - rounding))
    start = min(start, max(outline.count - 1, 0))
    frames = range(start, outline.count, settings.every)
    spacing, unknown = _spacing(times_ps[frames.start : frames.stop : frames.step])
    return Production(frames, columns, spacing, why, notes, unknown)


def _times(outline: Outline, settings: AnalysisSettings) -> Floats:
    if settings.frame_time_fs is not None:
        return np.asarray(settings.frame_time_fs * np.arange(outline.count), np.float64)
    return outline.times_fs


def _cut(
    outline: Outline,
    log: Mapping[str, Floats] | None,
    settings: AnalysisSettings,
    notes: list[str],
) -> tuple[float, str]:
    """Share of the run that is cut, and why."""
    columns = log if log is not None else {"potential_energy_eV": outline.energies}
    telling = {name: columns[name] for name in _TELLING if name in columns}
    telling = {n: x for n, x in telling.items() if len(x) >= FEWEST and np.isfinite(x).all()}
    try:
        share, why = _share(telling, settings, notes, "frames" if log is None else "log")
        _look_at_correlation(telling, share, settings, notes)
    except UnavailableError as error:
        share = settings.skip or 0.0
        notes.append(f"{'nothing is cut, and ' if settings.skip is None else ''}{error}")
        why = "nothing: pymbar is not installed" if settings.skip is None else _TOLD.format(share)
    return share, why


def _share(
    telling: Mapping[str, Floats], settings: AnalysisSettings, notes: list[str], source: str
) -> tuple[float, str]:
    if settings.skip is not None:
        return settings.skip, _TOLD.format(settings.skip)
    if not telling:
        notes.append(
            "nothing is cut at the beginning: there are no energies over time to see where the run "
            "has equilibrated; --log names the log of nnp md, --skip 0.2 cuts a fifth"
        )
        return 0.0, "nothing: no energies over time"
    found = {name: detect_equilibration(x, name).start / len(x) for name, x in telling.items()}
    name, share = max(found.items(), key=lambda item: item[1])
    if share > LATE:
        notes.append(
            f"{name} is steady only after {100 * share:.0f} % of the run: it may still drift; "
            "run longer"
        )
    return share, f"the first {100 * share:.3g} %: {name} of the {source} is steady after it"


def _look_at_correlation(
    telling: Mapping[str, Floats], share: float, settings: AnalysisSettings, notes: list[str]
) -> None:
    """Say it where blocks of the slowest series are not independent samples."""
    kept = {name: x[int(share * len(x)) :] for name, x in telling.items()}
    slow = {name: statistical_inefficiency(x) for name, x in kept.items()}
    if not slow:
        return
    name = max(slow, key=lambda name: slow[name] / len(kept[name]))
    if warning := correlation_warning(slow[name], len(kept[name]), settings.blocks):
        notes.append(f"{name}: {warning}")


def _spacing(times_ps: Floats) -> tuple[float | None, str]:
    if not np.isfinite(times_ps).all():
        return None, (
            "no displacements and velocities over time: the file does not say the times of its "
            "frames; --frame-time FS does"
        )
    steps = np.diff(times_ps)
    if len(steps) == 0:
        return None, ""
    spacing = float(np.median(steps))
    if spacing <= 0 or np.abs(steps - spacing).max() > _UNEVEN * spacing:
        worst = int(np.abs(steps - spacing).argmax())
        return None, (
            f"no displacements and velocities over time: frames are not equally far from one "
            f"another ({1000 * spacing:.6g} fs, but {1000 * steps[worst]:.6g} fs after frame "
            f"{worst} of those taken): --skip to where they are, or analyse segments apart"
        )
    return spacing, ""
