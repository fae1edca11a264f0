"""Potentials that come with the package, by name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

_SUFFIX = ".nnp"


def bundled_names() -> list[str]:
    """Names that stand for a potential instead of a path, such as ``silicon_sw``."""
    folder = _folder()
    return sorted(file.stem for file in folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []


def bundled_path(name: str) -> Path | None:
    """The model file of a name; None: there is no such name."""
    return _folder() / f"{name}{_SUFFIX}" if name in bundled_names() else None


def _folder() -> Path:
    return Path(str(resources.files("nnp").joinpath("data")))
