"""What an atom costs in the CPU engine: measured, beside what the cost model predicts."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from nnp.engines.cost import Cost
from nnp.engines.cpu import CpuEngine
from nnp.structure import Structure

_AT_LEAST = 5  # evaluations
_IN_LIBRARY = ("list_seconds", "kernel_seconds", "reduce_seconds")


def microseconds(engine: CpuEngine, structure: Structure, seconds: float) -> float:
    """An atom's energy and forces with a list that stands, as the library itself counts.

    Args:
        engine: of one thread.
        structure: not evaluated before, or since the engine saw another.
        seconds: how long to repeat it; the fastest counts.
    """
    engine.compute(structure)
    fastest, done, end = np.inf, 0, time.perf_counter() + seconds
    while done < _AT_LEAST or time.perf_counter() < end:
        before, processor = _elapsed(engine), time.process_time()
        engine.compute(structure)
        processor = time.process_time() - processor  # without others' turns, but with Python's own
        fastest = min(fastest, processor, _elapsed(engine) - before)
        done += 1
    return 1e6 * fastest / max(len(structure), 1)


def predicted(costs: Sequence[Cost]) -> float:
    """Microseconds of an atom of the structure that the costs are of, on average."""
    return sum(c.n_atoms * c.total for c in costs) / sum(c.n_atoms for c in costs)


def _elapsed(engine: CpuEngine) -> float:
    counters = engine.statistics
    return sum(counters[name] for name in _IN_LIBRARY)
