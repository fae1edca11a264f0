"""Zip files from strangers: sizes are known before anything is unpacked, arrays are not pickles.

What a file may unpack to follows from its own size, for honest content hardly shrinks: sixteen
times that, and never less than 64 MiB. ``NNP_MAX_UNPACKED_MIB`` in the environment allows more.
"""

from __future__ import annotations

import io
import json
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError, NNPError

LIMIT = "NNP_MAX_UNPACKED_MIB"
_RATIO = 16
_LEAST = 64 * 2**20  # bytes
# What zipfile, zlib, json and numpy raise over damaged bytes; RuntimeError: flags that say
# "encrypted", RecursionError and MemoryError: nesting and lengths that no writer of ours makes.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    OSError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
)
_KINDS = {"S": "string", "U": "string", "c": "complex numbers"}
_Content = TypeVar("_Content")


def read_bytes(path: str | Path) -> bytes:
    """The content of a file.

    Raises:
        FileFormatError: it cannot be read, or is a pipe or a device, which may never end.
    """
    try:
        if Path(path).exists() and not Path(path).is_file():
            what = "is a directory" if Path(path).is_dir() else "is a pipe or a device"
            raise FileFormatError(f"cannot read {path}: it {what}: give a file")
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, FileFormatError):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        raise FileFormatError(f"cannot read {path}: {reason or error}") from None


def read_members(data: bytes, name: str, what: str) -> dict[str, bytes]:
    """The files in a zip.

    Args:
        data: the zip.
        name: of it, for messages.
        what: it should be, for messages, such as ``"nnp model file"``.

    Raises:
        FileFormatError: no zip, damaged, a file in it twice, or more than it may unpack to.
    """
    with_context = damage_as_error(name, what)
    return with_context(lambda: _unpacked(data, name))


def damage_as_error(name: str, what: str) -> Callable[[Callable[[], _Content]], _Content]:
    """What calls a function, and says of whatever damaged bytes raise that ``name`` is no ``what``.

    Raises:
        FileFormatError: the bytes are damaged.
    """

    def call(read: Callable[[], _Content]) -> _Content:
        try:
            with warnings.catch_warnings():  # zipfile warns of doubled names, which are refused
                warnings.simplefilter("ignore")
                return read()
        except NNPError:
            raise
        except DAMAGED as error:
            reason = str(error) or type(error).__name__
            raise FileFormatError(
                f"{name} is not a complete {what} ({reason}): it is truncated, damaged or "
                "something else"
            ) from None

    return call


def _unpacked(data: bytes, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        check_size(sum(info.file_size for info in infos), len(data), name)
        names = [info.filename for info in infos]
        if len(set(names)) != len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise FileFormatError(f"{name}: {twice} is in it twice: it is damaged or forged")
        return {info.filename: _member(archive, info) for info in infos}


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A file in a zip, of which no more is unpacked than the zip says that there is."""
    with archive.open(info) as file:
        return file.read(info.file_size)


def check_size(unpacked: int, packed: int, name: str) -> None:
    """Refuse what would unpack to more than an honest file does, before it is unpacked.

    Raises:
        FileFormatError: it is more.
    """
    allowed = max(_LEAST, _RATIO * packed, _raised_limit())
    if unpacked > allowed:
        raise FileFormatError(
            f"{name} would unpack to {unpacked / 2**20:.0f} MiB, {allowed / 2**20:.0f} MiB are "
            f"allowed for a file of its size: if you trust it, set {LIMIT} in the environment to "
            "more"
        )


def _raised_limit() -> int:
    try:
        return int(os.environ.get(LIMIT, "0")) * 2**20
    except ValueError:
        raise FileFormatError(
            f"{LIMIT}={os.environ[LIMIT]!r} in the environment: a whole number of MiB is expected"
        ) from None


def unpacked_size(data: bytes) -> int:
    """What a zip would unpack to, bytes; call it by `damage_as_error`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(info.file_size for info in archive.infolist())


def read_json(content: bytes) -> Any:
    """An object of JSON; call it by `damage_as_error`."""
    return json.loads(content.decode())


def read_array(content: bytes, name: str) -> NDArray[np.float64]:
    """A ``.npy`` of float64, whose shape is held against its length before any memory is taken.

    Args:
        content: of the file.
        name: for messages.

    Raises:
        ValueError: it is no such file, or of another length than its shape says.
    """
    array = read_any_array(content, name)
    if array.dtype.kind not in "biuf":
        kind = _KINDS.get(array.dtype.kind, array.dtype.name)
        raise ValueError(f"could not convert {kind} to float: {name}")
    return np.ascontiguousarray(array, np.float64)


def read_any_array(content: bytes, name: str) -> NDArray[Any]:
    """As `read_array`, of any type of numbers or text."""
    rest, dtype, shape, in_columns = _checked_array(content, name)
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if in_columns else "C").copy()


def _checked_array(
    content: bytes, name: str
) -> tuple[memoryview, np.dtype[Any], tuple[int, ...], bool]:
    """The bytes after a ``.npy``'s header, and what the header says."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"{name} has version {version} of numpy's format, 1.0 is expected")
    shape, in_columns, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError(f"{name} holds a pickle, which is never opened (allow_pickle=False)")
    size = dtype.itemsize
    for length in shape:
        size *= length
    rest = memoryview(content)[stream.tell() :]
    if size != len(rest):
        raise ValueError(
            f"{name} of shape {shape} needs {size} bytes and has {len(rest)}: cut off or forged"
        )
    return rest, dtype, shape, in_columns
