"""What changes during a run: temperature and pressure of ramps, moves of the barostat.

OpenMM's barostats begin with moves of 1 % (of the volume; the flexible one of all six numbers of
the box at once) and make them a tenth smaller after every ten that mostly failed. In a stiff or
large system a move of 1 % never succeeds, so at one attempt in 25 steps the box stays as it is for
thousands of steps. A run therefore begins with an attempt per step until a fifth of them succeeds.
Each of them is a move like any other: the ensemble is the same.
"""

from __future__ import annotations

from collections import deque

import openmm
from openmm import unit

from nnp.md.ensembles import set_pressure, set_temperature
from nnp.md.settings import RAMP_INTERVAL, MDSettings

# Attempts over which success is judged; the share that is enough; the most that are made.
_WINDOW, _ENOUGH, _MOST = 20, 0.2, 500


class Controls:
    """Makes the steps of a run.

    What is changed depends on the step alone, and never on when the run was looked at, so that a
    continued run is the uninterrupted one.

    Args:
        settings: of the run.
        context: whose steps are made.
        integrator: of the context.
        barostat: of its system, or None.

    Attributes:
        attempts: moves of the barostat since it found its size.
        accepted: how many of them succeeded.
    """

    def __init__(
        self,
        settings: MDSettings,
        context: openmm.Context,
        integrator: openmm.Integrator,
        barostat: openmm.Force | None,
    ) -> None:
        self._settings, self._context = settings, context
        self._integrator, self._barostat = integrator, barostat
        self._set: tuple[float, float] | None = None
        self._recent: deque[bool] = deque(maxlen=_WINDOW)
        self._tuning = 0 if barostat is None else _MOST
        self._since_attempt, self._moved = 0, False
        self.attempts = self.accepted = 0
        if barostat is not None and self._tuning:
            barostat.setFrequency(1)

    @property
    def acceptance(self) -> float | None:
        """Share of the barostat's moves that succeeded; None before the first."""
        if self.attempts:
            return self.accepted / self.attempts
        return sum(self._recent) / len(self._recent) if self._recent else None

    def advance(self, steps: int) -> None:
        """Make steps."""
        while steps > 0:
            now = int(self._context.getStepCount())
            part = min(steps, self._until_turn(now))
            self._turn(now)
            before = self._box() if self._barostat is not None else None
            self._integrator.step(part)
            if before is not None:
                self._count(part, before != self._box())
            steps -= part

    def _until_turn(self, step: int) -> int:
        """Steps to the next change of a ramp or attempt of the barostat, whichever is earlier."""
        found = RAMP_INTERVAL - step % RAMP_INTERVAL if self._settings.ramps else 1 << 30
        if self._barostat is not None:
            found = min(found, self._interval - self._since_attempt)
        return found

    @property
    def _interval(self) -> int:
        return 1 if self._tuning else self._settings.barostat_interval

    def _turn(self, step: int) -> None:
        if not self._settings.ramps:
            return
        wanted = (self._settings.temperature_at(step), self._settings.pressure_at(step))
        if wanted == self._set:
            return
        self._set = wanted
        set_temperature(wanted[0], self._context, self._integrator, self._barostat)
        if self._barostat is not None:
            set_pressure(wanted[1], self._context, self._barostat)

    def _box(self) -> tuple[tuple[float, ...], ...]:
        vectors = self._context.getState().getPeriodicBoxVectors()
        return tuple(tuple(vector) for vector in vectors.value_in_unit(unit.nanometer))

    def _count(self, steps: int, moved: bool) -> None:
        """Record an attempt; there is one per interval."""
        self._moved = moved or (self._since_attempt > 0 and self._moved)
        self._since_attempt += steps
        if self._since_attempt < self._interval:
            return
        self._since_attempt = 0
        if not self._tuning:
            self.attempts += 1
            self.accepted += self._moved
            return
        self._recent.append(self._moved)
        self._tuning -= 1
        if len(self._recent) == _WINDOW and sum(self._recent) >= _ENOUGH * _WINDOW:
            self._tuning = 0
        if not self._tuning and self._barostat is not None:
            self._barostat.setFrequency(self._settings.barostat_interval)
