"""``.nn.ascii`` of aenet-PyTorch, aenet-python and ænet's own converter: numbers by count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.aenet.fields import read_fields
from nnp.io.aenet.record import Record, checked_count, names
from nnp.io.archive import read_bytes
from nnp.io.n2p2.settings import parse_number

_TRUE = ("t", "true", ".true.", "yes", "1")


def read_text(path: Path) -> Record:
    """Read a text file.

    Raises:
        FileFormatError: cut, damaged, or something else; names the line.
    """
    return read_fields(TextFields(path), path)


def text_of(record: Record) -> str:
    """The text of a file, as ænet's converter writes it: arrays in a line, texts padded."""
    return "".join(f"{line}\n" for line in _lines(record))


def _lines(r: Record) -> Iterator[str]:
    def integers(values: Iterable[int]) -> str:
        return "".join(f"{int(value):12d}" for value in values)

    def reals(values: Iterable[float]) -> str:
        return "".join(f"{float(value):26.17E}" for value in values)

    about = r.about
    yield from (integers([size]) for size in r.sizes())
    yield from (integers(r.nodes), integers(r.activations))
    yield from (integers(places) for places in r.places())
    yield reals(r.flat_weights)
    # the converter back to binary takes the first word alone, and stops at an empty line
    yield from (f" {about.description.strip() or 'nnp'}", f" {r.central:<2}")
    yield integers([len(r.environment)])
    yield from (f"{symbol:<2}" for symbol in r.environment)
    yield from (reals([about.r_min]), reals([about.r_max]), f" {r.basis}")
    yield from (integers([len(r.kinds)]), integers([4]), integers(r.kinds))
    yield from (reals(r.parameters.ravel()), integers(r.neighbors.ravel()))
    yield integers([about.evaluations])
    yield from (reals(values) for values in (r.minimum, r.maximum, r.mean, r.square))
    yield from (f" {about.data_file.strip() or 'none'}", " T" if about.normalized else " F")
    yield from (reals([r.scale]), reals([r.shift]), integers([len(r.types)]))
    yield " " + " ".join(r.types)
    yield from (reals(r.atomic_energies), integers([about.n_atoms]))
    yield from (integers([about.n_structures]), reals(about.energies))


class TextFields:
    """The lines of a file as `nnp.io.aenet.fields.Fields`.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        text = read_bytes(path).decode("utf-8", errors="replace")
        self._lines = text.replace("\r\n", "\n").split("\n")
        self._at = 0

    def _line(self) -> str:
        if self._at >= len(self._lines):
            raise FileFormatError(
                f"{self._path} ends too early: it is cut off or another kind of file"
            )
        self._at += 1
        return self._lines[self._at - 1]

    def _words(self, n: int) -> list[str]:
        """The next ``n`` words; an item ends with its line."""
        checked_count(n, "a length", self._path)
        found: list[str] = []
        while len(found) < n:
            found += self._line().split()
        if len(found) != n:
            raise FileFormatError(
                f"{self._path}, line {self._at}: {len(found)} words where {n} are expected"
            )
        return found

    def reals(self, n: int) -> NDArray[np.float64]:
        """So many numbers."""
        words = self._words(n)
        where = f"{self._path}, line {self._at}"
        return np.array([fortran_number(word, where) for word in words])

    def integers(self, n: int) -> NDArray[np.int64]:
        """So many whole numbers."""
        words = self._words(n)
        try:
            return np.array([int(word) for word in words], np.int64)
        except (ValueError, OverflowError):
            raise FileFormatError(
                f"{self._path}, line {self._at}: {' '.join(words)[:60]!r} where whole numbers "
                "are expected"
            ) from None

    def integer(self) -> int:
        """One whole number."""
        return int(self.integers(1)[0])

    def real(self) -> float:
        """One number."""
        return float(self.reals(1)[0])

    def text(self) -> str:
        """A text, without blanks at its end."""
        return self._line().strip()

    def logical(self) -> bool:
        """Yes or no."""
        return self.text().lower() in _TRUE

    def skip_places(self, n_layers: int) -> None:
        """Pass over places of weights and nodes."""
        self.integers(n_layers)
        self.integers(n_layers)

    def words(self, n: int) -> tuple[str, ...]:
        """Element names: apart, on a line each, or in fields of two characters after a blank."""
        checked_count(n, "the number of elements", self._path, 1)
        line = self._line()
        found = line.split()
        if len(found) < n and len(line.strip()) > 2:
            fields = line[1:].ljust(2 * n)
            return names([fields[2 * k : 2 * k + 2] for k in range(n)])
        while len(found) < n:
            found += self._line().split()
        return tuple(found)


def fortran_number(word: str, where: str) -> float:
    """A number as Fortran reads it.

    Args:
        word: such as ``1.0d-3`` or ``1.15-102``.
        where: file and line, for the message.

    Raises:
        FileFormatError: it is none.
    """
    return parse_number(_exponent(word), where)


def _exponent(word: str) -> str:
    """``1.15-102``, an exponent of three digits without its letter, as Fortran writes it."""
    sign = max(word.rfind("-"), word.rfind("+"))
    if sign > 0 and word[sign - 1] in "0123456789.":
        return f"{word[:sign]}e{word[sign:]}"
    return word
