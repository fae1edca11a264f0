"""A picture of measured speed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnp.bench.measurement import Measurement
from nnp.pictures.figure import new_figure, save_figure, styled


@styled
def draw(measurements: Sequence[Measurement], path: str | Path) -> None:
    """A bar per measurement, the best step as a mark.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    figure = new_figure(8, 0.8 + 0.4 * len(measurements))
    axes = figure.add_subplot()
    names = [f"{m.subject}, {m.n_atoms} atoms" for m in measurements]
    axes.barh(names, [m.rate for m in measurements], color="C0")
    axes.plot([m.best for m in measurements], names, "|", color="black", markersize=12)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("atom-steps per second (bar: median step, mark: best)")
    save_figure(figure, path)
