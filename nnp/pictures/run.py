"""Pictures of a run of molecular dynamics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.analysis import open_trajectory
from nnp.errors import NNPError
from nnp.md import MDSettings, Outputs, read_log
from nnp.pictures.figure import NO_MATPLOTLIB, have_matplotlib, new_figure, save_figure, styled
from nnp.rdf import RadialDistribution, radial_distribution
from nnp.structure import Structure

_FRAMES = 200  # of a radial distribution


@styled
def plot_run(
    columns: dict[str, NDArray[np.float64]], path: str | Path, target: float | None = None
) -> None:
    """Draw temperature and energies over time.

    Args:
        columns: of a run's log, see `nnp.md.read_log`.
        path: of the picture; an existing one is replaced.
        target: temperature of the thermostat, K; a dashed line where it is given.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    time_ps = columns["time_ps"]
    figure = _figure(2)
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.plot(time_ps, columns["temperature_K"], color="C3", linewidth=1)
    if target is not None:
        upper.axhline(target, color="black", linestyle="--", linewidth=0.8)
    upper.set_ylabel("temperature / K")
    for name, label in (
        ("potential_energy_eV", "potential"),
        ("kinetic_energy_eV", "kinetic"),
        ("total_energy_eV", "total"),
    ):
        energy = columns[name]
        if len(energy):
            lower.plot(time_ps, energy - energy[0], label=label, linewidth=1)
    lower.set_ylabel("energy − its first value / eV")
    lower.set_xlabel("time / ps")
    lower.legend(loc="best")
    save_figure(figure, path)


@styled
def plot_rdf(distributions: dict[str, RadialDistribution], path: str | Path) -> None:
    """Draw radial distribution functions into one picture, two standard errors shaded.

    Args:
        distributions: by the names of the legend; where there are two, their difference is drawn
            below.
        path: of the picture; an existing one is replaced.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    pair = list(distributions.values()) if len(distributions) == 2 else None
    figure = _figure(2 if pair else 1)
    if pair:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    else:
        upper = lower = figure.subplots()
    for index, (name, found) in enumerate(distributions.items()):
        style = ("-", "--", "-.", ":")[index % 4]
        upper.plot(found.r, found.g, style, label=f"{name} ({found.frames} frames)")
        spread = 2 * np.nan_to_num(found.error)
        upper.fill_between(found.r, found.g - spread, found.g + spread, alpha=0.3, linewidth=0)
    upper.set_ylabel("g(r)")
    upper.legend(loc="best")
    if pair:
        error = 2 * np.nan_to_num(np.hypot(pair[0].error, pair[1].error))
        lower.fill_between(pair[0].r, -error, error, color="0.85", label="two standard errors")
        lower.plot(pair[0].r, pair[0].g - pair[1].g, color="black", linewidth=1)
        lower.set_ylabel("difference")
        lower.legend(loc="best", fontsize="small")
    lower.set_xlabel("r / Å")
    save_figure(figure, path)


def picture_paths(outputs: Outputs) -> tuple[Path, Path]:
    """Names of the pictures: run over time, radial distribution."""
    begin = str(outputs.final).removesuffix(".final.extxyz")
    return Path(f"{begin}.png"), Path(f"{begin}.rdf.png")


def draw(outputs: Outputs, settings: MDSettings, periodic: bool) -> list[str]:
    """Draw what can be drawn.

    Returns:
        Lines to print: where the pictures are, or why one is not there.
    """
    over_time, distribution = picture_paths(outputs)
    if not have_matplotlib():
        return [NO_MATPLOTLIB]
    target = None if settings.ensemble == "nve" else settings.temperature
    plot_run(read_log(outputs.log), over_time, target)
    lines = [f"picture     {over_time}"]
    trajectory = outputs.with_everything
    if trajectory is None:
        return [*lines, "no picture of the radial distribution: it is drawn from extxyz and traj"]
    if periodic:
        try:
            plot_rdf({"second half of the run": second_half(trajectory)}, distribution)
        except NNPError as error:
            return [*lines, f"no picture of the radial distribution: {error}"]
        lines.append(f"            {distribution}")
    return lines


def second_half(trajectory: Path, r_max: float = 8.0) -> RadialDistribution:
    """g(r) of the second half of a trajectory: the first is for equilibration.

    Frame by frame, and of at most ``_FRAMES`` of them: a long run should not end in a long wait.
    """
    found = open_trajectory(trajectory, say=False)
    count = found.outline().count
    begin = count // 2
    step = max(1, -(-(count - begin) // _FRAMES))
    pbc = np.ones(3, bool)
    structures = (
        Structure(frame.positions, found.numbers, frame.cell, pbc)
        for frame in found.frames(begin, count, step)
    )
    return radial_distribution(structures, r_max)


def _figure(rows: int) -> Any:
    return new_figure(7, 2.5 + 1.5 * rows)
