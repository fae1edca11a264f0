"""The files of a run while it goes on: opened new or continued, written at their intervals."""

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
from nnp.md.settings import MDSettings
from nnp.md.snapshot import Snapshot
from nnp.md.trajectory import open_trajectory
from nnp.openmm import OpenMMAtoms


class Recorder:
    """Log, trajectory, restart file and single frames.

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
        mark = restart.trajectory[1:] if restart and outputs.trajectory in continued else None
        self._fresh_log, self._fresh_trajectory = log_at is None, mark is None
        self._log = Log(outputs.log, start, log_at)
        try:
            self._trajectory = open_trajectory(outputs.trajectory, start, settings, mark)
        except NNPError:
            self._log.close()
            raise

    def begin(self, snapshot: Snapshot, beside: Beside) -> None:
        """Write the starting state to the files that do not have it yet."""
        if self._fresh_log:
            self._log.write(snapshot, beside)
        if self._fresh_trajectory:
            self._trajectory.write(snapshot)

    def wants(self, step: int) -> bool:
        """Whether a row or a frame belongs to this step."""
        return self.wants_row(step) or step % self._settings.frame_interval == 0

    def write(self, snapshot: Snapshot, beside: Beside) -> None:
        """Write the row and the frame that belong to this step."""
        if self.wants_row(snapshot.step):
            self._log.write(snapshot, beside)
        if snapshot.step % self._settings.frame_interval == 0:
            self._trajectory.write(snapshot)

    def wants_restart(self, step: int) -> bool:
        """Whether a restart file belongs to this step."""
        return step % self._settings.restart_interval == 0

    def save_restart(self, dynamics: Dynamics, energy: float | None) -> None:
        """Replace the restart file; ``energy``: with which the segment began, eV."""
        log = (self._outputs.log.name, self._log.size)
        trajectory = (self._outputs.trajectory.name, *self._trajectory.mark)
        found = capture(dynamics, log, trajectory, self._machine, energy)
        write_restart(found, self._outputs.restart)

    def write_frame(self, snapshot: Snapshot, path: Path) -> None:
        """Write one state to a file of its own."""
        with replacing(path, force=True) as scratch:
            scratch.write_bytes(extxyz_bytes(snapshot.to_ase(self._start)))

    def close(self) -> None:
        """Close log and trajectory."""
        self._log.close()
        self._trajectory.close()

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
    found = {outputs.restart, outputs.final, outputs.last_good}
    for name, file in ((restart.log[0], outputs.log), (restart.trajectory[0], outputs.trajectory)):
        if file.name == name and file.exists():
            found.add(file)
    return frozenset(found)
