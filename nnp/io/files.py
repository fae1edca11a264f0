"""Writing files so that nothing half-written is ever left under the final name."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nnp.errors import NNPError, OutputExistsError


@contextlib.contextmanager
def replacing(path: str | Path, force: bool, directory: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without error.

    Args:
        path: the final file or directory.
        force: whether an existing one may be replaced.
        directory: whether a directory is written.

    Raises:
        OutputExistsError: ``path`` is there and ``force`` is False.
        NNPError: the file system refuses (no such folder, no permission, disk full); what was
            written so far is removed.
    """
    target = Path(path)
    if target.exists() and not force:
        raise OutputExistsError(
            f"{target} exists: choose another name, or overwrite it with force=True (--force)"
        )
    if target.is_dir() != directory and target.exists():
        kind = "directory" if target.is_dir() else "file"
        raise OutputExistsError(
            f"{target} is a {kind} and cannot be replaced by another kind: remove it first"
        )
    scratch = None
    try:
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        inner = scratch / target.name
        if directory:
            inner.mkdir()
        yield inner
        if directory and target.exists():
            target.rename(scratch / "old")
        inner.replace(target)
    except OSError as error:
        raise NNPError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
