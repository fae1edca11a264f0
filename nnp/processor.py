"""The processor that this process may use."""

from __future__ import annotations

import os

# Of an engine, as the library allows.
MOST_THREADS = 4096


def usable_cores() -> int:
    """Cores that the system lets this process run on; 1 where nothing says it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
