"""One page of pictures of an analysis, or of several beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnp.analysis.compare import number_rows
from nnp.analysis.results import Analysis, Curve
from nnp.pictures.figure import new_figure, save_figure, styled

# Curve, label of the variable, label of the function, where the variable is shown to.
_PANELS = (
    ("rdf", "r / Å", "g(r)"),
    ("structure_factor", "k / Å⁻¹", "S(k)"),
    ("angles", "angle / °", "density / 1/°"),
    ("msd", "time / ps", "MSD / Å²"),
    ("vacf", "time / ps", "velocity autocorrelation"),
    ("vdos", "frequency / THz", "vibrational density / 1/THz"),
)
_TELLING = (
    ("temperature_K", "temperature / K"),
    ("pressure_bar", "pressure / bar"),
    ("volume_A3", "volume / Å³"),
    ("potential_energy_eV", "potential energy / eV"),
)
_STYLES = ("-", "--", ":", "-.")
_COLOURS = 10
_ROWS_OF_NUMBERS = 26
_WIDE_TABLE = 4  # columns: beyond, in smaller letters
_QUIET_VDOS = 1e-3  # of its highest value: the rest of the axis is empty


@styled
def plot_analyses(analyses: Sequence[Analysis], path: str | Path) -> None:
    """Draw all that was found on one page; line styles are analyses, colours functions where
    there are several.

    Args:
        analyses: one, or several; curves that only some have are drawn for these.
        path: of the picture; an existing one is replaced.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    panels = [p for p in _PANELS if any(p[0] in one.curves for one in analyses)]
    telling = [p for p in _TELLING if any(_changes(one, p[0]) for one in analyses)][:2]
    count = len(panels) + len(telling) + 1
    rows = -(-count // 3)
    figure = new_figure(12, 3.2 * rows)
    axes = figure.subplots(rows, 3, squeeze=False).ravel()
    for axis, (name, x_label, y_label) in zip(axes, panels, strict=False):
        _draw(axis, analyses, name)
        axis.set(xlabel=x_label, ylabel=y_label)
    for axis, (column, label) in zip(axes[len(panels) :], telling, strict=False):
        _draw_series(axis, analyses, column)
        axis.set(xlabel="time / ps", ylabel=label)
    write_numbers(axes[count - 1], analyses)
    for axis in axes[count:]:
        axis.set_axis_off()
    save_figure(figure, path)


def _changes(one: Analysis, column: str) -> bool:
    curve = one.curves.get("thermodynamics")
    values = None if curve is None else curve.values.get(column)
    return values is not None and bool(np.isfinite(values).any()) and float(np.ptp(values)) > 0


def _draw(axis: Any, analyses: Sequence[Analysis], name: str) -> None:
    functions = dict.fromkeys(
        f for one in analyses if name in one.curves for f in one.curves[name].values
    )
    one_each = len(functions) == 1  # colours are analyses then
    colours = {f: k for k, f in enumerate(functions)}
    for index, one in enumerate(analyses):
        curve = one.curves.get(name)
        if curve is None:
            continue
        for function, values in curve.values.items():
            label = function if len(analyses) == 1 else f"{function}, {one.name}"
            style = _STYLES[index % len(_STYLES)]
            colour = f"C{(index if one_each else colours[function]) % _COLOURS}"
            axis.plot(curve.x, values, style, color=colour, linewidth=1, label=label)
            error = curve.errors.get(function)
            if error is not None and np.isfinite(error).any():
                spread = 2 * np.nan_to_num(error)
                axis.fill_between(
                    curve.x, values - spread, values + spread, color=colour, alpha=0.2, linewidth=0
                )
    if name in ("rdf", "structure_factor"):
        axis.axhline(1.0, color="0.7", linewidth=0.6)
    if name == "vdos":
        axis.set_xlim(0, max(_end(one.curves["vdos"]) for one in analyses if "vdos" in one.curves))
    axis.legend(loc="best", fontsize="x-small")


def _end(curve: Curve) -> float:
    highest = np.max(list(curve.values.values()), axis=0)
    loud = np.flatnonzero(highest > _QUIET_VDOS * highest.max())
    return float(1.1 * curve.x[loud[-1]])


def _draw_series(axis: Any, analyses: Sequence[Analysis], column: str) -> None:
    for index, one in enumerate(analyses):
        curve = one.curves.get("thermodynamics")
        if curve is not None and column in curve.values:
            style = _STYLES[index % len(_STYLES)]
            axis.plot(curve.x, curve.values[column], style, linewidth=0.8, label=one.name)
    if len(analyses) > 1:
        axis.legend(loc="best", fontsize="x-small")


def write_numbers(axis: Any, analyses: Sequence[Analysis]) -> None:
    """Write all numbers into a panel, as a table."""
    axis.set_axis_off()
    header, rows = number_rows(analyses)
    if not rows:
        return
    shown = rows[:_ROWS_OF_NUMBERS]
    if len(rows) > len(shown):
        shown[-1] = ["…", *[""] * (len(header) - 1)]
    table = axis.table(
        cellText=shown, colLabels=header, loc="upper left", edges="open", cellLoc="left"
    )
    table.auto_set_font_size(False)
    size = 6.5 if len(header) <= _WIDE_TABLE else 5.5
    table.set_fontsize(size)
    table.auto_set_column_width(list(range(len(header))))
    table.scale(1, size / 10)
