"""The package's name at the index, where ``nnp`` is another project's, and how to install it."""

from __future__ import annotations

# As in pyproject.toml; the import name and the command are nnp.
DISTRIBUTION = "nnp"


def install(extra: str) -> str:
    """What to type for a group of optional dependencies.

    >>> install("plot") == f"pip install '{DISTRIBUTION}[plot]'"
    True
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"
