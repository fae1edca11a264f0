"""What callers pass in any shape, as the flat vector a kernel reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError


def vector(name: str, value: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """``value`` as (size,) contiguous float64.

    Raises:
        OptionError: it holds another count of numbers.
    """
    flat = np.ascontiguousarray(value, np.float64).ravel()
    require_size(name, flat.size, size)
    return flat


def require_size(name: str, found: int, size: int) -> None:
    """Refuse a vector of ``found`` numbers where ``size`` are taken.

    Raises:
        OptionError: they differ.
    """
    if found != size:
        raise OptionError(f"{name} has {found} numbers: this structure takes {size}")
