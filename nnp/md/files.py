"""A file that grows with the run: every piece reaches the system at once, cut back at a restart."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

from nnp.errors import FileFormatError
from nnp.io.files import refused


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
        """Append all of it, or nothing.

        Raises:
            NNPError: the disk is full, or the file system refuses; what came before is there, and
                the file is closed.
        """
        rest, before = memoryview(data), None
        try:
            before = self.size
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._drop_behind(before)
            raise refused(self.path, error) from error

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _drop_behind(self, size: int | None) -> None:
        """Half a piece would make readers refuse the whole file."""
        with contextlib.suppress(OSError):
            if size is not None:
                self._file.truncate(size)
        self.close()

    def _resume(self, size: int | None) -> None:
        if size is None:
            return
        there = self.path.stat().st_size
        if there < size:
            self._file.close()
            raise FileFormatError(
                f"{self.path} has {there} bytes, the run to be continued had written {size}: "
                "it belongs to another run; choose another name"
            )
        self._file.truncate(size)
        self._file.seek(size)
