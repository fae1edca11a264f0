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
_NUMBERS = r"((?:\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][-+]?\d+)?)+)"
_CELL = re.compile(r"CELL\s*[\(\[\{]\s*(abcABC|H|GENH)\s*[\)\]\}]\s*[:=]?" + _NUMBERS)
_QUANTITY = re.compile(r"\b([a-z][a-z_]*)\{([A-Za-z_/]*)\}")
# Words of a comment that speak of a cell, with a number behind them.
_SPEAKS = re.compile(
    r"\b(cell|unit[ _-]?cell|lattice|box|boxsize|cryst1?|abc|hmat\w*|h_matrix|vec(?:tor)?s?|pbc)\b"
    r"[^0-9A-Za-z]{0,12}(?:\w{0,8}[^0-9A-Za-z]{1,6})?[-+]?\.?\d",
    re.IGNORECASE,
)


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
    """The cell of a comment line; None when it speaks of none.

    Args:
        comment: the line.
        where: file and line, for messages.
        length: what lengths without a unit are in, Å; None when nothing is said.

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
        raise FileFormatError(f"{where}: CELL({kind}) has {len(values)} numbers, {wanted} wanted")
    parameters = kind == "abcABC"
    cell: Any = cellpar_to_cell(values) if parameters else values.reshape(3, 3).T  # type: ignore[no-untyped-call]
    said = units.get(quantity), units.get("cell", units.get(quantity))
    scales = [_length(unit, where, length) for unit in said]
    return CommentCell(
        cell * scales[1], scales[0], f"{said[0] or 'as said'}, cell {said[1] or 'as said'}"
    )


def refuse_cell(comment: str, where: str) -> None:
    """Refuse a comment that speaks of a cell which was not used.

    Raises:
        FileFormatError: it does.
    """
    found = _SPEAKS.search(comment)
    if found:
        raise FileFormatError(
            f"{where}: the comment speaks of a cell ({comment[found.start() :][:60].strip()!r}) in "
            "a way that is not known, and without it the atoms would be a cluster: write "
            'Lattice="ax ay az bx by bz cx cy cz", or take the word out of the comment'
        )


def _length(unit: str | None, where: str, otherwise: float | None) -> float:
    if unit in (None, "", "automatic"):
        if otherwise is None:
            raise FileFormatError(
                f"{where}: the comment has a cell but not its unit, which i-PI takes for bohr and "
                "others for Å: say --units angstrom,eV or --units bohr,hartree, or write "
                "positions{angstrom} cell{angstrom} into the line"
            )
        return otherwise
    if str(unit) not in _LENGTHS:
        raise FileFormatError(
            f"{where}: {unit!r} is no known unit of length: {', '.join(_LENGTHS)} are"
        )
    return _LENGTHS[str(unit)]
