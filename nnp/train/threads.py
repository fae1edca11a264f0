"""How many threads the dense algebra of a fit may use."""

from __future__ import annotations

import scipy.linalg.blas  # noqa: F401  (only libraries that are loaded can be limited)
import torch
from threadpoolctl import threadpool_limits


def use_threads(count: int, optimizer: str) -> None:
    """Limit torch and the BLAS behind NumPy and SciPy, in this process and from now on.

    Args:
        count: of threads.
        optimizer: its kind. With the Kalman filter torch gets one: the large algebra is BLAS's, and
            where both have as many threads as there are cores, those that wait take the time of
            those that work (ten times slower on two cores).
    """
    torch.set_num_threads(1 if optimizer == "kalman" else count)
    threadpool_limits(count, user_api="blas")
