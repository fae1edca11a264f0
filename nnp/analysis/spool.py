"""Long time series of all atoms on disk: written frame by frame, read back atom by atom."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnp.errors import NNPError

# Bytes that wait in memory before they are written, and float64 that are read back at once.
_BUFFER, _GROUP = 32 * 2**20, 8 * 2**20
_ITEM = 4  # float32: displacements of 100 Å to 1e-5 Å


class Spool:
    """A table (frames, columns) that is filled by rows and read by columns, in flat memory.

    Columns are cut into groups; the file holds, buffer after buffer, the rows of each group.

    Args:
        columns: how many.
        frames: at most how many rows, which decides how wide the groups are.
    """

    def __init__(self, columns: int, frames: int) -> None:
        self._columns = columns
        self._width = max(3, min(columns, _GROUP // 8 // max(frames, 1) // 3 * 3))
        self._rows = max(1, min(frames, _BUFFER // (_ITEM * columns)))
        self._buffer = np.empty((self._rows, columns), np.float32)
        self._filled = 0
        self._written: list[int] = []  # rows of each buffer in the file
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()

    def add(self, row: NDArray[np.float64]) -> None:
        """Append (columns,) values.

        Raises:
            NNPError: the disk is full.
        """
        self._buffer[self._filled] = row
        self._filled += 1
        if self._filled == self._rows:
            self._flush()

    def __len__(self) -> int:
        """Number of rows."""
        return sum(self._written) + self._filled

    def groups(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Columns, and (frames, those columns), group after group."""
        self._flush()
        for start in range(0, self._columns, self._width):
            columns = slice(start, min(start + self._width, self._columns))
            width = columns.stop - columns.start
            found = np.empty((len(self), width))
            at = row = 0
            for rows in self._written:
                self._file.seek(at + rows * start * _ITEM)
                raw = self._file.read(rows * width * _ITEM)
                found[row : row + rows] = np.frombuffer(raw, np.float32).reshape(rows, width)
                at += rows * self._columns * _ITEM
                row += rows
            yield columns, found

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def _flush(self) -> None:
        if not self._filled:
            return
        rows = self._buffer[: self._filled]
        try:
            self._file.seek(0, 2)
            for start in range(0, self._columns, self._width):
                self._file.write(rows[:, start : start + self._width].tobytes())
            self._file.flush()
        except OSError as error:
            raise NNPError(
                f"no room for the paths of the atoms in {tempfile.gettempdir()}: "
                f"{error.strerror or error}; point TMPDIR to a larger disk, or take every "
                "second frame (--every)"
            ) from error
        self._written.append(self._filled)
        self._filled = 0
