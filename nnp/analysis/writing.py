"""The files of an analysis: ``analysis.json`` with everything, ``numbers.csv``, a CSV per curve."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnp.analysis.results import Analysis, Curve, Quantity
from nnp.errors import FileFormatError, NNPError, OutputExistsError
from nnp.io.files import check_can_be, replacing
from nnp.io.scratch import remove_left

JSON_NAME = "analysis.json"
_NUMBERS_NAME = "numbers.csv"
# Every curve that an analysis of a run or of a crystal may have.
CURVES = (
    *("rdf", "structure_factor", "angles", "msd", "vacf", "vdos", "thermodynamics"),
    *("energy_volume", "birch_murnaghan", "elastic"),
    *("phonon_bands", "phonon_density", "phonon_thermodynamics"),
)
# The JSON goes first when they are removed.
_NAMES = (JSON_NAME, _NUMBERS_NAME, *(f"{name}.csv" for name in CURVES))
_FORMAT = "nnp analysis 1"


def write_analysis(found: Analysis, folder: str | Path, force: bool = False) -> list[Path]:
    """Write it into a folder, which is made.

    The JSON goes first and comes last: a folder that has it holds one analysis and no curves of
    another, whenever a process is killed.

    Returns:
        The files.

    Raises:
        OutputExistsError: a file is there and ``force`` is False.
        NNPError: the file system refuses.
    """
    folder = Path(folder)
    texts = {_NUMBERS_NAME: _numbers(found.quantities)}
    texts |= {f"{name}.csv": _table(curve) for name, curve in found.curves.items()}
    texts[JSON_NAME] = json.dumps(_plain(found), indent=1, ensure_ascii=False) + "\n"
    prepare_folder(folder, force)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _NAMES:
        (folder / name).unlink(missing_ok=True)
    for name, text in texts.items():
        with replacing(folder / name, force) as scratch:
            scratch.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def prepare_folder(folder: Path, force: bool, pages: Sequence[str] = ()) -> None:
    """Refuse a folder that cannot be written, before anything is computed for it.

    What killed processes left in it is removed.

    Args:
        folder: of an analysis.
        force: whether files may be overwritten.
        pages: names of what else will be written into it, such as pictures.

    Raises:
        OutputExistsError: it holds an analysis, and ``force`` is False.
        NNPError: it cannot be made.
    """
    names = (*_NAMES, *pages)
    for name in names:
        remove_left(folder / name)
    there = [folder / name for name in names if (folder / name).is_file()]
    if there and not force:
        part = "" if there[0].name == JSON_NAME else f", or a part of one ({there[0].name})"
        raise OutputExistsError(
            f"{folder} holds an analysis{part}: choose another --output, or add --force"
        )
    check_can_be(folder)
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in missing:  # a command that is refused later leaves nothing
            path.rmdir()
    except OSError as error:
        raise NNPError(f"--output {folder}: {error.strerror or error}") from error


def read_analysis(path: str | Path) -> Analysis:
    """An analysis that was written: its folder, or its JSON.

    Raises:
        FileFormatError: it is none.
    """
    path = Path(path)
    path = path / JSON_NAME if path.is_dir() else path
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        _require_format(data["format"], path)
        quantities = [
            Quantity(q["name"], _number(q["value"]), _number(q["error"]), q["unit"], q["how"])
            for q in data["quantities"]
        ]
        curves = {name: _curve(columns) for name, columns in data["curves"].items()}
        return Analysis(data["name"], data["about"], quantities, curves, data["notes"])
    except FileFormatError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            f"{path} cannot be read as an analysis of nnp analyse: {type(error).__name__}: {error}"
        ) from None


def _require_format(got: object, path: Path) -> None:
    if got != _FORMAT:
        raise FileFormatError(f"{path} has the format {got!r}: {_FORMAT!r} is expected")


def _plain(found: Analysis) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "name": found.name,
        "about": found.about,
        "quantities": [
            {
                "name": q.name,
                "value": _json(q.value),
                "error": _json(q.error),
                "unit": q.unit,
                "how": q.how,
            }
            for q in found.quantities
        ],
        "curves": {
            name: {column: [_json(x) for x in values] for column, values in curve.columns().items()}
            for name, curve in found.curves.items()
        },
        "notes": found.notes,
    }


def _curve(columns: dict[str, list[float | None]]) -> Curve:
    arrays = {name: np.array([_number(x) for x in values]) for name, values in columns.items()}
    x_name = next(iter(arrays))
    names = [name for name in arrays if name != x_name and not name.endswith("_error")]
    errors = {n: arrays[f"{n}_error"] for n in names if f"{n}_error" in arrays}
    return Curve(x_name, arrays[x_name], {n: arrays[n] for n in names}, errors)


def _json(value: float) -> float | None:
    """JSON has no NaN."""
    number = float(f"{value:.8g}")
    return number if math.isfinite(number) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _numbers(quantities: list[Quantity]) -> str:
    rows = [["quantity", "value", "error", "unit", "how"]]
    for q in quantities:
        error = f"{q.error:.6g}" if math.isfinite(q.error) else ""
        rows.append([q.name, f"{q.value:.8g}", error, q.unit, q.how])
    return _csv(rows)


def _table(curve: Curve) -> str:
    columns = curve.columns()
    rows = [list(columns)]
    rows += [
        [f"{x:.8g}" if math.isfinite(x) else "" for x in values]
        for values in zip(*columns.values(), strict=True)
    ]
    return _csv(rows)


def _csv(rows: list[list[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
