"""The files of a run in progress: opened new or continued, written at their intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnp.errors import NNPError
from nnp.io.files import replacing
from nnp.io.structures import extxyz_bytes
from nnp.md.continuation import capture
from nnp.md.dynamics import Dynamics
from nnp.md.log import Beside, Log
from nnp.md.outputs import Outputs
from nnp.md.restart import Restart, write_restart
from nnp.md.selection import Selection
from nnp.md.settings import MDSettings
from nnp.md.snapshot import Snapshot
from nnp.md.trajectory import Trajectory, open_trajectory
from nnp.md.trajectory_openmm import pdb_bytes
from nnp.openmm import OpenMMAtoms


class Recorder:
    """Log, trajectories, restart file and single frames.

    Args:
        outputs: their names.
        start: the atoms.
        settings: intervals.
        restart: what is continued, None for a new run.
        continued: the files among ``outputs`` that are continued and not begun.
        machine: how the forces are computed, see `nnp.md.restart.Restart`.
    """

    def __init__(
        self,
        outputs: Outputs,
        start: OpenMMAtoms,
        settings: MDSettings,
        restart: Restart | None,
        continued: frozenset[Path],
        machine: dict[str, Any],
    ) -> None:
        self._outputs, self._start, self._settings = outputs, start, settings
        self._machine = machine
        log_at = restart.log[1] if restart and outputs.log in continued else None
        self._fresh_log = log_at is None
        self._log = Log(outputs.log, start, log_at)
        self._trajectories: list[tuple[Trajectory, int, bool]] = []
        self._selection: Selection | None = None
        try:
            for file in outputs.frames:
                mark = restart.mark(file.path.name) if restart and file.path in continued else None
                trajectory = open_trajectory(file, start, settings, mark)
                every = file.every or settings.frame_interval
                self._trajectories.append((trajectory, every, mark is None))
            mark = restart.mark(outputs.selected.name) if restart and continued else None
            self._selection = Selection(outputs.selected, start, settings, mark)
        except NNPError:
            self.close()
            raise

    def begin(self, snapshot: Snapshot, beside: Beside) -> None:
        """Write the starting state to the files that do not have it yet."""
        if self._fresh_log:
            self._log.write(snapshot, beside)
        for trajectory, _, fresh in self._trajectories:
            if fresh:
                trajectory.write(snapshot)
        if self._fresh_log:
            self._select(snapshot)
        if self._outputs.needs_topology:
            with replacing(self._outputs.topology, force=True) as scratch:
                scratch.write_bytes(pdb_bytes(self._start, snapshot, wrapped=False))

    def wants(self, step: int) -> bool:
        """Whether a row or a frame belongs to this step."""
        frames = any(step % every == 0 for _, every, _ in self._trajectories)
        return frames or self.wants_observation(step)

    def wants_observation(self, step: int) -> bool:
        """Whether a row or a look at what is worth a label belongs to this step."""
        selects = self._selection is not None and self._selection.wants(step)
        return selects or self.wants_row(step)

    def write(self, snapshot: Snapshot, beside: Beside) -> None:
        """Write the row and the frame that belong to this step."""
        if self.wants_row(snapshot.step):
            self._log.write(snapshot, beside)
        for trajectory, every, _ in self._trajectories:
            if snapshot.step % every == 0:
                trajectory.write(snapshot)
        self._select(snapshot)

    def _select(self, snapshot: Snapshot) -> None:
        if self._selection is not None and self._selection.wants(snapshot.step):
            self._selection.look(snapshot)

    @property
    def selected(self) -> int:
        """How many structures were selected."""
        return 0 if self._selection is None else self._selection.count

    @property
    def intervals(self) -> set[int]:
        """Of everything that is written."""
        settings = self._settings
        own = {settings.log_interval, settings.restart_interval}
        if settings.select_interval is not None:
            own.add(settings.select_interval)
        return own | {every for _, every, _ in self._trajectories}

    def wants_restart(self, step: int) -> bool:
        """Whether a restart file belongs to this step."""
        return step % self._settings.restart_interval == 0

    def save_restart(self, dynamics: Dynamics, energy: float | None) -> None:
        """Replace the restart file; ``energy``: with which the segment began, eV."""
        log = (self._outputs.log.name, self._log.size)
        files = [(found.path.name, *found.mark) for found, _, _ in self._trajectories]
        if self._selection is not None and self._selection.count:
            files.append((self._selection.path.name, *self._selection.mark))
        found = capture(dynamics, log, files, self._machine, energy)
        write_restart(found, self._outputs.restart)

    def write_frame(self, snapshot: Snapshot, path: Path) -> None:
        """Write one state to a file of its own."""
        with replacing(path, force=True) as scratch:
            scratch.write_bytes(extxyz_bytes(snapshot.to_ase(self._start)))

    def close(self) -> None:
        """Close log and trajectories."""
        self._log.close()
        for trajectory, _, _ in self._trajectories:
            trajectory.close()
        if self._selection is not None:
            self._selection.close()

    def wants_row(self, step: int) -> bool:
        """Whether a row belongs to this step."""
        return step % self._settings.log_interval == 0 or step == self._settings.steps


def continued_files(
    outputs: Outputs, restart: Restart | None, path: Path | None
) -> frozenset[Path]:
    """Outputs that may exist because the run that wrote them is being continued.

    Args:
        outputs: of the run.
        restart: what is continued, None for a new run.
        path: of the restart file. Only when it is the run's own, log and trajectory are continued;
            else they are new files.
    """
    if restart is None or path is None or path.resolve() != outputs.restart.resolve():
        return frozenset()
    found = {outputs.restart, outputs.final, outputs.last_good, outputs.topology}
    found.add(outputs.selected)  # of the steps after the restart, where it knows of none
    if outputs.log.name == restart.log[0] and outputs.log.exists():
        found.add(outputs.log)
    known = {name for name, _, _ in restart.files}
    files = [file.path for file in outputs.frames]
    return frozenset(found | {path for path in files if path.name in known and path.exists()})
