"""Two analyses, or one and a reference, side by side: numbers, and how far curves are apart."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.results import EXACT, Analysis, Curve
from nnp.analysis.writing import read_analysis
from nnp.errors import FileFormatError
from nnp.io.files import reason

Floats = NDArray[np.float64]

# Curves by what their first column is called.
_BY_VARIABLE = {
    "r_A": "rdf",
    "k_1_per_A": "structure_factor",
    "angle_deg": "angles",
    "frequency_THz": "vdos",
    "time_ps": "thermodynamics",
}
_BY_NAME = ("msd", "vacf", *_BY_VARIABLE.values())


@dataclass(frozen=True)
class Difference:
    """Of one function in two analyses.

    Attributes:
        curve: such as ``rdf``.
        function: such as ``Si-O``.
        found: root mean square over the range that both have.
        expected: of two samples of one thing, by their errors; NaN where these are not known.
    """

    curve: str
    function: str
    found: float
    expected: float


def differences(first: Analysis, second: Analysis) -> list[Difference]:
    """Of every function that both have; the second is interpolated to the first's points."""
    found = []
    for name, one in first.curves.items():
        other = second.curves.get(name)
        if other is None or name == "thermodynamics":
            continue
        inside = (one.x >= other.x.min()) & (one.x <= other.x.max())
        both = [function for function in one.values if function in other.values]
        if inside.any():
            found += [_difference(name, function, one, other, inside) for function in both]
    return found


def _difference(
    curve: str, function: str, one: Curve, other: Curve, inside: NDArray[np.bool_]
) -> Difference:
    x = one.x[inside]
    apart = one.values[function][inside] - np.interp(x, other.x, other.values[function])
    variance = np.zeros(len(x))
    for side in (one, other):
        error = side.errors.get(function)
        variance += np.nan if error is None else np.interp(x, side.x, error) ** 2
    return Difference(curve, function, _rms(apart), float(np.sqrt(np.mean(variance))))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def number_rows(analyses: Sequence[Analysis]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table of all numbers; of two, how many standard errors lie between."""
    two = len(analyses) == 2
    header = ["", *(one.name for one in analyses), *(["σ apart"] if two else []), "unit"]
    names = dict.fromkeys(q.name for one in analyses for q in one.quantities)
    rows = []
    for name in names:
        there = [next((q for q in one.quantities if q.name == name), None) for one in analyses]
        apart = []
        if two:
            left, right = there
            apart = [""]
            if left and right:
                error = float(np.hypot(left.error, right.error))
                known = error > EXACT * abs(left.value)
                apart = [f"{abs(left.value - right.value) / error:.1f}"] if known else apart
        unit = next(q.unit for q in there if q)
        rows.append([name, *(q.text if q else "" for q in there), *apart, unit])
    return header, rows


def read_reference(path: str | Path, name: str | None = None) -> Analysis:
    """Something to compare with: an analysis (folder or JSON), or a CSV of one curve.

    The first line of a CSV names its columns. The first column says which curve it is: ``r_A`` for
    g(r), ``k_1_per_A`` for S(k), ``angle_deg``, ``frequency_THz``; ``lag_ps`` in files called
    ``msd.csv`` and ``vacf.csv``. The others are functions (``total``, ``Si-O``, …) and their
    errors (``Si-O_error``).

    Raises:
        FileFormatError: it is not one of these.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() == ".json":
        found = read_analysis(path)
        found.name = name or found.name
        return found
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [row for row in csv.reader(file) if row]
        table = np.array([[float(x or "nan") for x in row] for row in rows], np.float64)
        columns = dict(zip(header, table.T, strict=True))
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path} cannot be read as a curve in CSV: {reason(error)}") from None
    curve = path.stem if path.stem in _BY_NAME else _BY_VARIABLE.get(header[0], "")
    if not curve or len(header) < 2 or not len(table):
        raise FileFormatError(
            f"{path}: its first column is {header[0]!r}: {', '.join(_BY_VARIABLE)} are known, and "
            "lag_ps in msd.csv and vacf.csv; after it a column per function, such as total or Si-O"
        )
    x = columns.pop(header[0])
    errors = {n.removesuffix("_error"): v for n, v in columns.items() if n.endswith("_error")}
    values = {n: v for n, v in columns.items() if not n.endswith("_error")}
    curves = {curve: Curve(header[0], x, values, errors)}
    return Analysis(name or path.stem, {"reference": str(path)}, [], curves)
