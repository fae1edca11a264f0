"""Frames as ``ase.Atoms``, and ASE's own trajectory of them."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import Any

from ase import Atoms
from ase.io.trajectory import Trajectory

from nnp.errors import FileFormatError
from nnp.io.files import refused, replacing
from nnp.md.files import AppendedFile
from nnp.md.frame_file import FrameFile
from nnp.md.snapshot import Snapshot
from nnp.openmm import OpenMMAtoms


def as_atoms(snapshot: Snapshot, start: OpenMMAtoms, file: FrameFile) -> Atoms:
    """A frame with what was asked for, in the axes of the start.

    Args:
        snapshot: the state.
        start: the atoms.
        file: what was requested.
    """
    if file.wrapped:
        snapshot = replace(snapshot, positions_nm=snapshot.wrapped_nm)
    atoms = snapshot.to_ase(start)
    if not file.forces:
        atoms.calc = None
    if not file.velocities:
        atoms.arrays.pop("momenta", None)
    return atoms


class ASETrajectory:
    """ASE's ``.traj``: each frame is whole on disk before the next step.

    Raises:
        FileFormatError: the file to be continued has fewer frames than the run had written.
    """

    def __init__(
        self, file: FrameFile, start: OpenMMAtoms, resume_at: tuple[int, int] | None
    ) -> None:
        self.path = file.path
        self._asked, self._start = file, start
        self._frames = 0 if resume_at is None else resume_at[1]
        make: Any = Trajectory
        if self._frames:
            self._cut()
            self._file = make(str(file.path), "a")
        else:
            AppendedFile(file.path).close()  # refuses in our words what cannot be written
            self._file = make(str(file.path), "w")

    def write(self, snapshot: Snapshot) -> None:
        """Append a frame."""
        try:
            self._file.write(as_atoms(snapshot, self._start, self._asked))
        except OSError as error:
            self._let_go()
            raise refused(self.path, error) from error
        self._frames += 1

    @property
    def mark(self) -> tuple[int, int]:
        """See `nnp.md.trajectory.Trajectory`."""
        return self.path.stat().st_size, self._frames

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _let_go(self) -> None:
        """Close without what waits in the buffer, which would fail again.

        Frames that were whole stay: their number in the header grows last.
        """
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._file.backend.fd.fileno())
        os.close(null)
        self.close()

    def _cut(self) -> None:
        """Keep the frames up to the restart: the format has no cheaper way."""
        make: Any = Trajectory
        with replacing(self.path, force=True) as scratch:
            try:
                with make(str(self.path), "r") as old, make(str(scratch), "w") as new:
                    there = len(old)
                    for atoms in itertools.islice(old, self._frames):
                        new.write(atoms)
            except Exception as error:
                raise FileFormatError(
                    f"{self.path} cannot be read as ASE's trajectory: {error}"
                ) from error
            if there < self._frames:
                raise FileFormatError(
                    f"{self.path} has {there} frames, the run to be continued had written "
                    f"{self._frames}: it belongs to another run; choose another name"
                )
