"""The run itself: steps, looks at the state, and what happens when it has to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from ase.units import fs

from nnp.errors import NNPError, NumericalError, OptionError
from nnp.interrupt import Interruptible
from nnp.md.continuation import apply, changes_of, check_forces, next_segment
from nnp.md.dynamics import Begin, Dynamics
from nnp.md.log import Beside
from nnp.md.observer import Observer
from nnp.md.outputs import Outputs
from nnp.md.progress import Progress
from nnp.md.recorder import Recorder, continued_files
from nnp.md.restart import Restart, read_restart
from nnp.md.settings import MDSettings
from nnp.md.snapshot import Snapshot
from nnp.md.start import check_start
from nnp.md.trajectory import check_one_timestep
from nnp.md.watch import Watch
from nnp.openmm import OpenMMAtoms, check_platform, create_system, fingerprint, to_openmm
from nnp.potential import Potential

# Between two looks at positions and at Ctrl-C no more than about this passes.
_SECONDS_PER_CHUNK = 0.5
_ADVICE = (
    "Try a smaller timestep, a relaxed structure, or a potential trained for it; limits can be "
    "set (docs/md.md), or ignored with keep_going=True (--keep-going)"
)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        step: the last step made.
        ns_per_day: speed, outputs included.
        interrupted: whether Ctrl-C or SIGTERM ended it.
        acceptance: share of the barostat's moves that succeeded; None without one.
        selected: how many structures were selected to be labelled.
    """

    step: int
    ns_per_day: float
    interrupted: bool
    acceptance: float | None = None
    selected: int = 0


def run(
    potential: Potential,
    atoms: Any,
    settings: MDSettings,
    outputs: Outputs,
    platform: str = "CPU",
    any_geometry: bool = False,
    **force_options: Any,
) -> Outcome:
    """Run molecular dynamics with a potential.

    Args:
        potential: the potential.
        atoms: an ``ase.Atoms``, periodic along all axes or none; the run starts with its
            velocities if it has any; its fixed atoms and bond lengths are kept.
        settings: ensemble, numbers, intervals.
        outputs: files.
        platform: name of the OpenMM platform.
        any_geometry: whether to accept overlapping atoms at the start.
        force_options: ``route``, ``engine`` and its options, see `nnp.openmm.create_force`.

    Raises:
        StructureError: two atoms overlap at the start.
        NumericalError: energy, forces or positions are no longer finite, or beyond a bound of the
            settings; everything until then is on disk, including the last good state.
        NNPError: any other error, before anything is written.

    Examples:
        >>> run(potential, atoms, MDSettings(steps=1000), Outputs.named("si"))  # doctest: +SKIP
    """
    start = to_openmm(atoms)
    system = create_system(potential, start, platform=platform, **force_options)
    if not any_geometry:
        check_start(start.to_ase(start.positions_nm))
    machine = {"platform": platform} | force_options
    runner = Runner(
        system, atoms, settings, outputs, platform, machine=machine, potential=potential
    )
    return runner.run()


class Runner:
    """A run of any OpenMM system.

    Args:
        system: with its forces; its atoms in the order of ``atoms``. The run adds its barostat.
        atoms: an ``ase.Atoms``: the start.
        settings: ensemble, numbers, intervals.
        outputs: files.
        platform: name of the OpenMM platform.
        restart: file to continue; ``atoms`` then only gives elements, masses, axes and
            constraints. With other dynamics, platform or engine a new segment starts.
        machine: how the forces are computed (route, engine, …), noted in the restart file.
        potential: names the functions in messages.

    Attributes:
        changes: what a restart changes, such as ``timestep 1.0 → 2.0``; empty: nothing.
        segment: number of the segment, from 0.
        seamless: whether the restart also restores thermostat and random numbers; None without
            a restart.

    Raises:
        NNPError: something is wrong; nothing was written.
    """

    def __init__(
        self,
        system: openmm.System,
        atoms: Any,
        settings: MDSettings,
        outputs: Outputs,
        platform: str = "CPU",
        restart: str | Path | None = None,
        machine: Mapping[str, Any] | None = None,
        potential: Potential | None = None,
    ) -> None:
        if settings.ramps and settings.ramp_steps is None:
            settings = replace(settings, ramp_steps=max(settings.steps, 1))
        self._settings, self._outputs = settings, outputs
        self._machine = dict(machine or {})
        self._start = to_openmm(atoms)
        self._restart = None if restart is None else read_restart(restart)
        found = check_platform(system, platform)
        begin = self._begin(system, found.getName())
        self.segment = begin.segment
        self._dynamics = Dynamics(system, self._start, settings, found, begin)
        path = None if restart is None else Path(restart)
        self._continued = continued_files(outputs, self._restart, path)
        self.seamless: bool | None = None
        if self._restart is None or path is None:
            self._dynamics.set_velocities(_velocities(atoms, self._start))
        else:
            self.seamless = self._continue(path, self._restart)
        self._watch: Watch | None = None
        self._good = self._look(full=True)
        self._observer = Observer(self._dynamics, potential, self._machine)
        check_spread(settings, self._observer.has_spread)
        known = None if self._restart is None or self.changes else self._restart.energy
        self._watch = Watch(self._dynamics, self._good, known, potential)
        self._check_start()
        outputs.check(self._continued)

    def run(self, show_progress: bool = False, begun: Callable[[], None] | None = None) -> Outcome:
        """Run all steps.

        Args:
            show_progress: whether to show a bar.
            begun: called when the files are open and before the first step.

        Raises:
            NumericalError: see `nnp.md.run`.
            NNPError: the disk is full, ….
        """
        settings = self._settings
        self._recorder = Recorder(
            self._outputs, self._start, settings, self._restart, self._continued, self._machine
        )
        first = self._dynamics.step
        progress = Progress(first, settings.steps, settings.timestep, show_progress)
        try:
            with Interruptible() as interrupt:
                if begun:
                    begun()
                self._loop(progress, interrupt)
                self._finish()
        except NNPError as error:
            raise self._stopped(error) from error
        finally:
            progress.close()
            self._recorder.close()
        acceptance = self._dynamics.controls.acceptance
        return Outcome(
            self._dynamics.step,
            progress.ns_per_day,
            interrupt.requested,
            acceptance,
            self._recorder.selected,
        )

    def _begin(self, system: openmm.System, platform: str) -> Begin:
        self.changes: list[str] = []
        if self._restart is None:
            return Begin()
        forces = [fingerprint(force) for force in system.getForces()]
        self.changes = changes_of(self._restart, self._settings, platform, forces)
        return next_segment(self._restart, self.changes)

    def _continue(self, path: Path, restart: Restart) -> bool:
        files = [self._outputs.log, *(file.path for file in self._outputs.frames)]
        same_files = not self._continued.isdisjoint(files)
        seamless = apply(restart, self._dynamics, path)
        check_forces(restart, self._dynamics, path, same_files)
        for file in self._outputs.frames:
            if file.path in self._continued:
                check_one_timestep(file, restart.settings, self._settings)
        self._require_steps(restart.step)
        return seamless

    def _loop(self, progress: Progress, interrupt: Interruptible) -> None:
        watch, first = self._watcher, self._dynamics.step
        begin_with = self._observer.observe(self._good)
        self._recorder.begin(begin_with, self._beside(progress, first))
        watch.row(begin_with)
        self._recorder.save_restart(self._dynamics, watch.energy)
        seconds_per_step = 0.0
        while self._dynamics.step < self._settings.steps and not interrupt.requested:
            steps, begin = self._chunk(seconds_per_step), time.perf_counter()
            self._dynamics.advance(steps)
            seconds_per_step = (time.perf_counter() - begin) / steps
            wanted = self._recorder.wants(self._dynamics.step)
            observed = self._recorder.wants_observation(self._dynamics.step)
            snapshot = self._look(full=wanted)
            if wanted:
                if observed:
                    snapshot = self._good = self._observer.observe(snapshot)
                self._recorder.write(snapshot, self._beside(progress, snapshot.step))
                watch.row(snapshot)
            if self._recorder.wants_restart(snapshot.step):
                self._recorder.save_restart(self._dynamics, watch.energy)
            progress.update(snapshot.step, snapshot.temperature)

    def _beside(self, progress: Progress, step: int) -> Beside:
        settings = self._settings
        thermostat, barostat = settings.ensemble != "nve", settings.ensemble == "npt"
        return Beside(
            target_temperature=settings.temperature_at(step) if thermostat else None,
            target_pressure=settings.pressure_at(step) if barostat else None,
            acceptance=self._dynamics.controls.acceptance,
            pace=progress.pace(step),
        )

    def _chunk(self, seconds_per_step: float) -> int:
        """Steps until something is due, or about ``_SECONDS_PER_CHUNK``."""
        step, settings = self._dynamics.step, self._settings
        until = min(interval - step % interval for interval in self._recorder.intervals)
        patience = _SECONDS_PER_CHUNK / seconds_per_step if seconds_per_step else 1
        return max(1, min(until, settings.steps - step, int(patience)))

    def _look(self, full: bool) -> Snapshot:
        """The present state, known to be finite."""
        snapshot = self._finite(self._dynamics.snapshot(full))
        if self._watch is not None:
            self._watch.motion(snapshot)
        self._good = snapshot
        return snapshot

    @staticmethod
    def _finite(snapshot: Snapshot) -> Snapshot:
        problem = snapshot.problem()
        if problem:
            raise NumericalError(problem)
        return snapshot

    def _finish(self) -> None:
        self._recorder.save_restart(self._dynamics, self._watcher.energy)
        self._recorder.write_frame(self._look(full=True), self._outputs.final)

    def _stopped(self, error: NNPError) -> NNPError:
        """The error that tells where everything is; the last good state goes to its file."""
        good, out = self._good, self._outputs
        message = f"the run stopped after step {good.step}: {str(error).rstrip('.')}. "
        try:
            self._recorder.write_frame(good, out.last_good)
            message += f"The last good state (step {good.step}) is in {out.last_good}"
        except NNPError as second:
            message += f"The last good state is lost ({second})"
        message += f", everything before it in {out.log} and {out.trajectory}."
        if isinstance(error, NumericalError):
            message += f" {_ADVICE}."
        return type(error)(message)

    def _check_start(self) -> None:
        try:
            self._watcher.motion(self._good)
        except NumericalError as error:
            raise NumericalError(f"where the run begins, {error}. {_ADVICE}") from None

    @property
    def _watcher(self) -> Watch:
        if self._watch is None:
            raise OptionError("the run has not begun")
        return self._watch

    def _require_steps(self, done: int) -> None:
        """At the end there is nothing left but to write the final state, which a kill may lack."""
        if done > self._settings.steps:
            raise OptionError(
                f"steps={self._settings.steps}, but the restart is already at step {done}: steps "
                "counts from the beginning of the run; ask for more"
            )


def check_spread(settings: MDSettings, has_spread: bool) -> None:
    """Refuse a bound on what nothing tells.

    Args:
        settings: of the run.
        has_spread: whether a committee moves the atoms, and nothing beside it.

    Raises:
        OptionError: a bound on the spread of a single potential's forces.
    """
    if settings.stop_on_spread is not None and not has_spread:
        raise OptionError(
            f"stop_on_spread={settings.stop_on_spread:g} eV/Å: a single potential cannot disagree "
            "with itself: give a committee (nnp train --members), or leave it out"
        )


def _velocities(atoms: Any, start: OpenMMAtoms) -> Any:
    """(n, 3) velocities in Å/fs and OpenMM's axes, None where the structure has none."""
    if "momenta" not in getattr(atoms, "arrays", {}):
        return None
    velocities = atoms.get_velocities() * fs @ start.rotation
    return velocities if np.any(velocities) else None
