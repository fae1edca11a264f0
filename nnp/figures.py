"""New figures of matplotlib, imported when one is drawn, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnp.errors import UnavailableError
from nnp.io.files import replacing


def new_figure(width: float, height: float) -> Any:
    """An empty figure of a size in inches.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UnavailableError(
            "pictures need matplotlib, which is not installed: pip install 'nnp[plot]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: str | Path) -> None:
    """Write a figure; an existing file is replaced, and only by a whole one."""
    with replacing(path, force=True) as scratch:
        figure.savefig(scratch, dpi=150)
