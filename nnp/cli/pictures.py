"""Pictures of a finished run, where matplotlib is there."""

from __future__ import annotations

from pathlib import Path

from nnp.errors import NNPError
from nnp.io.structures import read_structures
from nnp.md import MDSettings, Outputs, read_log
from nnp.plots import have_matplotlib, plot_rdf, plot_run
from nnp.rdf import RadialDistribution, radial_distribution


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
        return ["no pictures: matplotlib is not installed (pip install 'nnp[plot]')"]
    target = None if settings.ensemble == "nve" else settings.temperature
    plot_run(read_log(outputs.log), over_time, target)
    lines = [f"picture     {over_time}"]
    if outputs.trajectory.suffix == ".dcd":
        return [*lines, "no picture of the radial distribution: it is drawn from extxyz only"]
    if periodic:
        try:
            plot_rdf({"second half of the run": second_half(outputs.trajectory)}, distribution)
        except NNPError as error:
            return [*lines, f"no picture of the radial distribution: {error}"]
        lines.append(f"            {distribution}")
    return lines


def second_half(trajectory: Path, r_max: float = 8.0) -> RadialDistribution:
    """g(r) of the second half of a trajectory: the first is left to the thermostat."""
    frames = read_structures(trajectory)
    return radial_distribution(frames[len(frames) // 2 :], r_max)
