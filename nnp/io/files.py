"""Writing files so that nothing half-written is ever left under the final name."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nnp.errors import NNPError, OutputExistsError


@contextlib.contextmanager
def replacing(path: str | Path, force: bool, directory: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without error.

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
    scratch = None
    try:
        _check_replaceable(target, force, directory)
        target = Path(os.path.realpath(target))
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        inner = scratch / (Path(path).name or target.name)  # a writer may look at the suffix
        if directory:
            inner.mkdir()
        yield inner
        if directory and target.exists():
            _swap_directories(inner, target, scratch / "old")
        else:
            inner.replace(target)
    except NNPError:
        raise
    except OSError as error:
        raise refused(Path(path), error) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


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


def _swap_directories(new: Path, target: Path, old: Path) -> None:
    """Put ``new`` in the place of ``target``, which stays where it was if that fails."""
    target.rename(old)
    try:
        new.replace(target)
    except BaseException:
        old.rename(target)
        raise


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is not there, before anything is computed for it.

    Raises:
        NNPError: there is no such folder.
    """
    if not path.parent.is_dir():
        raise NNPError(f"cannot write {path}: there is no folder {path.parent}")


def refused(path: Path, error: OSError) -> NNPError:
    """What the file system refused, as one of our errors."""
    if error.errno == errno.ENOSPC:
        return NNPError(f"cannot write {path}: the disk is full; make room, or write elsewhere")
    return NNPError(f"cannot write {path}: {error.strerror or error}")
