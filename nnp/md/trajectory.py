"""Trajectories: extxyz (everything, in the axes of the start) or DCD (positions and box, small)."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path
from typing import Protocol

from openmm import app, unit

from nnp.errors import NNPError, OptionError
from nnp.io.files import refused
from nnp.io.structures import extxyz_bytes
from nnp.md.files import AppendedFile
from nnp.md.outputs import check_suffix
from nnp.md.settings import MDSettings
from nnp.md.snapshot import Snapshot
from nnp.openmm import OpenMMAtoms

# Where a DCD file holds its number of frames and its last step; CHARMM's layout.
_DCD_FRAMES_AT, _DCD_LAST_STEP_AT = 8, 20


class Trajectory(Protocol):
    """What the runner needs of one."""

    path: Path

    def write(self, snapshot: Snapshot) -> None:
        """Append a frame."""
        ...

    @property
    def mark(self) -> tuple[int, int]:
        """Bytes and frames so far: where a restart continues."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_trajectory(
    path: Path,
    start: OpenMMAtoms,
    settings: MDSettings,
    resume_at: tuple[int, int] | None = None,
) -> Trajectory:
    """A new trajectory, or one to be continued.

    Args:
        path: the file; its suffix decides the format.
        start: the atoms.
        settings: of the run.
        resume_at: ``mark`` of the run to be continued.
    """
    check_suffix(path)
    if path.suffix == ".dcd":
        return _DCD(path, start, settings, resume_at)
    return _ExtXYZ(path, start, resume_at)


def check_dcd(path: Path, before: MDSettings, now: MDSettings) -> None:
    """Refuse to continue a DCD with another time between frames, of which it holds one.

    Raises:
        OptionError: the format cannot hold it.
    """
    for name in ("timestep", "frame_interval"):
        old, new = getattr(before, name), getattr(now, name)
        if path.suffix == ".dcd" and old != new:
            raise OptionError(
                f"{name} {old} → {new}: {path} is a DCD, which holds one time between frames for "
                "all; leave it as it was, or give another --trajectory or --output"
            )


class _ExtXYZ:
    """Positions, momenta, energy, forces, cell, step and time of each frame, as ASE reads them."""

    def __init__(self, path: Path, start: OpenMMAtoms, resume_at: tuple[int, int] | None) -> None:
        self.path = path
        self._start = start
        self._file = AppendedFile(path, None if resume_at is None else resume_at[0])
        self._frames = 0 if resume_at is None else resume_at[1]

    def write(self, snapshot: Snapshot) -> None:
        self._file.write(extxyz_bytes(snapshot.to_ase(self._start)))
        self._frames += 1

    @property
    def mark(self) -> tuple[int, int]:
        return self._file.size, self._frames

    def close(self) -> None:
        self._file.close()


class _DCD:
    """Positions and box in OpenMM's axes: DCD knows a box only by its lengths and angles."""

    def __init__(
        self,
        path: Path,
        start: OpenMMAtoms,
        settings: MDSettings,
        resume_at: tuple[int, int] | None,
    ) -> None:
        self.path = path
        self._frames = 0 if resume_at is None else resume_at[1]
        self._interval = interval = settings.frame_interval
        timestep_ps = settings.timestep / 1000
        try:
            self._cut(resume_at, interval)
            self._file = path.open("w+b" if resume_at is None else "r+b")
            append = resume_at is not None
            self._writer = app.DCDFile(self._file, start.topology, timestep_ps, 0, interval, append)
        except OSError as error:
            raise refused(path, error) from error

    def write(self, snapshot: Snapshot) -> None:
        box = None if snapshot.box_nm is None else snapshot.box_nm * unit.nanometer
        before = self.mark
        try:
            self._writer.writeModel(snapshot.positions_nm * unit.nanometer, periodicBoxVectors=box)
            self._file.flush()
        except OSError as error:
            self._drop_behind(before)
            raise refused(self.path, error) from error
        self._frames += 1

    @property
    def mark(self) -> tuple[int, int]:
        return self._file.seek(0, io.SEEK_END), self._frames

    def close(self) -> None:
        self._file.close()

    def _drop_behind(self, mark: tuple[int, int]) -> None:
        """Half a frame, and what waits in the buffer."""
        with contextlib.suppress(OSError):
            self.close()
        with contextlib.suppress(OSError, NNPError):
            self._cut(mark, self._interval)

    def _cut(self, resume_at: tuple[int, int] | None, interval: int) -> None:
        """Drop the frames behind the restart, in the header too."""
        if resume_at is None:
            return
        AppendedFile(self.path, resume_at[0]).close()
        frames = resume_at[1]
        with self.path.open("r+b") as file:
            for position, value in (
                (_DCD_FRAMES_AT, frames),
                (_DCD_LAST_STEP_AT, max(frames - 1, 0) * interval),
            ):
                file.seek(position)
                file.write(struct.pack("<i", value))
