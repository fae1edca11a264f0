"""Scratch folders that a kill may leave, and two directories that change places."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_SUFFIX = ".nnp-tmp"
_ASIDE = ".nnp-old"
_ATTEMPTS = 3
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_CANNOT_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextlib.contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """A new folder beside a file, which goes when the block ends.

    It is locked as long as this process lives; those of the same file that nobody locks were left
    by a kill and go too.
    """
    remove_left(target)
    scratch, lock = _new_folder(target)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _new_folder(target: Path) -> tuple[Path, int | None]:
    """A folder and its lock; again, should another process take it for a killed one's."""
    for _ in range(_ATTEMPTS):
        folder = tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_SUFFIX, dir=target.parent)
        lock = _lock(Path(folder))
        if lock is not None and Path(folder).is_dir():
            break
    return Path(folder), lock


def exchange(new: Path, target: Path) -> None:
    """Let two directories change places; without that in one step, ``target`` is put aside.

    Raises:
        OSError: the file system refuses; ``target`` is where it was.
    """
    try:
        _renameat2(new, target)
    except OSError as error:
        if error.errno not in _CANNOT_EXCHANGE:
            raise
        aside = _aside(target)
        target.rename(aside)
        try:
            new.replace(target)
        except BaseException:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def is_put_aside(target: Path) -> bool:
    """Whether a kill left a directory where `put_back` finds it."""
    return _aside(target).is_dir()


def put_back(target: Path) -> None:
    """Undo what a kill between the two renames of `exchange` left, if it did.

    Raises:
        OSError: the file system refuses.
    """
    target = Path(os.path.realpath(target))
    aside = _aside(target)
    if not aside.is_dir():
        return
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.rename(target)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}{_ASIDE}")


def remove_left(target: Path) -> None:
    """Remove what killed processes left of their writing beside a file.

    Args:
        target: the file; or the beginning of the names of several, up to a dot.
    """
    for folder in target.parent.glob(f".{_literal(target.name)}.*{_SUFFIX}"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _lock(folder: Path) -> int | None:
    """A descriptor that locks a folder; None where another process does, or locks are not known.

    The lock ends with the process, however it ends.
    """
    try:
        import fcntl
    except ImportError:  # not a Unix: nothing is known of other processes, nothing is removed
        return None
    try:
        found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(found)
        return None
    return found


def _renameat2(one: Path, other: Path) -> None:
    """Linux's exchange of two paths in one step."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = (ctypes.c_char_p(os.fsencode(path)) for path in (one, other))
    first, second = names
    if library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
