"""One HTML page of how well a potential does, with its pictures, and the numbers as JSON."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.files import replacing
from nnp.pictures.errors import (
    committee_spread,
    histograms,
    learning_curves,
    over_magnitude,
    over_volume,
    parity,
)
from nnp.pictures.figure import styled
from nnp.pictures.inputs import input_figure
from nnp.train.data.evaluation import EvaluationReport
from nnp.train.data.inputs_seen import InputsSeen
from nnp.train.data.judge import advice, metrics, worst
from nnp.values import counted

_DOTS_PER_INCH = 110
_STYLE = """body{font-family:sans-serif;max-width:60em;margin:2em auto;line-height:1.4}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right}
tr{border-bottom:1px solid #ccc}
td:nth-child(-n+3),th:nth-child(-n+3){text-align:left}img{max-width:100%}
pre{background:#f4f4f4;padding:.6em;overflow-x:auto}"""
# Name of each picture, its heading, and how to read it.
_CAPTIONS = {
    "parity": (
        "Predicted over reference",
        "Points on the line are exact; the colour counts labels.",
    ),
    "errors": ("How large errors are", "One peak is normal; a second one is another kind of data."),
    "magnitude": (
        "Force errors over forces",
        "The red line should lie below the dashed one for all but the smallest forces.",
    ),
    "volume": ("Energy over volume", "Crosses should lie in circles, above all at both ends."),
    "learning": (
        "Learning curves",
        "valid far above train: more data. Both still falling: more epochs.",
    ),
    "spread": (
        "Committee",
        "On the line the spread of the members is the error; below it the spread is too large.",
    ),
    "inputs": (
        "Inputs",
        "Grey: where atoms lie in the training range. Red functions never change: no information.",
    ),
}


@dataclass(frozen=True, eq=False)
class Background:
    """What a report says beside the errors.

    Attributes:
        training: errors over the structures of the fit.
        log: the ``log.csv`` of the training run, for learning curves.
        inputs: of the networks.
        notes: sections of plain lines by heading.
    """

    training: EvaluationReport | None = None
    log: str | Path | None = None
    inputs: Sequence[InputsSeen] = ()
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@styled
def write_report(
    report: EvaluationReport,
    folder: str | Path,
    title: str,
    background: Background | None = None,
    pictures: bool = True,
) -> list[Path]:
    """Write ``metrics.json``, pictures, and a page with all of it.

    Args:
        report: of `nnp.train.evaluate`.
        folder: gets ``metrics.json``, ``*.png`` and ``report.html``; files of the same names are
            replaced.
        title: of the page.
        background: what else is known.
        pictures: whether to draw and write the page; matplotlib is needed for it.

    Returns:
        The files written.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    folder, background = Path(folder), background or Background()
    folder.mkdir(parents=True, exist_ok=True)
    columns = None if background.log is None else read_learning(background.log)
    next_steps = advice(report, background.training, columns, background.inputs)
    numbers = folder / "metrics.json"
    with replacing(numbers, force=True) as scratch:
        table = _numbers(report, background, next_steps)
        scratch.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not pictures:
        return [numbers]
    figures = {
        "parity": parity(report),
        "errors": histograms(report),
        "magnitude": over_magnitude(report),
        "volume": over_volume(report),
        "learning": None if columns is None else learning_curves(columns),
        "spread": committee_spread(report),
        "inputs": input_figure(background.inputs),
    }
    written, encoded = [numbers], {}
    for name, figure in figures.items():
        if figure is None:
            continue
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=_DOTS_PER_INCH, format="png")
        path = folder / f"{name}.png"
        with replacing(path, force=True) as scratch:
            scratch.write_bytes(buffer.getvalue())
        written.append(path)
        encoded[name] = base64.b64encode(buffer.getvalue()).decode()
    page = folder / "report.html"
    with replacing(page, force=True) as scratch:
        body = "".join(_body(report, background, next_steps, encoded))
        scratch.write_text(_page(title, body), encoding="utf-8")
    return [*written, page]


def _numbers(
    report: EvaluationReport, background: Background, next_steps: Sequence[str]
) -> dict[str, Any]:
    table = metrics(report, background.inputs)
    if background.training is not None:
        table["training"] = metrics(background.training)
    return table | {"next": list(next_steps)}


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>{body}</body></html>\n"
    )


def _body(
    report: EvaluationReport,
    background: Background,
    next_steps: Sequence[str],
    pictures: Mapping[str, str],
) -> Iterator[str]:
    structures = len(report.groups["all"])
    yield (
        f"<p>{counted(structures, 'structure')}; {len(report.extrapolating)} of them with atoms "
        "outside the training range.</p>"
    )
    yield _table(*report.table())
    if len(report.elements) > 1:
        yield "<h2>Forces by element</h2>"
        yield _table(*_by_element(report))
    if background.training is not None:
        yield "<h2>The structures of the fit</h2>"
        yield _table(*background.training.table())
    yield f"<h2>What next</h2><ul>{''.join(f'<li>{html.escape(s)}</li>' for s in next_steps)}</ul>"
    for name, encoded in pictures.items():
        heading, caption = _CAPTIONS[name]
        yield f"<h2>{heading}</h2><p>{caption}</p>"
        yield f'<p><img alt="{heading}" src="data:image/png;base64,{encoded}"></p>'
    yield "<h2>The worst structures</h2>"
    yield _table(*_worst(report))
    for heading, lines in background.notes.items():
        yield f"<h2>{html.escape(heading)}</h2><pre>{html.escape(chr(10).join(lines))}</pre>"


def _by_element(report: EvaluationReport) -> tuple[list[str], list[list[str]]]:
    rows = []
    for symbol, number in report.elements.items():
        own = report.comparisons["forces"].of_element(number)
        s = own.statistics()
        numbers = [f"{s[key]:.4f}" for key in ("mae", "rmse", "max")]
        rows.append([symbol, "forces", "eV/Å", str(len(own.error)), *numbers])
    return ["element", "quantity", "unit", "labels", "MAE", "RMSE", "max"], rows


def _worst(report: EvaluationReport) -> tuple[list[str], list[list[str]]]:
    header = ["structure", "group", "atoms", "energy error / meV/atom", "force RMSE / eV/Å", "max"]
    rows = [
        [
            entry.where,
            entry.group,
            _formula(report.frames[entry.index].structure.symbols),
            f"{1e3 * entry.energy_error:.2f}",
            f"{entry.force_rmse:.4f}",
            f"{entry.largest_force_error:.3f}",
        ]
        for entry in worst(report)
    ]
    return header, rows


def _formula(symbols: Sequence[str]) -> str:
    return " ".join(f"{symbol}{count}" for symbol, count in Counter(symbols).items())


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_row(header, "th"), *(_row(row, "td") for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


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
        raise FileFormatError(f"{path} is not a log of a training run: {error}") from None
    if "epoch" not in columns:
        raise FileFormatError(f"{path} is not a log of a training run: it has no column epoch")
    return columns
