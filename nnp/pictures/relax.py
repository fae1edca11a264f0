"""A picture of a relaxation: energy, largest force and stress by step, and the tolerances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnp.md.relax_settings import RelaxSettings
from nnp.md.relaxation import Relaxed
from nnp.pictures.figure import new_figure, save_figure, styled


@styled
def plot_relaxation(found: Relaxed, settings: RelaxSettings, path: str | Path) -> None:
    """Draw energy, largest force and, where the cell was relaxed too, largest stress over steps.

    Args:
        found: the relaxation.
        settings: of it: the tolerances are dashed lines.
        path: of the picture; an existing one is replaced.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    history = found.history
    steps = [step.step for step in history]
    rows = 3 if settings.cell else 2
    figure = new_figure(7, 2.0 + 1.5 * rows)
    axes = figure.subplots(rows, 1, sharex=True)
    last = history[-1].energy
    axes[0].plot(steps, [step.energy - last for step in history], color="C0")
    axes[0].set_ylabel("energy − last / eV")
    forces = [step.largest_force for step in history]
    _falling(axes[1], steps, forces, settings.force_tolerance, "largest force / eV/Å")
    if settings.cell:
        stresses = [step.largest_stress or 0.0 for step in history]
        _falling(axes[2], steps, stresses, settings.stress_tolerance, "largest stress / bar")
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    save_figure(figure, path)


def _falling(axis: Any, steps: list[int], values: list[float], tolerance: float, name: str) -> None:
    """On a logarithmic scale, where zeros have no place."""
    positive = [value if value > 0 else float("nan") for value in values]
    axis.plot(steps, positive, color="C3")
    axis.axhline(tolerance, color="black", linestyle="--", linewidth=0.8, label="tolerance")
    axis.set_yscale("log")
    axis.set_ylabel(name)
    axis.legend(loc="best")
