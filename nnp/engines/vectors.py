"""What callers hand over in any shape, as the flat vector a kernel reads."""

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
    if flat.size != size:
        raise OptionError(f"{name} has {flat.size} numbers: this structure takes {size}")
    return flat
