"""The functions of one element as tables, one for each kind, that fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from textwrap import wrap

from nnp.cli.table import text_table
from nnp.functions import SymmetryFunction, WithRange
from nnp.potential import ElementModel
from nnp.scaling import NO_RANGE

# Columns of the table: heading, and the function's field that fills it.
_PARAMETERS = {
    "eta/Å⁻²": "eta",
    "kappa/Å⁻¹": "kappa",
    "r_shift/Å": "r_shift",
    "lambda": "lambda_",
    "zeta": "zeta",
    "r_left/Å": "r_left",
}
_ANGLES = ("theta_left_deg", "theta_right_deg")  # one column
# Fields that columns show: of a function with others stands its own text of all parameters.
_SHOWN = {
    *_PARAMETERS.values(),
    *("neighbor", "neighbors", "narrow", "cutoff", "r_right", "core", "asymmetric"),
    *_ANGLES,
}
_MOST_NAMES = 6  # of neighbours, beyond which they are counted
_UNKNOWN = "-"
_COLUMNS, _ABOVE = 80, " " * 4

Row = dict[str, str]


def function_tables(model: ElementModel) -> Iterator[tuple[list[str], list[str]]]:
    """For each kind of function, in order: the lines above its table, and the table.

    Above it stand their number and kind, the values that all functions share, and that their
    ranges in the training data are not known where that is so.
    """
    rows = [_row(model, number) for number in range(len(model.functions))]
    kinds = [_title(function) for function in model.functions]
    for title, numbers in groupby(range(len(rows)), key=lambda number: kinds[number]):
        yield _table(title, [rows[number] for number in numbers])


def _title(function: SymmetryFunction) -> str:
    number = function.n2p2_type
    return f"{function.kind} (type {number})" if number else function.kind


def _table(title: str, rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shared = {} if len(rows) == 1 else _shared(columns, rows)
    above = [f"  {len(rows)} {title}"]
    if shared:
        text = ", ".join(f"{name} {value}" for name, value in shared.items())
        above += [f"{_ABOVE}{line}" for line in wrap(f"all have {text}", _COLUMNS - len(_ABOVE))]
    kept = [name for name in columns if name not in shared]
    if all(row[end] == _UNKNOWN for row in rows for end in ("min", "max")):
        kept = [name for name in kept if name not in ("min", "max")]
        above += [f"{_ABOVE}their ranges in the training data are not known"]
    table = text_table(kept, [[row.get(name, "") for name in kept] for row in rows], indent=_ABOVE)
    return above, table.splitlines()


def _shared(columns: Sequence[str], rows: Sequence[Row]) -> Row:
    """Values that all rows have."""
    found = {}
    for name in columns:
        values = {row.get(name, "") for row in rows}
        if name not in ("no", "min", "max") and len(values) == 1 and "" not in values:
            found[name] = rows[0][name]
    return found


def _row(model: ElementModel, index: int) -> Row:
    function, fields = model.functions[index], asdict(model.functions[index])
    cutoff = getattr(function, "cutoff", None)
    symbols = function.neighbor_symbols
    names = "-".join(symbols) if len(symbols) <= _MOST_NAMES else f"{len(symbols)} elements"
    row = {"no": str(index + 1), "neighbors": names or "all"}
    row |= {name: f"{fields[key]:.6g}" for name, key in _PARAMETERS.items() if key in fields}
    if fields.keys() >= set(_ANGLES):
        row["theta/°"] = "…".join(f"{fields[name]:.4g}" for name in _ANGLES)
    row |= {} if fields.keys() <= _SHOWN else _own_parameters(function.parameter_text())
    row |= {"r_c/Å": f"{function.radius:.6g}"}
    if cutoff:
        row["cutoff"] = cutoff.kind.name.lower()
        row["alpha"] = f"{cutoff.inner_fraction:g}" if cutoff.inner_fraction else ""
    if isinstance(function, WithRange):
        row["core"] = function.subtype
    for name, ends in (("min", model.scaling.minimum), ("max", model.scaling.maximum)):
        row[name] = _end(ends[index])
    return row


def _own_parameters(text: str) -> Row:
    """Columns of a family's own words, such as ``n_1=0 l_1=2 r_cutoff=4.5``.

    >>> _own_parameters("x/r² place=3 theta_shift=20 deg r_c=4")
    {'parameters': 'x/r²', 'place': '3', 'theta_shift/°': '20'}
    """
    words = text.replace(" deg", "_deg").split()
    named = dict(word.split("=", 1) for word in words if "=" in word)
    angles = {name: value for name, value in named.items() if value.endswith("_deg")}
    bare = " ".join(word for word in words if "=" not in word)
    row = {"parameters": bare} if bare else {}
    for name, value in named.items():
        if name in angles:
            row[f"{name}/°"] = value.removesuffix("_deg")
        elif name not in ("r_c", "r_cutoff"):  # the column r_c has it
            row[name] = value
    return row


def _end(value: float) -> str:
    """Of a function's range; a dash where it is not known."""
    return f"{value:.4g}" if abs(value) < NO_RANGE else _UNKNOWN
