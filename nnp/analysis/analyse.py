"""Everything about one trajectory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.analysis import parts
from nnp.analysis.gathering import Gathered, gather
from nnp.analysis.production import Production, find_production
from nnp.analysis.results import Analysis
from nnp.analysis.settings import AnalysisSettings
from nnp.analysis.trajectories import Trajectory, open_trajectory
from nnp.errors import OptionError, StructureError
from nnp.io.structures import ReadOptions
from nnp.md import read_log

Floats = NDArray[np.float64]

# Numbers of frames below which nothing can be said of motion.
_FEWEST_FRAMES = 10


def analyse(
    trajectory: str | Path | Trajectory,
    settings: AnalysisSettings | None = None,
    log: str | Path | None = None,
    topology: str | Path | None = None,
    options: ReadOptions | None = None,
    name: str | None = None,
    quiet: bool = True,
) -> Analysis:
    """Structure, motion and thermodynamics of a trajectory, with errors.

    Args:
        trajectory: a file, or what `open_trajectory` returns.
        settings: how.
        log: the log of `nnp md`; the ``.csv`` beside the trajectory where there is one; its
            columns go before what frames tell.
        topology: elements for formats without them, see `open_trajectory`.
        options: what the files themselves do not state.
        name: what pictures call it; the file's name when None.
        quiet: without progress bars.

    Raises:
        NNPError: nothing to read, broken files, frames of different atoms, bonds of elements that
            are not there.
    """
    settings = settings or AnalysisSettings()
    if not isinstance(trajectory, Trajectory):
        trajectory = open_trajectory(trajectory, options, topology)
    check_bonds(settings, trajectory)
    outline = trajectory.outline()
    path = log_beside(trajectory.path) if log is None else Path(log)
    columns = None if path is None else read_log(path)
    production = find_production(outline, columns, settings)
    if not len(production.frames):
        raise StructureError(
            f"{trajectory.path}: none of its {outline.count} frames is left by skip="
            f"{settings.skip} and every={settings.every}"
        )
    moving = len(production.frames) >= _FEWEST_FRAMES and production.spacing_ps is not None
    gathered = gather(trajectory, production.frames, settings, moving, quiet)
    try:
        found = Analysis(name or trajectory.path.stem)
        found.about = _about(trajectory, outline.count, production, gathered, path)
        found.notes += production.notes
        if not moving:
            found.notes.append(_still(trajectory, production))
        _fill(found, trajectory, gathered, production, settings)
        if not (found.quantities or found.curves):
            why = [n for n in found.notes if n.startswith(("no displacements", "no g(r)"))]
            raise StructureError(
                f"nothing can be computed from {trajectory.path}: {'; '.join(why)}"
            )
        found.notes += _without_effect(found, settings)
    finally:
        gathered.close()
    return found


def check_bonds(settings: AnalysisSettings, trajectory: Trajectory) -> None:
    """Refuse bonds of elements that a trajectory does not have.

    Raises:
        OptionError: it has no such element.
    """
    for pair, value in settings.bonds.items():
        missing = [symbol for symbol in pair.split("-") if symbol not in trajectory.symbols]
        if missing:
            raise OptionError(
                f"bond {pair}={value:g}: {trajectory.path} has no {missing[0]}, only "
                f"{', '.join(trajectory.symbols)}"
            )


def log_beside(trajectory: Path) -> Path | None:
    """The log that `nnp md` leaves beside a trajectory; None where there is none."""
    path = trajectory.with_suffix(".csv")
    try:
        with path.open(encoding="utf-8") as file:
            return path if file.readline().startswith("step,time_ps,") else None
    except (OSError, ValueError):
        return None


def _fill(
    found: Analysis,
    trajectory: Trajectory,
    gathered: Gathered,
    production: Production,
    settings: AnalysisSettings,
) -> None:
    columns = production.columns or _known(gathered.columns)
    parts.add_thermodynamics(found, columns, len(trajectory), settings)
    if gathered.pairs is None:
        found.notes.append(
            f"no g(r), S(k) and densities: {trajectory.path} has no cell with three periodic axes "
            "(of a box, write it with its cell; a molecule has none)"
        )
        if gathered.frames:
            parts.add_motion(found, trajectory, gathered, production, settings)
        return
    distributions = parts.add_structure(found, gathered.pairs)
    parts.add_angles(found, gathered, distributions, settings)
    parts.add_motion(found, trajectory, gathered, production, settings)


def _without_effect(found: Analysis, settings: AnalysisSettings) -> list[str]:
    """What was said and nothing used, with the reason."""
    notes = []
    ensemble = str(found.about.get("ensemble", "unknown"))
    if settings.pressure_bar is not None and not ensemble.startswith("npt"):
        notes.append(
            f"--pressure {settings.pressure_bar:g} is not used: it enters the fluctuations of npt "
            f"only, and the ensemble is {ensemble} (--ensemble npt says otherwise)"
        )
    diffuses = any(one.name.startswith("diffusion ") for one in found.quantities)
    if settings.viscosity_mpa_s is not None and not diffuses:
        notes.append(
            f"--viscosity {settings.viscosity_mpa_s:g} is not used: it corrects diffusion "
            "coefficients, and there is none"
        )
    if settings.bonds and "angles" not in found.curves:
        notes.append("--bond is not used: no angles are computed")
    return notes


def _known(columns: dict[str, list[float]]) -> dict[str, Floats]:
    """Those of the frames that are known in every one."""
    arrays = {name: np.array(values) for name, values in columns.items()}
    return {name: values for name, values in arrays.items() if np.isfinite(values).all()}


def _still(trajectory: Trajectory, production: Production) -> str:
    count = len(production.frames)
    if count < _FEWEST_FRAMES:
        return (
            f"no displacements, velocities and reliable errors: {trajectory.path} has "
            f"{count} frame{'s' if count > 1 else ''} here, at least {_FEWEST_FRAMES} are expected"
        )
    return production.why_no_spacing


def _about(
    trajectory: Trajectory,
    count: int,
    production: Production,
    gathered: Gathered,
    log: Path | None,
) -> dict[str, object]:
    counts = {s: len(trajectory.of_element(s)) for s in trajectory.symbols}
    return {
        "trajectory": str(trajectory.path),
        "log": None if log is None else str(log),
        "atoms": len(trajectory),
        "elements": counts,
        "frames in the file": count,
        "first frame taken": production.frames.start,
        "frames taken": gathered.frames,
        "frames taken for structure": gathered.structures,
        "time between frames / ps": production.spacing_ps,
        "cut": production.why,
    }
