"""Trajectories: extxyz and ASE's with everything, in the axes of the start; others are smaller."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from nnp.errors import OptionError
from nnp.io.structures import extxyz_bytes
from nnp.md.files import AppendedFile
from nnp.md.frame_file import WITH_ONE_TIMESTEP, FrameFile
from nnp.md.settings import MDSettings
from nnp.md.snapshot import Snapshot
from nnp.md.trajectory_ase import ASETrajectory, as_atoms
from nnp.md.trajectory_h5md import H5MD
from nnp.md.trajectory_openmm import DCD, XTC, pdb_bytes
from nnp.openmm import OpenMMAtoms

_MODELS = 10_000  # numbers of a PDB's models have four digits


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
    file: FrameFile,
    start: OpenMMAtoms,
    settings: MDSettings,
    resume_at: tuple[int, int] | None = None,
) -> Trajectory:
    """A new trajectory, or one to be continued.

    Args:
        file: the suffix of its name decides the format.
        start: the atoms.
        settings: of the run.
        resume_at: ``mark`` of the run to be continued.
    """
    match file.path.suffix:
        case ".dcd":
            return DCD(file, start, settings, resume_at)
        case ".xtc":
            return XTC(file, start, settings, resume_at)
        case ".pdb":

            def model(snapshot: Snapshot, number: int) -> bytes:
                return pdb_bytes(start, snapshot, file.wrapped, (number + 1) % _MODELS)

            return _Frames(file.path, resume_at, model)
        case ".h5md":
            return H5MD(file, start, resume_at)
        case ".traj":
            return ASETrajectory(file, start, resume_at)

    def frame(snapshot: Snapshot, _: int) -> bytes:
        return extxyz_bytes(as_atoms(snapshot, start, file))

    return _Frames(file.path, resume_at, frame)


def check_one_timestep(file: FrameFile, before: MDSettings, now: MDSettings) -> None:
    """Refuse to continue a DCD or XTC with another time between frames, of which it holds one.

    Raises:
        OptionError: the format cannot hold it.
    """
    path = file.path
    for name in ("timestep", "frame_interval"):
        old, new = getattr(before, name), getattr(now, name)
        used = name == "timestep" or file.every is None
        if path.suffix in WITH_ONE_TIMESTEP and used and old != new:
            kind = path.suffix[1:].upper()
            raise OptionError(
                f"{name} {old} → {new}: {path} is a {kind}, which holds one time between frames "
                "for all; leave it as it was, or give another --trajectory or --output"
            )


class _Frames:
    """Frames that are self-contained bytes, one after the other.

    Args:
        path: the file.
        resume_at: see `open_trajectory`.
        frame_bytes: of a snapshot and its number, from 0.
    """

    def __init__(
        self,
        path: Path,
        resume_at: tuple[int, int] | None,
        frame_bytes: Callable[[Snapshot, int], bytes],
    ) -> None:
        size, self._frames = (None, 0) if resume_at is None else resume_at
        self.path, self._frame_bytes = path, frame_bytes
        self._file = AppendedFile(path, size)

    def write(self, snapshot: Snapshot) -> None:
        self._file.write(self._frame_bytes(snapshot, self._frames))
        self._frames += 1

    @property
    def mark(self) -> tuple[int, int]:
        return self._file.size, self._frames

    def close(self) -> None:
        self._file.close()
