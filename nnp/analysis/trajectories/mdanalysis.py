"""DCD, XTC, TRR, NetCDF, H5MD and PDB by MDAnalysis; elements are a start structure's."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nnp.analysis.trajectories.base import Floats, Frame, Outline, Trajectory
from nnp.distribution import install
from nnp.errors import FileFormatError, UnavailableError
from nnp.units import FS_PER_PS

SUFFIXES = (".dcd", ".xtc", ".trr", ".nc", ".ncdf", ".h5md", ".pdb")
# Formats with a time in every frame; others have one time between frames.
_TIMED = (".xtc", ".trr", ".h5md")
# An edge that is none: formats without "no cell" write zeros, PDB one Å.
_NO_EDGE = 1.0


class MDAnalysisFile(Trajectory):
    """A file of coordinates that MDAnalysis reads.

    Args:
        path: the file.
        start: a structure of the same atoms in the same order: elements, masses, periodicity.
        said_by: the file that it is from, for messages.
    """

    def __init__(self, path: Path, start: Any, said_by: Path) -> None:
        super().__init__(path, start)
        self._said_by = said_by
        with self._reader() as reader:
            if len(reader) == 0:
                raise FileFormatError(f"{path} has no frames to analyse")
            first = reader[0]
            if self.periodic and _cell(first) is None:
                self._fixed: Floats | None = np.asarray(start.cell.array, np.float64)
            else:
                self._fixed = None

    def outline(self) -> Outline:
        """See `Trajectory.outline`."""
        suffix = self.path.suffix.lower()
        with self._reader() as reader, _quietly():
            count = len(reader)
            if suffix in _TIMED:
                times_ps = np.array([self._at(reader, n).time for n in range(count)])
            else:
                times_ps = np.array([reader[0].time + reader.dt * n for n in range(count)])
        if suffix == ".pdb" or (count > 1 and not np.ptp(times_ps) > 0):
            return Outline.unknown(count)  # where a file says nothing, MDAnalysis counts 1 ps
        return Outline(count, np.asarray(times_ps * FS_PER_PS, np.float64), np.full(count, np.nan))

    def frames(self, start: int, stop: int, step: int = 1) -> Iterator[Frame]:
        """See `Trajectory.frames`."""
        with self._reader() as reader:
            for number in range(start, min(stop, len(reader)), step):
                yield self._frame(self._at(reader, number))

    def _frame(self, found: Any) -> Frame:
        cell = _cell(found)
        if cell is None:
            cell = np.zeros((3, 3)) if self._fixed is None else self._fixed
        velocities = None
        if found.has_velocities:
            velocities = found.velocities.astype(np.float64) / FS_PER_PS
        return Frame(found.positions.astype(np.float64), cell, velocities)

    def _at(self, reader: Any, number: int) -> Any:
        try:
            with _quietly():
                return reader[number]
        except Exception as error:  # of a damaged file, from whatever place of its reader
            raise FileFormatError(
                f"{self.path}, frame {number} cannot be read: {type(error).__name__}: {error}; the "
                f"file is damaged or ends in the middle of it: continue the run that wrote it, or "
                f"copy the {number} frames before it into a file of their own"
            ) from error

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        traces = [path for path in self._traces() if not path.exists()]
        reader = self._opened()
        try:
            if reader.n_atoms != len(self):
                raise FileFormatError(
                    f"{self.path} has {reader.n_atoms} atoms and {self._said_by} {len(self)}: "
                    "--topology names a structure with exactly the atoms of the trajectory"
                )
            yield reader
        finally:
            reader.close()
            for path in traces:
                path.unlink(missing_ok=True)

    def _opened(self) -> Any:
        with _quietly():
            try:
                from MDAnalysis.coordinates.core import reader
            except ImportError:
                raise UnavailableError(
                    f"{self.path}: DCD, XTC, TRR, NetCDF, H5MD and PDB are read by MDAnalysis, "
                    f"which is not installed: {install('analysis')}"
                ) from None
            options = {} if self.path.suffix.lower() == ".pdb" else {"n_atoms": len(self)}
            with _quietly():  # MDAnalysis sets filters of its own when it is imported
                found = _made(lambda: reader(str(self.path), **options))
        if isinstance(found, str):
            raise FileFormatError(
                f"{self.path} cannot be read: {found}; it must have the {len(self)} atoms of "
                f"{self._said_by}"
            )
        return found

    def _traces(self) -> list[Path]:
        """Files that MDAnalysis leaves beside an XTC or TRR."""
        name = f".{self.path.name}_offsets"
        return [self.path.with_name(f"{name}.{end}") for end in ("npz", "lock")]


@contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _made(make: Callable[[], Any]) -> Any:
    """A reader, or why there is none.

    One that fails in the middle of its making complains again when it is taken apart: that is done
    here, unheard.
    """
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        return make()
    except Exception as error:  # noqa: BLE001  of a damaged file, from whatever place of its reader
        link: BaseException | None = error
        while link is not None:
            link.__traceback__, link = None, link.__context__
        return f"{type(error).__name__}: {error}"
    finally:
        sys.unraisablehook = before


def _cell(found: Any) -> Floats | None:
    """(3, 3) with the vectors as rows; None where there is none."""
    if found.dimensions is None or not (found.dimensions[:3] > _NO_EDGE).all():
        return None
    return np.asarray(found.triclinic_dimensions, np.float64)
