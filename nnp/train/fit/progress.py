"""How far a fit is: a bar on a terminal, elsewhere a line per evaluated epoch or ten seconds."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from typing import Any

from nnp.terminal import Stream, progress_bar

_EVERY = 10.0  # s between lines within an epoch


class Progress:
    """Counts steps and says how long the rest takes.

    Args:
        epochs: of the whole run.
        done: epochs that an earlier run has done.
        steps: of one epoch.
        show: whether anything is printed.
    """

    def __init__(self, epochs: int, done: int, steps: int, show: bool = True) -> None:
        self._epochs, self._steps = epochs, max(steps, 1)
        self._first = self._now = done * self._steps
        self._begin = self._last = time.monotonic()
        self._out = Stream(sys.stderr)
        self._lines = show and not self._out.isatty()
        self._bar: Any = progress_bar(
            total=epochs * self._steps,
            initial=self._now,
            disable=not show or self._lines,
            bar_format="{l_bar}{bar}| {elapsed}, {remaining} left{postfix}",
            desc="fit",
        )

    @property
    def seconds_left(self) -> float:
        """By the speed so far; NaN before the first step."""
        done, left = self._now - self._first, self._epochs * self._steps - self._now
        return (time.monotonic() - self._begin) / done * left if done else float("nan")

    def step(self) -> None:
        """One more step is done."""
        self._now += 1
        self._bar.update()
        if self._lines and time.monotonic() - self._last > _EVERY:
            epoch, step = divmod(self._now - 1, self._steps)
            self._say(f"epoch {epoch + 1}/{self._epochs}, step {step + 1} of {self._steps}")

    def epoch_done(self, epoch: int) -> None:
        """All steps of an epoch, counted from 0, however many there were."""
        missing = (epoch + 1) * self._steps - self._now
        self._now += missing
        self._bar.update(missing)

    def epoch(self, row: Mapping[str, float]) -> None:
        """An epoch is done and evaluated; ``row`` is that of the log."""
        self._bar.set_postfix_str(_errors(row, "valid" if "valid_loss" in row else "train"))
        if self._lines:
            errors = _errors(row, "train")
            if "valid_loss" in row:
                errors = f"loss {row['train_loss']:.2g}; {_errors(row, 'valid')}"
            self._say(f"epoch {row['epoch']:.0f}/{self._epochs}: {errors}")

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        self._out.write(f"{text}; {duration(self.seconds_left)} left\n")
        self._out.flush()


def duration(seconds: float) -> str:
    """One unit, for lines that must fit on 80 columns.

    >>> [duration(s) for s in (0.31, 75, 3700, 90_000)]
    ['0.3 s', '1.2 min', '1.0 h', '25.0 h']
    """
    if not seconds >= 60:  # NaN too
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _errors(row: Mapping[str, float], part: str) -> str:
    energy, force = row[f"{part}_energy_rmse_mev"], row[f"{part}_force_rmse"]
    found = [f"{'loss' if part == 'train' else part} {row[f'{part}_loss']:.2g}"]
    if not math.isnan(energy):
        found.append(f"{energy:.2f} meV/atom")
    if not math.isnan(force):
        found.append(f"{force:.4f} eV/Å")
    return ", ".join(found)
