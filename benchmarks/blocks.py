"""Subjects that are timed in turn, a block of calls each; `in_turns` is for single calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def block(
    run: Callable[[], Any], length: float, clock: Callable[[], float] = time.process_time
) -> Callable[[], float]:
    """Mean seconds of a call, over a block of calls of about the same length every time.

    Args:
        run: what is timed.
        length: of a block, seconds of the clock; at least one call.
        clock: of processor time, or that of the wall.
    """
    run()
    start = clock()
    run()
    count = max(1, round(length / max(clock() - start, 1e-7)))

    def seconds() -> float:
        begin = clock()
        for _ in range(count):
            run()
        return (clock() - begin) / count

    return seconds


def in_turn(subjects: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each subject in each round."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            found[name].append(subject())
    return found
