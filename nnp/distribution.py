"""The package's name at the index, where ``nnp`` is another project's, and how to install it."""

from __future__ import annotations

from pathlib import Path

# As in pyproject.toml; the import name and the command are nnp.
DISTRIBUTION = "nnp-md"
# Modules of the other project (0.0.4), of whose names none is ours.
_OTHERS = ("so3.py", "vib.py")


def install(extra: str) -> str:
    """What to type for a group of optional dependencies.

    >>> install("plot") == f"pip install '{DISTRIBUTION}[plot]'"
    True
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def refuse_another(folder: Path) -> None:
    """Refuse the other project's files among ours: both would be called ``nnp``.

    Args:
        folder: of the imported package.

    Raises:
        ImportError: they are there.
    """
    if any((folder / name).exists() for name in _OTHERS):
        raise ImportError(
            f"{folder} holds files of another project, which is called nnp at the index and uses "
            "the same import name: pip uninstall nnp, then "
            f"pip install --force-reinstall {DISTRIBUTION}",
            name=__package__,
        )
