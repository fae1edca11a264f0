"""``scaling.data`` and the scaling keywords of ``input.nn``: from and to text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError, OptionError
from nnp.io.n2p2.settings import Settings, parse_numbers, read_words
from nnp.scaling import Scaling, ScalingMode

_KEYWORDS = {
    ScalingMode.NONE: [],
    ScalingMode.CENTER: ["center_symmetry_functions"],
    ScalingMode.SCALE: ["scale_symmetry_functions"],
    ScalingMode.SCALE_CENTER: ["scale_symmetry_functions", "center_symmetry_functions"],
    ScalingMode.SCALE_SIGMA: ["scale_symmetry_functions_sigma"],
}
_COLUMNS = "element, function, min, max, mean, sigma"
_FEWEST_DIGITS = 1e-5  # a mean may be rounded beyond a minimum that equals it
_HEADER = f"# Symmetry functions over the training data: {_COLUMNS}\n"


def read_mode(settings: Settings) -> tuple[ScalingMode, float, float]:
    """Mode and target range.

    Raises:
        FileFormatError: keywords that are mutually exclusive.
    """
    given = [k for k in _KEYWORDS[ScalingMode.SCALE_CENTER] if settings.flag(k)]
    sigma = settings.one("scale_symmetry_functions_sigma")
    if sigma is not None and given:
        raise sigma.error(f"and {given[0]} are mutually exclusive: keep one")
    if sigma is not None:
        given = [sigma.keyword]
    mode = next(mode for mode, keywords in _KEYWORDS.items() if keywords == given)
    low = settings.number("scale_min_short", 0.0, alias="scale_min_short_atomic")
    return mode, low, settings.number("scale_max_short", 1.0, alias="scale_max_short_atomic")


def read_scaling(
    path: Path, n_functions: dict[str, int], mode: tuple[ScalingMode, float, float]
) -> dict[str, Scaling]:
    """Read ``scaling.data``.

    Args:
        path: the file.
        n_functions: number of functions by element, in order of atomic number.
        mode: of `read_mode`.

    Raises:
        FileFormatError: rows missing, twice, or not understood, of different lengths, with a mean
            outside of min to max or a negative sigma; min = max where it is divided by.
    """
    tables = {symbol: np.full((n, 4), np.nan) for symbol, n in n_functions.items()}
    lines = read_words(path)
    columns = len(lines[0][1]) if lines else 0
    statistics = []
    for line, words in lines:
        where = f"{path}, line {line}"
        if len(words) == 2 and line == lines[-1][0]:
            continue  # RuNNer's last line: lowest and highest energy of the data
        if len(words) not in (5, 6):
            raise FileFormatError(f"{where}: {len(words)} columns, 5 or 6 are expected: {_COLUMNS}")
        if len(words) != columns:
            raise FileFormatError(
                f"{where}: {len(words)} columns, but {columns} in line {lines[0][0]}: {_COLUMNS}"
            )
        numbers = parse_numbers(words, where)
        row = _row(tables, numbers, where)
        if not np.isnan(row[0]):
            raise FileFormatError(f"{where}: this function already has a row")
        row[: len(numbers) - 2] = numbers[2:]
        statistics.append((where, numbers[2:]))
        if len(numbers) == 5 and mode[0] is not ScalingMode.SCALE_SIGMA:
            row[3] = 0.0  # RuNNer does not write sigma
    scalings = {symbol: _scaling(path, symbol, table, mode) for symbol, table in tables.items()}
    for where, numbers in statistics:
        _check_statistics(numbers, where)
    return scalings


def scaling_text(scalings: list[Scaling]) -> str:
    """The content of ``scaling.data``."""
    lines = [_HEADER]
    for element, scaling in enumerate(scalings, start=1):
        columns = (scaling.minimum, scaling.maximum, scaling.mean, scaling.sigma)
        for function, row in enumerate(zip(*columns, strict=True), start=1):
            numbers = " ".join(f"{value: .16E}" for value in row)
            lines.append(f"{element:10d} {function:10d} {numbers}\n")
    return "".join(lines)


def mode_lines(scaling: Scaling) -> list[str]:
    """``input.nn`` lines for a scaling."""
    return [
        *_KEYWORDS[scaling.mode],
        f"scale_min_short {scaling.target_min:.17g}",
        f"scale_max_short {scaling.target_max:.17g}",
    ]


def _check_statistics(numbers: list[float], where: str) -> None:
    """Refuse what no data can have."""
    minimum, maximum, mean, *sigma = numbers
    digits = _FEWEST_DIGITS * max(abs(minimum), abs(maximum), abs(mean))
    if minimum <= maximum and not minimum - digits <= mean <= maximum + digits:
        raise FileFormatError(
            f"{where}: the mean {mean:g} is not between min {minimum:g} and max {maximum:g}: "
            f"a column is missing or they are in another order; expected are {_COLUMNS}"
        )
    if sigma and sigma[0] < 0:
        raise FileFormatError(f"{where}: sigma is {sigma[0]:g}: a standard deviation is expected")


def _row(
    tables: dict[str, NDArray[np.float64]], numbers: list[float], where: str
) -> NDArray[np.float64]:
    element, function = numbers[:2]
    symbols = list(tables)
    if element not in range(1, len(symbols) + 1):
        raise FileFormatError(f"{where}: element {element:g} is not in 1 to {len(symbols)}")
    table = tables[symbols[int(element) - 1]]
    if function not in range(1, len(table) + 1):
        raise FileFormatError(
            f"{where}: function {function:g} of {symbols[int(element) - 1]} is not in 1 to "
            f"{len(table)}, the number of its symfunction_short lines"
        )
    row: NDArray[np.float64] = table[int(function) - 1]
    return row


def _scaling(
    path: Path, symbol: str, table: NDArray[np.float64], mode: tuple[ScalingMode, float, float]
) -> Scaling:
    missing = np.isnan(table).any(axis=1)
    if missing.any():
        what = "row" if np.isnan(table[missing][0]).all() else "sigma"
        raise FileFormatError(
            f"{path}: the {what} of function {int(np.argmax(missing)) + 1} of {symbol} is missing"
        )
    try:
        minimum, maximum, mean, sigma = table.T
        return Scaling(minimum, maximum, mean, sigma, *mode)
    except OptionError as error:
        raise FileFormatError(f"{path}: {symbol}: {error}") from None
