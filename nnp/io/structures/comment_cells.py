"""Cells in the comment line of an XYZ file, as i-PI writes them; others are refused.

i-PI: ``# CELL(abcABC): a b c α β γ … positions{angstrom} cell{atomic_unit}``, or nine numbers after
``CELL(H):`` or ``CELL(GENH):``, a matrix row by row whose columns are the cell vectors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.geometry.cell import cellpar_to_cell
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.units import BOHR, NANOMETRE

# i-PI's names of units of length, in Å.
_LENGTHS = {
    "angstrom": 1.0,
    "ang": 1.0,
    "atomic_unit": BOHR,
    "bohr": BOHR,
    "nanometer": NANOMETRE,
    "nm": NANOMETRE,
    "micrometer": 1e4,
    "meter": 1e10,
}
_NUMBERS = r"((?:\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[EeDd][-+]?\d+)?)+)"
_CELL = re.compile(r"CELL\s*[\(\[\{]\s*(abcABC|H|GENH)\s*[\)\]\}]\s*[:=]?" + _NUMBERS)
_QUANTITY = re.compile(r"\b([a-z][a-z_]*)\{([A-Za-z_/]*)\}")
# Words of a comment that mention a cell …
_WORD = re.compile(
    r"(?<![A-Za-z])(cell(?!ul)|unit[ _-]?cell|lattice|box|cryst|abc\b|hmat|h_matrix|"
    r"vec(?:tor)?s?\d?\b|pbc|periodic|L[xyz]?\s*[=:]|tv_?\d?\b|alpha\s*[=:]|dimensions?\b)",
    re.IGNORECASE,
)
# … and the numbers that it has then: a length with its point or its unit, or three in a row.
_LENGTH = re.compile(r"(?<![\w.])\d+\.\d*|\d\s*(?:å|ang|a\b|nm|bohr)", re.IGNORECASE)
_ROW = re.compile(r"(?:(?<![\w.])[-+]?\d[\d.eE+-]*[\s,;]+){2}[-+]?\d|[=:]\s*[\"'\[({]?\s*\d")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, eq=False)
class CommentCell:
    """What a comment line of i-PI's says.

    Attributes:
        cell: (3, 3) Å, rows are vectors.
        length: what one unit of the positions is, Å.
        units: as the comment has them.
    """

    cell: NDArray[np.float64]
    length: float
    units: str


def read_comment(comment: str, where: str, length: float | None) -> CommentCell | None:
    """The cell of a comment line; None when it mentions none.

    Args:
        comment: the line.
        where: file and line, for messages.
        length: what lengths without a unit are in, Å; None if not given.

    Raises:
        FileFormatError: a cell that is not understood, an unknown unit, or a file of something
            else than positions.
    """
    found = _CELL.search(comment)
    if found is None:
        return None
    units = dict(_QUANTITY.findall(comment))
    quantity = next((name for name in units if name != "cell"), "positions")
    if quantity not in ("positions", "x_centroid"):
        raise FileFormatError(
            f"{where}: the columns are {quantity}, not positions: give the file of positions"
        )
    kind, numbers = found.group(1), found.group(2).replace("D", "E").replace("d", "e").split()
    values = np.array([float(number) for number in numbers])
    wanted = 6 if kind == "abcABC" else 9
    if len(values) != wanted:
        raise FileFormatError(
            f"{where}: CELL({kind}) has {len(values)} numbers, {wanted} are expected"
        )
    parameters = kind == "abcABC"
    cell: Any = cellpar_to_cell(values) if parameters else values.reshape(3, 3).T  # type: ignore[no-untyped-call]
    said = units.get(quantity), units.get("cell")
    scales = [_length(unit, where, length) for unit in said]
    return CommentCell(
        cell * scales[1], scales[0], f"{said[0] or 'as said'}, cell {said[1] or 'as said'}"
    )


def refuse_cell(comment: str, where: str) -> None:
    """Refuse a comment that mentions a cell which was not used.

    Raises:
        FileFormatError: it does.
    """
    word = _WORD.search(comment)
    numbers = _LENGTH.search(comment) or _ROW.search(comment)
    words = comment.replace(",", " ").split()
    only_numbers = len(words) in (3, 6, 9) and all(map(_NUMBER.fullmatch, words))
    if (word and numbers) or only_numbers:
        shown = comment[word.start() if word else 0 :].strip()[:60]
        raise FileFormatError(
            f"{where}: the comment mentions a cell ({shown!r}) in an unknown form, and "
            'without it the atoms would be a cluster: write Lattice="ax ay az bx by bz cx cy cz", '
            "or take it out of the comment"
        )


def _length(unit: str | None, where: str, otherwise: float | None) -> float:
    if unit in (None, "", "automatic"):
        if otherwise is None:
            raise FileFormatError(
                f"{where}: the comment has a cell but not its unit, which i-PI takes for bohr and "
                "others for Å: give --units angstrom,eV or --units bohr,hartree, or write "
                "positions{angstrom} cell{angstrom} into the line"
            )
        return otherwise
    if str(unit) not in _LENGTHS:
        raise FileFormatError(
            f"{where}: {unit!r} is not a known unit of length: {', '.join(_LENGTHS)} are"
        )
    return _LENGTHS[str(unit)]
