"""``.nn`` as ænet writes it: 36 records of Fortran, each between its length twice."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.aenet.fields import read_fields
from nnp.io.aenet.record import Record, checked_count, names
from nnp.io.archive import read_bytes

_RECORDS = 36
_TEXT, _BASIS = 1024, 100  # characters


def is_binary(path: Path) -> bool:
    """Whether a file begins with a record of four bytes."""
    try:
        with path.open("rb") as file:
            return file.read(4) == struct.pack("<i", 4)
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None


def read_binary(path: Path) -> Record:
    """Read a binary file.

    Raises:
        FileFormatError: cut, damaged, or something else.
    """
    return read_fields(Records(path, _RECORDS), path)


def binary_of(record: Record) -> bytes:
    """The bytes of a file, with records as gfortran writes them."""
    return b"".join(_framed(payload) for payload in _payloads(record))


def _framed(payload: bytes) -> bytes:
    length = struct.pack("<i", len(payload))
    return length + payload + length


def _payloads(r: Record) -> Iterator[bytes]:
    def integers(*values: int) -> bytes:
        return np.array(values, "<i4").tobytes()

    def reals(values: object) -> bytes:
        return np.asarray(values, "<f8").tobytes()

    def words(symbols: Sequence[str]) -> bytes:
        return "".join(symbol.ljust(2) for symbol in symbols).encode("ascii")

    def text(value: str, width: int) -> bytes:
        return value.encode("ascii", errors="replace")[:width].ljust(width)

    about = r.about
    for size in r.sizes():
        yield integers(size)
    yield from (integers(*r.nodes), integers(*r.activations))
    yield from (integers(*places) for places in r.places())
    yield reals(r.flat_weights)
    yield from (text(about.description, _TEXT), text(r.central, 2))
    yield from (integers(len(r.environment)), words(r.environment))
    yield from (reals(about.r_min), reals(about.r_max), text(r.basis, _BASIS))
    yield from (integers(len(r.kinds)), integers(4), integers(*r.kinds))
    yield from (reals(r.parameters), integers(*r.neighbors.ravel()), integers(about.evaluations))
    yield from (reals(values) for values in (r.minimum, r.maximum, r.mean, r.square))
    yield from (text(about.data_file, _TEXT), integers(about.normalized))
    yield from (reals(r.scale), reals(r.shift), integers(len(r.types)), words(r.types))
    yield from (reals(r.atomic_energies), integers(about.n_atoms), integers(about.n_structures))
    yield reals(about.energies)


class Records:
    """The records of a file as `nnp.io.aenet.fields.Fields`.

    Args:
        path: the file.
        expected: how many there must be; None: any number.

    Raises:
        FileFormatError: the file is cut or no file of records.
    """

    def __init__(self, path: Path, expected: int | None = None) -> None:
        self._path = path
        self._payloads = _split(read_bytes(path), path, expected)
        self._next = 0

    def _payload(self) -> bytes:
        if self._next == len(self._payloads):
            raise FileFormatError(
                f"{self._path} ends too early: it is cut off or another kind of file"
            )
        self._next += 1
        return self._payloads[self._next - 1]

    def _array(self, kind: str, n: int) -> NDArray[np.generic]:
        payload = self._payload()
        if len(payload) != n * np.dtype(kind).itemsize:
            raise FileFormatError(
                f"{self._path}: record {self._next} has {len(payload)} bytes, "
                f"{n * np.dtype(kind).itemsize} are expected"
            )
        return np.frombuffer(payload, kind)

    def integers(self, n: int) -> NDArray[np.int64]:
        """So many whole numbers."""
        return self._array("<i4", checked_count(n, "a length", self._path)).astype(np.int64)

    def reals(self, n: int) -> NDArray[np.float64]:
        """So many numbers."""
        found = self._array("<f8", checked_count(n, "a length", self._path)).astype(np.float64)
        if not np.isfinite(found).all():
            raise FileFormatError(
                f"{self._path}: record {self._next} has numbers that are not finite"
            )
        return found

    def integer(self) -> int:
        """One whole number."""
        return int(self.integers(1)[0])

    def real(self) -> float:
        """One number."""
        return float(self.reals(1)[0])

    def text(self) -> str:
        """A text, without blanks at its end."""
        return self._payload().decode("ascii", errors="replace").rstrip()

    def words(self, n: int) -> tuple[str, ...]:
        """So many names of elements."""
        checked_count(n, "the number of elements", self._path, 1)
        text = self._payload().decode("ascii", errors="replace")
        if len(text) != 2 * n:
            raise FileFormatError(f"{self._path}: record {self._next} is no {n} elements' names")
        return names([text[2 * k : 2 * k + 2] for k in range(n)])

    def logical(self) -> bool:
        """Yes or no."""
        return bool(self.integer())

    def skip_places(self, _n_layers: int) -> None:
        """Pass over places of weights and nodes."""
        self._next += 2


def _split(data: bytes, path: Path, expected: int | None) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        end = at + 4 + length
        if data[at : at + 4] != data[end : end + 4]:
            break
        found.append(data[at + 4 : end])
        at = end + 4
    whole = f"{path} has {len(found)} whole records and {len(data) - at} bytes more"
    if expected is None and at != len(data):
        raise FileFormatError(f"{whole}: it is cut or damaged")
    if expected is not None and (at != len(data) or len(found) != expected):
        raise FileFormatError(
            f"{whole}: a potential of ænet 1.0 to 2.0 has {expected}; it is cut, damaged or older"
        )
    return found
