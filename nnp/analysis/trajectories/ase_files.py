"""ASE's trajectories, one frame at a time; lists of ``ase.Atoms``; whatever is read as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ase.io
import numpy as np

from nnp.analysis.trajectories.base import Frame, Outline, Trajectory
from nnp.analysis.trajectories.extxyz import frame_of
from nnp.errors import FileFormatError, NNPError, StructureError


class AtomsList(Trajectory):
    """Frames that are there as ``ase.Atoms``.

    Args:
        frames: a list, or anything with a length and numbers as indices.
        path: what messages call it.
    """

    def __init__(self, frames: Sequence[Any], path: str | Path = "frames") -> None:
        if not len(frames):
            raise StructureError(f"{path} has no frames to analyse")
        self._list = frames
        super().__init__(path, frames[0])

    def outline(self) -> Outline:
        """See `Trajectory.outline`."""
        times, energies = [], []
        with self._frames() as frames:
            for number in range(len(frames)):
                frame = self._frame(frames, number)
                times.append(frame.time_fs)
                energies.append(frame.energy)
        return Outline(len(times), np.array(times), np.array(energies))

    def frames(self, start: int, stop: int, step: int = 1) -> Iterator[Frame]:
        """See `Trajectory.frames`."""
        with self._frames() as frames:
            for number in range(start, min(stop, len(frames)), step):
                yield self._frame(frames, number)

    @contextmanager
    def _frames(self) -> Iterator[Sequence[Any]]:
        yield self._list

    def _frame(self, frames: Sequence[Any], number: int) -> Frame:
        try:
            atoms = frames[number]
        except NNPError:
            raise
        except Exception as error:  # of a damaged file, from whatever place of its reader
            raise FileFormatError(
                f"{self.path}, frame {number} cannot be read: {type(error).__name__}: {error}; the "
                f"file is damaged or ends in the middle of it: continue the run that wrote it, or "
                f"copy the {number} frames before it into a file of their own"
            ) from error
        self.require_count(number, len(atoms))
        if not np.array_equal(atoms.numbers, self.numbers):
            raise self.refuse_other_atoms(number, "its elements or their order differ")
        return frame_of(atoms)


class TrajFile(AtomsList):
    """A ``.traj`` file; its frames are read when they are looked at.

    Args:
        path: the file.

    Raises:
        FileFormatError: it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with self._frames() as frames:
                first = [frames[0]] if len(frames) else []
        except Exception as error:  # as above
            raise FileFormatError(
                f"{path} cannot be read as ASE's trajectory: {type(error).__name__}: {error}"
            ) from error
        super().__init__(first, path)

    @contextmanager
    def _frames(self) -> Iterator[Sequence[Any]]:
        reader: Any = ase.io.Trajectory(self.path)  # type: ignore[no-untyped-call]
        with reader:
            yield reader
