"""Pictures and one HTML page of how well a potential does. matplotlib is imported when drawing."""

from __future__ import annotations

import base64
import csv
import html
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.files import replacing
from nnp.pictures.figure import new_figure
from nnp.train.data.evaluation import QUANTITIES, EvaluationReport
from nnp.values import counted

_STYLE = """body{font-family:sans-serif;max-width:60em;margin:2em auto}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right}
tr{border-bottom:1px solid #ccc}
td:nth-child(-n+3),th:nth-child(-n+3){text-align:left}img{max-width:100%}"""


def write_report(
    report: EvaluationReport, folder: str | Path, title: str, log: str | Path | None = None
) -> list[Path]:
    """Draw parity, error-histogram, volume and learning-curve plots, and a page with all.

    Args:
        report: of `nnp.train.evaluate`.
        folder: gets ``*.png`` and ``report.html``; files of the same names are replaced.
        title: of the page.
        log: the ``log.csv`` of the training run, for learning curves.

    Returns:
        The files written.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    folder = Path(folder)
    figures = {
        "parity": _parity(report),
        "errors": _histograms(report),
        "volume": _over_volume(report),
        "learning": None if log is None else _learning_curves(log),
    }
    folder.mkdir(parents=True, exist_ok=True)
    written, pictures = [], []
    for name, figure in figures.items():
        if figure is None:
            continue
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=120, format="png")
        path = folder / f"{name}.png"
        with replacing(path, force=True) as scratch:
            scratch.write_bytes(buffer.getvalue())
        written.append(path)
        pictures.append(base64.b64encode(buffer.getvalue()).decode())
    page = folder / "report.html"
    with replacing(page, force=True) as scratch:
        scratch.write_text(_page(report, title, pictures), encoding="utf-8")
    return [*written, page]


def _page(report: EvaluationReport, title: str, pictures: list[str]) -> str:
    header, rows = report.table()
    lines = [_row(header, "th"), *(_row(row, "td") for row in rows)]
    images = "".join(f'<p><img alt="" src="data:image/png;base64,{p}"></p>' for p in pictures)
    structures = len(report.groups["all"])
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>"
        f"<p>{counted(structures, 'structure')}; {len(report.extrapolating)} of them with atoms "
        f"outside the training range.</p><table>{''.join(lines)}</table>{images}</body></html>\n"
    )


def _row(cells: list[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _shown(report: EvaluationReport) -> list[tuple[str, str, float]]:
    return [q for q in QUANTITIES if len(report.comparisons[q[0]].error)]


def _parity(report: EvaluationReport) -> Any:
    shown = _shown(report)
    if not shown:
        return None
    figure = new_figure(4 * len(shown), 4)
    axes = np.atleast_1d(figure.subplots(1, len(shown)))
    for axis, (name, table_unit, table_factor) in zip(axes, shown, strict=True):
        unit, factor = ("eV/atom", 1.0) if name == "energy" else (table_unit, table_factor)
        comparison = report.comparisons[name]
        ends = np.array([comparison.reference.min(), comparison.reference.max()])
        axis.plot(factor * ends, factor * ends, color="black", linewidth=0.8)
        for group, members in _drawn_groups(report).items():
            some = comparison.of(members)
            axis.plot(factor * some.reference, factor * some.predicted, ".", ms=3, label=group)
        r = comparison.statistics()["pearson"]
        axis.set_title(f"{name}, Pearson r = {r:.5f}", fontsize="medium")
        axis.set_xlabel(f"reference / {unit}")
        axis.set_ylabel(f"predicted / {unit}")
    axes[0].legend(fontsize="x-small")
    return figure


def _histograms(report: EvaluationReport) -> Any:
    shown = _shown(report)
    if not shown:
        return None
    figure = new_figure(4 * len(shown), 3)
    axes = np.atleast_1d(figure.subplots(1, len(shown)))
    for axis, (name, unit, factor) in zip(axes, shown, strict=True):
        squared = (factor * report.comparisons[name].error) ** 2
        squared = squared[squared > 0]
        if len(squared):
            low, high = np.log10([squared.min(), squared.max() * 1.0001])
            axis.hist(squared, bins=list(np.logspace(low, high, 40)))
        axis.set_xscale("log")
        axis.set_xlabel(f"squared error of {name} / ({unit})²")
        axis.set_ylabel("labels")
    return figure


def _over_volume(report: EvaluationReport) -> Any:
    """Energy against volume per atom: how cell scaling is met."""
    energy = report.comparisons["energy"]
    volume = report.volumes[energy.structure]
    known = np.isfinite(volume)
    if not known.any():
        return None
    figure = new_figure(6, 4)
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


def _learning_curves(log: str | Path) -> Any:
    columns = read_learning(log)
    figure = new_figure(8, 3)
    axes = figure.subplots(1, 2)
    for axis, key, label in (
        (axes[0], "energy_rmse_mev", "energy RMSE / meV/atom"),
        (axes[1], "force_rmse", "force RMSE / eV/Å"),
    ):
        for part in ("train", "valid"):
            if f"{part}_{key}" in columns:
                axis.semilogy(columns["epoch"], columns[f"{part}_{key}"], label=part)
        axis.set_xlabel("epoch")
        axis.set_ylabel(label)
        axis.legend()
    return figure


def read_learning(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """Columns of the ``log.csv`` of a training run, by name.

    Raises:
        FileFormatError: it is none.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        columns = {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}
    except (OSError, IndexError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path} is no log of a training run: {error}") from None
    if "epoch" not in columns:
        raise FileFormatError(f"{path} is no log of a training run: it has no column epoch")
    return columns


def _drawn_groups(report: EvaluationReport) -> dict[str, list[int]]:
    return {g: m for g, m in report.groups.items() if g != "all"} or report.groups
