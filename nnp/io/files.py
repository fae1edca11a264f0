"""Writing files so that nothing half-written is ever left under the final name."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from nnp.errors import NNPError, OutputExistsError
from nnp.io.scratch import exchange, put_back, remove_left, scratch_beside


@contextlib.contextmanager
def replacing(path: str | Path, force: bool, directory: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without error.

    Whenever the process is killed, ``path`` is the old one or the new one; where the file system
    cannot exchange two directories in one step, the next call puts the old one back. What killed
    processes left beside ``path`` is removed.

    Args:
        path: the final file or directory; where it is a link, what it points to is replaced.
        force: whether an existing one may be replaced.
        directory: whether a directory is written.

    Raises:
        OutputExistsError: ``path`` is there and ``force`` is False, or it is a device or another
            thing that cannot be replaced.
        NNPError: the file system refuses (no such folder, no permission, disk full); what was
            written so far is removed.
    """
    target = Path(path)
    with contextlib.ExitStack() as stack:
        try:
            check_can_be(target.parent)
            put_back(target)
            remove_left(Path(os.path.realpath(target)))
            _check_replaceable(target, force, directory)
            target = Path(os.path.realpath(target))
            scratch = stack.enter_context(scratch_beside(target))
            inner = scratch / (Path(path).name or target.name)  # a writer may look at the suffix
            if directory:
                inner.mkdir()
            yield inner
            if directory and target.exists():
                exchange(inner, target)
            else:
                inner.replace(target)
        except NNPError:
            raise
        except OSError as error:
            raise refused(Path(path), error) from error


def _check_replaceable(target: Path, force: bool, directory: bool) -> None:
    if not target.exists():
        return
    if not force:
        raise OutputExistsError(
            f"{target} exists: choose another name, or overwrite it with force=True (--force)"
        )
    if not (target.is_dir() or target.is_file()):
        raise OutputExistsError(
            f"{target} is a device or a pipe and cannot be replaced: give the name of a file"
        )
    if target.is_dir() != directory:
        kind = "directory" if target.is_dir() else "file"
        raise OutputExistsError(
            f"{target} is a {kind} and cannot be replaced by another kind: remove it first"
        )


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is not there, before anything is computed for it.

    Raises:
        NNPError: there is no such folder.
    """
    check_can_be(path.parent)
    if not path.parent.is_dir():
        raise NNPError(f"cannot write {path}: there is no folder {path.parent}")


def check_can_be(folder: Path) -> None:
    """Refuse a folder that cannot be made, before anything is computed for it.

    Raises:
        NNPError: a file stands where it, or a folder above it, should be.
    """
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if nearest.exists() and not nearest.is_dir():
        what = "" if nearest == folder else f" in {folder}"
        raise NNPError(f"{nearest}{what} is a file, not a folder: choose another name")


def reason(error: Exception) -> str:
    """Why a file cannot be read, in words without its name and the system's number.

    >>> reason(FileNotFoundError(2, "No such file or directory", "a.csv"))
    'there is no such file'
    """
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def refused(path: Path, error: OSError) -> NNPError:
    """What the file system refused, as one of our errors."""
    if error.errno == errno.ENOSPC:
        return NNPError(f"cannot write {path}: the disk is full; make room, or write elsewhere")
    return NNPError(f"cannot write {path}: {error.strerror or error}")
