"""A file that grows with the run: every piece reaches the system at once, cut back at a restart."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

from nnp.errors import FileFormatError, NNPError


class AppendedFile:
    """Bytes at the end of a file, unbuffered, so that a killed run loses nothing.

    Args:
        path: the file.
        resume_at: size in bytes to which an existing file is cut; None starts a new one.

    Raises:
        FileFormatError: the file is shorter than ``resume_at``.
        NNPError: the file system refuses.
    """

    def __init__(self, path: Path, resume_at: int | None = None) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("wb" if resume_at is None else "r+b", buffering=0)
            self._resume(resume_at)
        except OSError as error:
            raise refused(path, error) from error

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            NNPError: the disk is full, or the file system refuses.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.close()
            raise refused(self.path, error) from error

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _resume(self, size: int | None) -> None:
        if size is None:
            return
        there = self.path.stat().st_size
        if there < size:
            self._file.close()
            raise FileFormatError(
                f"{self.path} has {there} bytes, the run to be continued had written {size}: "
                "it is another run's file; choose another name"
            )
        self._file.truncate(size)
        self._file.seek(size)


def refused(path: Path, error: OSError) -> NNPError:
    """What the file system refused, as one of our errors."""
    if error.errno == errno.ENOSPC:
        return NNPError(f"cannot write {path}: the disk is full; make room, or write elsewhere")
    return NNPError(f"cannot write {path}: {error.strerror or error}")
