"""Changes of a file that happen as a whole or not at all, whenever the process is killed.

What is new goes behind the end of the file, where no reader looks. What changes before it is first
written to a journal beside the file, with a checksum, and only then into the file. A kill leaves
the file as it was, or a journal from which `recover` completes the change.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import struct
from pathlib import Path

_MAGIC = b"nnp journal 1\n"
_NUMBERS = struct.Struct("<qq")
_DIGEST = hashlib.sha256().digest_size


def journal_of(path: Path) -> Path:
    """Name of a file's journal."""
    return path.with_name(f"{path.name}.journal")


def recover(path: Path) -> None:
    """Complete a change that a kill interrupted, or forget one that had not begun.

    Raises:
        OSError: the file system refuses.
    """
    journal = journal_of(path)
    try:
        data = journal.read_bytes()
    except FileNotFoundError:
        return
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if body.startswith(_MAGIC) and hashlib.sha256(body).digest() == digest:
        with path.open("r+b", buffering=0) as file:
            _apply(file.fileno(), body)
    journal.unlink()


class Transaction(io.RawIOBase):
    """A file to be read and written; nothing of it reaches the disk before `commit`.

    Args:
        path: an existing file.

    Raises:
        OSError: the file system refuses.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR)
        self._end = self._size = os.fstat(self._descriptor).st_size
        self._tail = bytearray()  # behind the old end
        self._patches: list[tuple[int, bytes]] = []  # before it; later ones lie over earlier ones
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = begin + offset
        return self._at

    def tell(self) -> int:
        """The present place."""
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill a buffer with what the file would hold."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        begin, end = self._at, min(self._at + len(view), self._size)
        if end <= begin:
            return 0
        found = bytearray(end - begin)
        old = os.pread(self._descriptor, max(min(end, self._end) - begin, 0), begin)
        found[: len(old)] = old
        for offset, data in self._patches:
            _lay(found, begin, offset, data)
        _lay(found, begin, self._end, self._tail)
        view[: len(found)] = found
        self._at = end
        return len(found)

    def write(self, data: object) -> int:
        """Note a change."""
        new = bytes(memoryview(data).cast("B"))  # type: ignore[arg-type]
        before = max(min(self._end - self._at, len(new)), 0)
        if before:
            self._patches.append((self._at, new[:before]))
        if behind := new[before:]:
            place = self._at + before - self._end
            self._tail.extend(bytes(max(place - len(self._tail), 0)))
            self._tail[place : place + len(behind)] = behind
        self._at += len(new)
        self._size = max(self._size, self._at)
        return len(new)

    def truncate(self, size: int | None = None) -> int:
        """Note another length."""
        before, self._size = self._size, self._at if size is None else size
        if (gone := min(before, self._end) - self._size) > 0:  # zeros, should it grow again
            self._patches.append((self._size, bytes(gone)))
        behind = max(self._size - self._end, 0)
        del self._tail[behind:]
        self._tail.extend(bytes(behind - len(self._tail)))
        return self._size

    def commit(self) -> None:
        """Make the changes.

        Raises:
            OSError: the file system refuses; the file is as it was.
        """
        journal = journal_of(self._path)
        try:
            _write(self._descriptor, self._end, self._tail)
            body = self._journal()
            with journal.open("wb", buffering=0) as file:
                _write(file.fileno(), 0, body + hashlib.sha256(body).digest())
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            journal.unlink(missing_ok=True)
            raise
        _apply(self._descriptor, body)
        journal.unlink()

    def close(self) -> None:
        """Let go of the file; what was not committed is forgotten."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def _journal(self) -> bytes:
        parts = [_MAGIC, _NUMBERS.pack(self._size, len(self._patches))]
        for offset, data in self._patches:
            parts += [_NUMBERS.pack(offset, len(data)), data]
        return b"".join(parts)


def _lay(found: bytearray, begin: int, offset: int, data: bytes | bytearray) -> None:
    """Put data that begins at ``offset`` over a piece of the file that begins at ``begin``."""
    first, last = max(offset, begin), min(offset + len(data), begin + len(found))
    if first < last:
        found[first - begin : last - begin] = data[first - offset : last - offset]


def _write(descriptor: int, offset: int, data: bytes | bytearray) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[done:], offset + done


def _apply(descriptor: int, body: bytes) -> None:
    """Make the changes of a journal; twice is as good as once."""
    size, count = _NUMBERS.unpack_from(body, len(_MAGIC))
    at = len(_MAGIC) + _NUMBERS.size
    for _ in range(count):
        offset, length = _NUMBERS.unpack_from(body, at)
        at += _NUMBERS.size
        _write(descriptor, offset, body[at : at + length])
        at += length
    os.ftruncate(descriptor, size)
