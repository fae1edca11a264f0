"""Pictures of a potential's errors over labelled structures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.pictures.figure import new_figure, styled
from nnp.train.data.evaluation import QUANTITIES, EvaluationReport

_Shown = tuple[str, str, float]  # name, unit, factor

# More numbers than this are drawn as densities.
_DOTS = 400
_CELLS = 40  # of a hexagonal density, along one axis
_BINS = 20  # of force magnitudes


@styled
def parity(report: EvaluationReport) -> Any:
    """Predictions over labels: dots by group where they are few, else how many there are."""
    figure, panels = _panels(report, 3.6)
    for axis, (name, table_unit, table_factor) in panels:
        unit, factor = ("eV/atom", 1.0) if name == "energy" else (table_unit, table_factor)
        comparison = report.comparisons[name]
        x, y = factor * comparison.reference, factor * comparison.predicted
        axis.plot([x.min(), x.max()], [x.min(), x.max()], color="black", linewidth=0.8)
        if len(x) > _DOTS:
            _density(figure, axis, x, y)
        else:
            for group, members in _drawn_groups(report).items():
                some = comparison.of(members)
                axis.plot(factor * some.reference, factor * some.predicted, ".", ms=4, label=group)
        r = comparison.statistics()["pearson"]
        axis.set_title(f"{name}, Pearson r = {r:.5f}", fontsize="medium")
        axis.set_xlabel(f"reference / {unit}")
        axis.set_ylabel(f"predicted / {unit}")
        if axis.get_legend_handles_labels()[1] and len(_drawn_groups(report)) <= 10:
            axis.legend(fontsize="x-small")
    return figure


@styled
def histograms(report: EvaluationReport) -> Any:
    """How often errors of which size are."""
    figure, panels = _panels(report, 3)
    for axis, (name, unit, factor) in panels:
        size = np.abs(factor * report.comparisons[name].error)
        size = size[size > 0]
        if len(size):
            low, high = np.log10([size.min(), size.max() * 1.0001])
            axis.hist(size, bins=list(np.logspace(low, high, 40)))
        axis.set_xscale("log")
        axis.set_xlabel(f"error of {name} / {unit}")
        axis.set_ylabel("labels")
    return figure


@styled
def over_magnitude(report: EvaluationReport) -> Any:
    """Force errors over the size of the force: density, and the root mean square of each bin."""
    forces = report.comparisons["forces"]
    size = np.abs(forces.reference)
    error = np.abs(forces.error)
    some = (size > 0) & (error > 0)
    if some.sum() < _BINS:
        return None
    x, y = np.log10(size[some]), np.log10(error[some])
    low, high = np.quantile(x, [0.005, 1.0])
    figure = new_figure(5.5, 3.8)
    axis = figure.subplots()
    inside = (x >= low) & (y >= np.quantile(y, 0.01))
    _density(figure, axis, x[inside], y[inside])
    edges = np.linspace(low, high, _BINS + 1)
    index = np.clip(np.digitize(x, edges) - 1, 0, _BINS - 1)
    counts = np.bincount(index, minlength=_BINS)
    sums = np.bincount(index, error[some] ** 2, minlength=_BINS)
    known = counts > 5
    middle = (edges[:-1] + edges[1:]) / 2
    rms = 0.5 * np.log10(sums[known] / counts[known])
    axis.plot(middle[known], rms, "o-", color="C3", ms=3, label="root mean square")
    axis.plot([low, high], [low - 1, high - 1], "--", color="black", lw=0.8, label="a tenth of it")
    axis.set_xlabel("lg of a force component / eV/Å")
    axis.set_ylabel("lg of its error / eV/Å")
    axis.legend(fontsize="x-small")
    return figure


@styled
def over_volume(report: EvaluationReport) -> Any:
    """Energy against volume per atom: how cell scaling is met."""
    energy = report.comparisons["energy"]
    volume = report.volumes[energy.structure]
    known = np.isfinite(volume)
    if not known.any() or np.ptp(volume[known]) < 1e-6:
        return None
    figure = new_figure(6, 3.8)
    axis = figure.subplots()
    for values, marker, label in (
        (energy.reference, "o", "reference"),
        (energy.predicted, "x", "predicted"),
    ):
        axis.plot(volume[known], values[known], marker, ms=4, mfc="none", label=label)
    axis.set_xlabel("volume per atom / Å³")
    axis.set_ylabel("energy per atom / eV")
    axis.legend()
    return figure


@styled
def committee_spread(report: EvaluationReport) -> Any:
    """Errors over the deviation of a committee's members."""
    forces = report.comparisons["forces"]
    if forces.spread is None:
        return None
    some = np.isfinite(forces.spread) & (forces.spread > 0) & (forces.error != 0)
    if not some.any():
        return None
    x, y = np.log10(forces.spread[some]), np.log10(np.abs(forces.error[some]))
    figure = new_figure(5.5, 3.8)
    axis = figure.subplots()
    axis.plot([x.min(), x.max()], [x.min(), x.max()], color="black", linewidth=0.8)
    _density(figure, axis, x, y)
    axis.set_xlabel("lg of the members' deviation / eV/Å")
    axis.set_ylabel("lg of the error / eV/Å")
    return figure


@styled
def learning_curves(columns: Mapping[str, NDArray[np.float64]]) -> Any:
    """Errors by epoch, of a run's ``log.csv`` or of the models that it kept."""
    figure = new_figure(8, 3)
    axes = figure.subplots(1, 2)
    for axis, key, label in (
        (axes[0], "energy_rmse_mev", "energy RMSE / meV/atom"),
        (axes[1], "force_rmse", "force RMSE / eV/Å"),
    ):
        for part in ("train", "valid", "data"):
            if f"{part}_{key}" in columns:
                judged = columns.get(f"{part}_structures")
                name = part if judged is None else f"{part}, {judged[-1]:.0f} structures"
                axis.semilogy(columns["epoch"], columns[f"{part}_{key}"], ".-", label=name)
        axis.set_xlabel("epoch")
        axis.set_ylabel(label)
        if axis.get_legend_handles_labels()[1]:
            axis.legend()
    return figure


def _density(figure: Any, axis: Any, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    cells = axis.hexbin(x, y, gridsize=_CELLS, bins="log", mincnt=1, linewidths=0.1)
    figure.colorbar(cells, ax=axis, label="labels")


def _panels(report: EvaluationReport, height: float) -> tuple[Any, Iterable[tuple[Any, _Shown]]]:
    """A panel for each quantity that has labels, with its name, unit and factor; None without."""
    shown = [q for q in QUANTITIES if len(report.comparisons[q[0]].error)]
    if not shown:
        return None, ()
    figure = new_figure(4 * len(shown), height)
    axes = np.atleast_1d(figure.subplots(1, len(shown)))
    return figure, zip(axes, shown, strict=True)


def _drawn_groups(report: EvaluationReport) -> dict[str, list[int]]:
    return {g: m for g, m in report.groups.items() if g != "all"} or report.groups
