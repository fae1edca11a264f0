"""Which file is of which format, and where its elements come from."""

from __future__ import annotations

from pathlib import Path

from nnp.analysis.trajectories.ase_files import AtomsList, TrajFile
from nnp.analysis.trajectories.base import Trajectory
from nnp.analysis.trajectories.extxyz import ExtXYZ
from nnp.analysis.trajectories.lammps import LammpsDump
from nnp.analysis.trajectories.mdanalysis import SUFFIXES, MDAnalysisFile
from nnp.errors import FileFormatError, OptionError
from nnp.io.structures import Reading, ReadOptions, read
from nnp.io.structures.formats import recognise
from nnp.io.structures.source import opened

_TEXTS: dict[str, type[ExtXYZ | LammpsDump]] = {"extxyz": ExtXYZ, "lammps-dump": LammpsDump}

# What `nnp md` leaves beside a trajectory, by the end of its name.
_STARTS = (".final.extxyz", ".last-good.extxyz")


def open_trajectory(
    path: str | Path,
    options: ReadOptions | None = None,
    topology: str | Path | None = None,
    say: bool = True,
) -> Trajectory:
    """A trajectory to be read frame by frame.

    Args:
        path: extxyz, LAMMPS's dump, ``.traj``, DCD, XTC, TRR, NetCDF, H5MD, PDB; any other format
            is read as a whole.
        options: what it and the topology do not state.
        topology: a structure with the atoms of a DCD, XTC, TRR, NetCDF or H5MD, which hold no
            elements; the final state beside it, as `nnp md` leaves one, where None.
        say: whether what was understood goes to the log ``nnp.io.structures``.

    Raises:
        FileFormatError: no such file, or a broken one.
        OptionError: no topology where one is needed, or one where none is.
    """
    path, options = Path(path), options or ReadOptions(any_geometry=True)
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise FileFormatError(f"{path} {what}: give a trajectory")
    if path.stat().st_size == 0:
        raise FileFormatError(f"{path} is empty: it has no frames to analyse")
    found, reading = _opened(path, options, topology)
    if say and reading is not None:
        reading.say()
    return found


def _opened(
    path: Path, options: ReadOptions, topology: str | Path | None
) -> tuple[Trajectory, Reading | None]:
    """The trajectory, and how its elements were read."""
    if path.suffix.lower() in SUFFIXES:
        return _with_topology(path, options, topology)
    if topology is not None:
        raise OptionError(f"topology {topology}: {path} has elements of its own; leave it out")
    name = recognise(path)
    if name in _TEXTS:
        text = _TEXTS[name](path, options)
        return text, text.reading
    if name == "traj":
        return TrajFile(path), None
    reading = read(path, options)
    return AtomsList(reading.frames, path), reading


def _with_topology(
    path: Path, options: ReadOptions, topology: str | Path | None
) -> tuple[Trajectory, Reading]:
    if topology is None and path.suffix.lower() == ".pdb":
        reading = read(path, options, 0, _first_model(path))
        return MDAnalysisFile(path, reading.frames[0], path), reading
    said_by = Path(topology) if topology is not None else _beside(path)
    reading = read(said_by, options, -1)
    return MDAnalysisFile(path, reading.frames[0], said_by), reading


def _beside(path: Path) -> Path:
    for end in _STARTS:
        found = path.with_name(path.stem + end)
        if found.is_file():
            return found
    raise OptionError(
        f"{path} holds no elements: --topology names a structure with the same atoms in the same "
        "order (extxyz, PDB, LAMMPS data, …), such as the one that the run began with"
    )


def _first_model(path: Path) -> str:
    lines = []
    with opened(path) as file:
        for raw in file:
            lines.append(raw.decode("utf-8", errors="replace"))
            if lines[-1].startswith("ENDMDL"):
                break
    return "".join(lines)
