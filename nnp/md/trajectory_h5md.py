"""H5MD: positions, box, velocities, forces and energy with their units, by h5py.

The file is opened for each frame and closed after it, and a frame is a transaction: HDF5 cannot be
read when a process was killed in the middle of writing it. Format: de Buyl, Colberg, Höfling,
Comput. Phys. Commun. 185, 1546 (2014), doi:10.1016/j.cpc.2014.01.018; units are spelled as
MDAnalysis reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp import __version__
from nnp.errors import FileFormatError, NNPError
from nnp.io.files import refused
from nnp.io.transaction import Transaction, journal_of, recover
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


class H5MD:
    """In OpenMM's axes; atoms, masses and elements stand in it once.

    Raises:
        UnavailableError: h5py is missing, see `FrameFile.require_library`.
        FileFormatError: the file to be continued has fewer frames than the run had written.
    """

    def __init__(
        self, file: FrameFile, start: OpenMMAtoms, resume_at: tuple[int, int] | None
    ) -> None:
        self.path, self._asked = file.path, file
        self._frames = 0 if resume_at is None else resume_at[1]
        file.require_library()
        if self._frames:
            with self._refusals():
                recover(self.path)
            with self._opened() as h5:
                self._cut(h5)
        else:
            with self._refusals():
                journal_of(self.path).unlink(missing_ok=True)
                _begin(self.path, start)

    def write(self, snapshot: Snapshot) -> None:
        """Append a frame."""
        found = self._arrays(snapshot)
        with self._opened() as h5:
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
    def _opened(self) -> Iterator[Any]:
        """The file; what is changed in it reaches the disk together, when the block ends."""
        import h5py

        with self._refusals(), Transaction(self.path) as file:
            with h5py.File(file, "r+") as h5:
                yield h5
            file.commit()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, RuntimeError, ValueError) as error:
            raise FileFormatError(f"{self.path} is not the H5MD of a run: {error}") from error
        except OSError as error:
            if error.errno is None:  # HDF5's own: not one of its files
                raise FileFormatError(f"{self.path} is not the H5MD of a run: {error}") from error
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


def _begin(path: Path, start: OpenMMAtoms) -> None:
    import h5py

    with h5py.File(path, "w") as h5:
        _describe(h5, start)


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
