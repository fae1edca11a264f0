"""``.nn`` as ænet writes it: 36 records of Fortran, each between its length twice."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.aenet.record import Record, checked_count, names
from nnp.io.archive import read_bytes

_RECORDS = 36


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
    r = _Reader(path)
    n_layers, _, n_weights, _ = (r.integer() for _ in range(4))
    checked_count(n_layers, "the number of layers", path, 2)
    nodes, activations = r.integers(n_layers), r.integers(n_layers - 1)
    r.skip(2)
    weights = r.reals(n_weights)
    r.skip(1)
    central = r.text()
    n_environment = r.integer()
    environment = r.words(n_environment)
    r.skip(2)
    basis = r.text()
    n_functions, n_parameters = r.integer(), r.integer()
    checked_count(n_functions, "the number of functions", path, 1)
    if n_parameters != 4:
        raise FileFormatError(f"{path}: {n_parameters} parameters per function: 4 are wanted")
    kinds = r.integers(n_functions)
    parameters = r.reals(4 * n_functions).reshape(n_functions, 4)
    neighbors = r.integers(2 * n_functions).reshape(n_functions, 2)
    r.skip(1)
    minimum, maximum, mean, square = (r.reals(n_functions) for _ in range(4))
    r.skip(2)
    scale, shift = r.real(), r.real()
    types = r.words(r.integer())
    energies = r.reals(len(types))
    r.skip(3)
    return Record(
        path, tuple(map(int, nodes)), tuple(map(int, activations)), weights, central, environment,
        basis, kinds, parameters, neighbors, minimum, maximum, mean, square, scale, shift, types,
        energies,
    )  # fmt: skip


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._payloads = _split(read_bytes(path), path)
        self._next = 0

    def _payload(self) -> bytes:
        self._next += 1
        return self._payloads[self._next - 1]

    def _array(self, kind: str, n: int) -> NDArray[np.generic]:
        payload = self._payload()
        if len(payload) != n * np.dtype(kind).itemsize:
            raise FileFormatError(
                f"{self._path}: record {self._next} has {len(payload)} bytes, "
                f"{n * np.dtype(kind).itemsize} are wanted"
            )
        return np.frombuffer(payload, kind)

    def integers(self, n: int) -> NDArray[np.int64]:
        return self._array("<i4", checked_count(n, "a length", self._path)).astype(np.int64)

    def reals(self, n: int) -> NDArray[np.float64]:
        found = self._array("<f8", checked_count(n, "a length", self._path)).astype(np.float64)
        if not np.isfinite(found).all():
            raise FileFormatError(f"{self._path}: record {self._next} has numbers not finite")
        return found

    def integer(self) -> int:
        return int(self.integers(1)[0])

    def real(self) -> float:
        return float(self.reals(1)[0])

    def text(self) -> str:
        return self._payload().decode("ascii", errors="replace").strip()

    def words(self, n: int) -> tuple[str, ...]:
        checked_count(n, "the number of elements", self._path, 1)
        text = self._payload().decode("ascii", errors="replace")
        if len(text) != 2 * n:
            raise FileFormatError(f"{self._path}: record {self._next} is no {n} elements' names")
        return names([text[2 * k : 2 * k + 2] for k in range(n)])

    def skip(self, n: int) -> None:
        self._next += n


def _split(data: bytes, path: Path) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        end = at + 4 + length
        if data[at : at + 4] != data[end : end + 4]:
            break
        found.append(data[at + 4 : end])
        at = end + 4
    if at != len(data) or len(found) != _RECORDS:
        raise FileFormatError(
            f"{path} has {len(found)} whole records and {len(data) - at} bytes more: a potential "
            f"of ænet 1.0 to 2.0 has {_RECORDS}; it is cut, damaged or older"
        )
    return found
