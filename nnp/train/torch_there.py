"""Torch, without which nothing is learned; said on import, whichever part comes first."""

from __future__ import annotations

from nnp.distribution import install
from nnp.errors import UnavailableError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise UnavailableError(
        f"training needs torch, which is not installed: {install('torch')}; without a GPU its "
        "smaller build for CPUs is enough: pip install torch --index-url "
        "https://download.pytorch.org/whl/cpu"
    ) from error
