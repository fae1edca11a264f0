"""Trajectories by OpenMM's writers: DCD, XTC, PDB; positions and box in OpenMM's axes."""

from __future__ import annotations

import contextlib
import copy
import errno
import io
import os
import struct
from pathlib import Path
from typing import Any

import openmm
from openmm import app, unit

from nnp.errors import NNPError, StructureError
from nnp.io.files import refused
from nnp.md.files import AppendedFile
from nnp.md.frame_file import FrameFile
from nnp.md.settings import MDSettings
from nnp.md.snapshot import Snapshot
from nnp.openmm import OpenMMAtoms

# Where a DCD file holds its number of frames and its last step; CHARMM's layout.
_DCD_FRAMES_AT, _DCD_LAST_STEP_AT = 8, 20
# An XTC frame: 56 bytes before the positions of up to nine atoms, which are not compressed; else
# the number of compressed bytes at 88.
_XTC_FEW, _XTC_HEADER, _XTC_SIZE_AT, _XTC_WIDE_MAGIC = 9, 56, 88, 2023


def pdb_bytes(
    start: OpenMMAtoms, snapshot: Snapshot, wrapped: bool, model: int | None = None
) -> bytes:
    """A PDB with the names, residues and chains of the start.

    Args:
        start: the atoms.
        snapshot: their places and cell.
        wrapped: whether atoms are put back into the cell.
        model: number of the model; None: the only one.

    Raises:
        StructureError: numbers that the format has no room for.
    """
    topology = copy.copy(start.topology)
    positions, box = _positions_and_box(snapshot, wrapped)
    topology.setPeriodicBoxVectors(box)
    text = io.StringIO()
    try:
        app.PDBFile.writeHeader(topology, text)
        app.PDBFile.writeModel(topology, positions, text, modelIndex=model, keepIds=True)
    except ValueError as error:
        raise StructureError(f"a PDB cannot hold step {snapshot.step}: {error}") from None
    lines = [line for line in text.getvalue().splitlines() if not line.startswith("REMARK")]
    return ("\n".join(lines) + "\n").encode()


def _positions_and_box(snapshot: Snapshot, wrapped: bool) -> tuple[Any, Any]:
    box = None
    if snapshot.box_nm is not None:
        box = [openmm.Vec3(*vector) for vector in snapshot.box_nm.tolist()] * unit.nanometer
    positions = snapshot.wrapped_nm if wrapped else snapshot.positions_nm
    return positions * unit.nanometer, box


def _require_whole_xtc_frame(path: Path, at: int) -> None:
    """Compare the end of a file with its last frame's header: OpenMM is silent on a full disk.

    Raises:
        OSError: the frame that begins at ``at`` is not whole.
    """
    with path.open("rb") as file:
        file.seek(at)
        head = file.read(_XTC_SIZE_AT + 8)
    magic, n_atoms = struct.unpack_from(">ii", head)
    size: int = _XTC_HEADER + 12 * n_atoms
    if n_atoms > _XTC_FEW:
        wide = magic == _XTC_WIDE_MAGIC
        (packed,) = struct.unpack_from(">q" if wide else ">i", head, _XTC_SIZE_AT)
        size = _XTC_SIZE_AT + (8 if wide else 4) + (packed + 3) // 4 * 4
    if path.stat().st_size != at + size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class XTC:
    """Positions to 0.01 Å, compressed, and the box."""

    def __init__(
        self,
        file: FrameFile,
        start: OpenMMAtoms,
        settings: MDSettings,
        resume_at: tuple[int, int] | None,
    ) -> None:
        self.path, self._wrapped = file.path, file.wrapped
        self._frames = 0 if resume_at is None else resume_at[1]
        AppendedFile(file.path, resume_at[0] if resume_at and self._frames else None).close()
        interval = file.every or settings.frame_interval
        timestep_ps = settings.timestep / 1000
        more = self._frames > 0
        self._writer = app.XTCFile(
            str(file.path), start.topology, timestep_ps, 0, interval, append=more
        )

    def write(self, snapshot: Snapshot) -> None:
        """Append a frame."""
        size = self.mark[0]
        positions, box = _positions_and_box(snapshot, self._wrapped)
        try:
            self._writer.writeModel(positions, periodicBoxVectors=box)
            _require_whole_xtc_frame(self.path, size)
        except (OSError, ValueError, struct.error) as error:
            with contextlib.suppress(NNPError):
                AppendedFile(self.path, size).close()
            if isinstance(error, OSError):
                raise refused(self.path, error) from error
            raise NNPError(f"cannot write {self.path}: {error}") from error
        self._frames += 1

    @property
    def mark(self) -> tuple[int, int]:
        """See `nnp.md.trajectory.Trajectory`."""
        return self.path.stat().st_size, self._frames

    def close(self) -> None:
        """Nothing is open between two frames."""


class DCD:
    """Positions and box in OpenMM's axes: DCD knows a box only by its lengths and angles."""

    def __init__(
        self,
        file: FrameFile,
        start: OpenMMAtoms,
        settings: MDSettings,
        resume_at: tuple[int, int] | None,
    ) -> None:
        self.path = path = file.path
        self._wrapped = file.wrapped
        self._frames = 0 if resume_at is None else resume_at[1]
        self._interval = interval = file.every or settings.frame_interval
        timestep_ps = settings.timestep / 1000
        try:
            self._cut(resume_at, interval)
            self._file = path.open("w+b" if resume_at is None else "r+b")
            append = resume_at is not None
            self._writer = app.DCDFile(self._file, start.topology, timestep_ps, 0, interval, append)
        except OSError as error:
            raise refused(path, error) from error

    def write(self, snapshot: Snapshot) -> None:
        """Append a frame."""
        before = self.mark
        positions, box = _positions_and_box(snapshot, self._wrapped)
        try:
            self._writer.writeModel(positions, periodicBoxVectors=box)
            self._file.flush()
        except OSError as error:
            self._drop_behind(before)
            raise refused(self.path, error) from error
        self._frames += 1

    @property
    def mark(self) -> tuple[int, int]:
        """See `nnp.md.trajectory.Trajectory`."""
        return self._file.seek(0, io.SEEK_END), self._frames

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _drop_behind(self, mark: tuple[int, int]) -> None:
        """Half a frame, and what waits in the buffer."""
        with contextlib.suppress(OSError):
            self.close()
        with contextlib.suppress(OSError, NNPError):
            self._cut(mark, self._interval)

    def _cut(self, resume_at: tuple[int, int] | None, interval: int) -> None:
        """Drop the frames after the restart, in the header too."""
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
