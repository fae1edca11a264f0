"""How far a run is: a bar with ns/day and time left, or a line per tenth where no terminal is."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from tqdm import tqdm

from nnp.terminal import Stream, progress_bar

_SECONDS_PER_DAY = 86_400.0
_FS_PER_NS = 1e6


class Progress:
    """Counts steps and measures speed.

    Args:
        first: step at which the run (or its continuation) begins.
        last: step at which it ends.
        timestep: fs.
        show: whether anything is printed.
    """

    def __init__(self, first: int, last: int, timestep: float, show: bool = True) -> None:
        self._first, self._last, self._timestep = first, last, timestep
        self._begin = time.perf_counter()
        self._done = first
        self._temperature = float("nan")
        self._out = Stream(sys.stderr)
        self._lines = show and not self._out.isatty()
        self._bar: Any = progress_bar(
            total=last,
            initial=first,
            unit="step",
            disable=not show or self._lines,
            bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} steps, {remaining} left{postfix}",
        )

    @property
    def ns_per_day(self) -> float:
        """Speed so far; 0 before the first step."""
        elapsed = time.perf_counter() - self._begin
        simulated_ns = (self._done - self._first) * self._timestep / _FS_PER_NS
        return simulated_ns / elapsed * _SECONDS_PER_DAY if elapsed > 0 else 0.0

    def pace(self, step: int) -> tuple[float | None, float | None, float | None]:
        """Steps per second, ns per day, and seconds that are left at a step; None before any."""
        elapsed, made = time.perf_counter() - self._begin, step - self._first
        if made <= 0 or elapsed <= 0:
            return (None, None, None)
        rate = made / elapsed
        nanoseconds = rate * self._timestep / _FS_PER_NS
        return (rate, nanoseconds * _SECONDS_PER_DAY, (self._last - step) / rate)

    def update(self, step: int, temperature: float = float("nan")) -> None:
        """Show that a step is reached; without a temperature (K) the one before stays."""
        before, self._done = self._done, step
        text = f"{self.ns_per_day:.3g} ns/day"
        if not math.isnan(temperature):
            self._temperature = temperature
        if not math.isnan(self._temperature):
            text += f", {self._temperature:.0f} K"
        if self._bar.disable:
            self._print_line(before, text)
            return
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(step - before)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _print_line(self, before: int, text: str) -> None:
        if not self._lines or self._last == 0:
            return
        if 10 * self._done // self._last > 10 * before // self._last:
            elapsed = time.perf_counter() - self._begin
            left = elapsed * (self._last - self._done) / max(self._done - self._first, 1)
            line = f"step {self._done} of {self._last}, {text}, {tqdm.format_interval(left)} left"
            self._out.write(line + "\n")
            self._out.flush()
