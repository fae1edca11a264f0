"""How many threads the dense algebra of a fit may use."""

from __future__ import annotations

import scipy.linalg.blas  # noqa: F401  (only libraries that are loaded can be limited)
import torch
from threadpoolctl import threadpool_limits


def use_threads(count: int) -> None:
    """Limit torch and the BLAS behind NumPy and SciPy, in this process and from now on."""
    torch.set_num_threads(count)
    threadpool_limits(count, user_api="blas")
