"""H5MD: positions, box, velocities, forces and energy with their units, by h5py.

The file is opened for each frame and closed after it: HDF5 that a killed process had open cannot be
read. Format: de Buyl, Colberg, Höfling, Comput. Phys. Commun. 185, 1546 (2014),
doi:10.1016/j.cpc.2014.01.018; units are spelled as MDAnalysis reads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp import __version__
from nnp.distribution import install
from nnp.errors import FileFormatError, NNPError, UnavailableError
from nnp.io.files import refused
from nnp.md.frame_file import FrameFile
from nnp.md.snapshot import Snapshot
from nnp.openmm import OpenMMAtoms
from nnp.units import FS_PER_PS, KJ_PER_MOL, NANOMETRE

# Name → unit; each a group of value, step and time.
_PARTICLES = "particles/trajectory"
_ENERGY = "observables/trajectory/potential_energy"
_UNITS = {
    f"{_PARTICLES}/position": "Angstrom",
    f"{_PARTICLES}/box/edges": "Angstrom",
    f"{_PARTICLES}/velocity": "Angstrom fs-1",
    f"{_PARTICLES}/force": "kJ mol-1 Angstrom-1",
    _ENERGY: "kJ mol-1",
}
# What HDF5 may need for a frame beside its numbers, bytes: indices, and steps by the thousand.
_INDEX_BYTES = 1 << 18


class H5MD:
    """In OpenMM's axes; atoms, masses and elements stand in it once.

    Raises:
        UnavailableError: h5py is missing.
        FileFormatError: the file to be continued has fewer frames than the run had written.
    """

    def __init__(
        self, file: FrameFile, start: OpenMMAtoms, resume_at: tuple[int, int] | None
    ) -> None:
        self.path, self._asked = file.path, file
        self._frames = 0 if resume_at is None else resume_at[1]
        with self._opened("r+" if self._frames else "w") as h5:
            if self._frames:
                self._cut(h5)
            else:
                _describe(h5, start)

    def write(self, snapshot: Snapshot) -> None:
        """Append a frame."""
        found = self._arrays(snapshot)
        self._reserve(sum(array.nbytes for array in found.values()) + _INDEX_BYTES)
        with self._opened("r+") as h5:
            for name, array in found.items():
                _append(h5, name, array, snapshot)
        self._frames += 1

    @property
    def mark(self) -> tuple[int, int]:
        """See `nnp.md.trajectory.Trajectory`."""
        return self.path.stat().st_size, self._frames

    def close(self) -> None:
        """Nothing is open between two frames."""

    def _arrays(self, snapshot: Snapshot) -> dict[str, NDArray[np.float64]]:
        asked = self._asked
        positions = snapshot.wrapped_nm if asked.wrapped else snapshot.positions_nm
        found = {f"{_PARTICLES}/position": positions * NANOMETRE}
        if snapshot.box_nm is not None:
            found[f"{_PARTICLES}/box/edges"] = snapshot.box_nm * NANOMETRE
        if asked.velocities:
            found[f"{_PARTICLES}/velocity"] = snapshot.velocities
        if asked.forces and snapshot.forces is not None:
            found[f"{_PARTICLES}/force"] = snapshot.forces / KJ_PER_MOL
            found[_ENERGY] = np.array(snapshot.potential_energy / KJ_PER_MOL)
        return found

    @contextmanager
    def _opened(self, mode: str) -> Iterator[Any]:
        try:
            import h5py
        except ImportError:
            raise UnavailableError(
                f"{self.path}: H5MD is written by h5py, which is not installed: "
                f"{install('analysis')}, or take another format"
            ) from None
        try:
            with h5py.File(self.path, mode) as h5:
                yield h5
        except (KeyError, RuntimeError, ValueError) as error:
            raise FileFormatError(f"{self.path} is not the H5MD of a run: {error}") from error
        except OSError as error:
            if mode == "r+" and error.errno is None:  # HDF5's own: not one of its files
                raise FileFormatError(f"{self.path} is not the H5MD of a run: {error}") from error
            raise refused(self.path, error) from error

    def _reserve(self, size: int) -> None:
        """Make room before HDF5 begins: a frame that fails in the middle would cost the file.

        HDF5 cuts what it does not use when it closes the file.
        """
        if not hasattr(os, "posix_fallocate"):
            return
        there = self.path.stat().st_size
        try:
            with self.path.open("r+b") as file:
                try:
                    os.posix_fallocate(file.fileno(), there, size)
                except OSError:
                    file.truncate(there)
                    raise
        except OSError as error:
            raise refused(self.path, error) from error

    def _cut(self, h5: Any) -> None:
        for name in _UNITS:
            for part in ("value", "step", "time") if name in h5 else ():
                data = h5[f"{name}/{part}"]
                if len(data) < self._frames:
                    raise NNPError(
                        f"{self.path} has {len(data)} frames, the run to be continued had written "
                        f"{self._frames}: it belongs to another run; choose another name"
                    )
                data.resize(self._frames, axis=0)


def _describe(h5: Any, start: OpenMMAtoms) -> None:
    h5.create_group("h5md").attrs["version"] = np.array([1, 1])
    for name in ("author", "creator"):
        h5.create_group(f"h5md/{name}").attrs["name"] = "nnp"
    h5["h5md/creator"].attrs["version"] = __version__
    particles = h5.create_group(_PARTICLES)
    box = particles.create_group("box")
    periodic = start.box_nm is not None
    box.attrs["dimension"] = 3
    box.attrs["boundary"] = [b"periodic" if periodic else b"none"] * 3
    particles["species"] = [atom.element.atomic_number for atom in start.topology.atoms()]
    particles["mass"] = start.masses
    particles["mass"].attrs["unit"] = "u"


def _append(h5: Any, name: str, array: NDArray[np.float64], snapshot: Snapshot) -> None:
    if name not in h5:
        h5.create_dataset(
            f"{name}/value", (0, *array.shape), "f8", maxshape=(None, *array.shape),
            chunks=(1, *array.shape),
        )  # fmt: skip
        h5.create_dataset(f"{name}/step", (0,), "i8", maxshape=(None,))
        h5.create_dataset(f"{name}/time", (0,), "f8", maxshape=(None,))
        h5[f"{name}/value"].attrs["unit"] = _UNITS[name]
        h5[f"{name}/time"].attrs["unit"] = "ps"
    new = {"value": array, "step": snapshot.step, "time": snapshot.time_fs / FS_PER_PS}
    for part, value in new.items():
        data = h5[f"{name}/{part}"]
        data.resize(len(data) + 1, axis=0)
        data[-1] = value
