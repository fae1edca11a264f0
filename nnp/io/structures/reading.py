"""Reading structures: the one way in, for all commands and for training."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.utils import string2index

from nnp.errors import FileFormatError, NNPError, OptionError
from nnp.io.n2p2.data import read_data
from nnp.io.structures import (
    aenet_set,
    ase_db,
    cif,
    cp2k,
    lammps_data,
    lammps_dump,
    residues,
    vasp,
    xsf,
    xyz,
)
from nnp.io.structures.formats import Format, format_named, recognise
from nnp.io.structures.frames import from_frame
from nnp.io.structures.labels import Labels, drop_zero_energies, held, labels_of
from nnp.io.structures.plausible import mass_warning, refuse_impossible, unit_warning
from nnp.io.structures.report import line, remarks
from nnp.io.structures.source import ReadOptions, Source, name_without_packing
from nnp.io.structures.velocities import take_velocities
from nnp.structure import as_structure
from nnp.units import ATOMIC, UnitSystem
from nnp.values import counted

_log = logging.getLogger("nnp.io.structures")


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read of a file, and what was understood.

    Attributes:
        path: the file.
        frames: the structures, as ASE has them: what a file calls energy and forces is in
            ``atoms.calc``; `labels` says which of that are labels.
        labels: of each structure.
        line: one line that says what was understood.
        remarks: what was left out, or taken otherwise than its name says.
        form: the format.
    """

    path: Path
    frames: list[Atoms]
    labels: list[Labels]
    line: str
    remarks: tuple[str, ...]
    form: Format

    @property
    def names(self) -> set[str]:
        """Every name under which the structures hold something, atoms and positions aside."""
        found = {str(name) for atoms in self.frames for name in held(atoms)}
        return found - {"numbers", "positions"}

    @property
    def lines(self) -> tuple[str, ...]:
        """What was understood, and then each remark with the file's name."""
        return (self.line, *(f"{self.path}: {remark}" for remark in self.remarks))

    def say(self) -> None:
        """Put that into the log ``nnp.io.structures``, which the command line prints."""
        line, *rest = self.lines
        _log.info(line)
        for remark in rest:
            _log.warning(remark)


def read(
    path: str | Path,
    options: ReadOptions | None = None,
    index: str | int = ":",
    content: str | None = None,
) -> Reading:
    """Read structures and say what was understood.

    Args:
        path: extxyz, XSF, POSCAR, CIF, LAMMPS's dumps and data, an ``input.data``, or anything else
            that ``ase.io.read`` understands.
        options: what the file itself does not state.
        index: which structures, as in ``ase.io.read``: ``":"`` all, ``-1`` the last, ``"5:"`` ….
        content: text of the file that is read instead of all of it, for formats that are text:
            one structure of a long trajectory.

    Raises:
        FileFormatError: no such file, an unknown or broken format, no structure in it, something
            that would have to be guessed.
        StructureError: labels of the wrong shape, or distances and densities that no matter has.
        OptionError: the index is out of range.
    """
    path, options = Path(path), options or ReadOptions()
    try:
        return _read(path, options, index, content)
    except NNPError:
        raise
    except Exception as error:  # of damaged files, from whatever place of whatever reader
        raise FileFormatError(f"{path} cannot be read: {type(error).__name__}: {error}") from error


def _read(path: Path, options: ReadOptions, index: str | int, content: str | None) -> Reading:
    source = Source(path, options, content=content)
    name = _format_of(path)
    found = _READERS.get(name, _read_with_ase)(source)
    if not found:
        raise FileFormatError(f"{path} holds no structure")
    numbers = _select(len(found), index, path)
    frames = [found[number] for number in numbers]
    taken = set()
    for atoms in frames:
        if (column := take_velocities(atoms, options.velocity_unit)) and column not in atoms.arrays:
            taken.add(column)
            options.used.add("velocity_unit")
    for number, atoms in zip(numbers, frames, strict=True):
        _refuse_partial_sites(atoms, path, number)
    labels = [_checked(atoms, source, n) for n, atoms in zip(numbers, frames, strict=True)]
    drop_zero_energies(frames, labels)
    form = format_named(name)
    said = [*source.notes, *remarks(source, frames, labels, taken)]
    if not options.any_geometry and (warning := unit_warning(frames)):
        said.append(warning)
    if heavy := mass_warning(frames):
        said.append(heavy)
    shown = line(source, form, frames, labels)
    if len(frames) != len(found):
        shown += f"; {_which(numbers, len(found))}"
    return Reading(path, frames, labels, shown, tuple(said), form)


def read_structures(
    path: str | Path,
    units: UnitSystem | None = None,
    index: str | int = ":",
    options: ReadOptions | None = None,
) -> list[Atoms]:
    """The structures of a file; what was understood goes to the log ``nnp.io.structures``.

    Args:
        path: see `read`.
        units: of an ``input.data``; bohr and hartree when None. Other formats carry their own.
        index: see `read`.
        options: see `read`; ``units`` goes first.

    Raises:
        FileFormatError, StructureError, OptionError: as `read`.
    """
    options = options or ReadOptions()
    found = read(path, options if units is None else replace(options, units=units), index)
    found.say()
    return found.frames


def _format_of(path: Path) -> str:
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
        empty = is_file and path.stat().st_size == 0
    except (OSError, ValueError) as error:
        raise FileFormatError(f"cannot read {path}: {error}") from None
    if not is_file:
        what = "is a directory" if is_folder else "does not exist"
        raise FileFormatError(f"{path} {what}: give a file of structures")
    if empty:
        raise FileFormatError(f"{path} holds no structure: it is empty")
    return recognise(path)


def _read_input_data(source: Source) -> list[Atoms]:
    if name_without_packing(source.path) != source.path:
        raise FileFormatError(f"{source.path}: a packed input.data is not read: unpack it first")
    source.options.used.add("units")
    units = source.options.units or ATOMIC
    source.units = f"{units}{'' if source.options.units else ' (--units overrides)'}"
    return [from_frame(frame) for frame in read_data(source.path, units)]


def _read_with_ase(source: Source) -> list[Atoms]:
    name = recognise(source.path)
    _refuse_huge_counts(source.path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # readers of other formats grumble about harmless things
        try:
            found: Any = ase.io.read(
                str(source.path), index=":", format=name, do_not_split_by_at_sign=True
            )
        except Exception as error:
            raise FileFormatError(
                f"{source.path} cannot be read: {type(error).__name__}: {error}"
            ) from error
    frames: list[Atoms] = found if isinstance(found, list) else [found]
    if not any(len(atoms) for atoms in frames):  # some take any file of their name
        raise FileFormatError(f"{source.path} holds no atoms, read as {format_named(name).title}")
    if name in ("dlp4", "dlp-history"):
        _without_motion(frames, source)
    return frames


def _without_motion(frames: list[Atoms], source: Source) -> None:
    """ASE scales DL_POLY's velocities and forces to other units than its own."""
    for atoms in frames:
        if atoms.has("momenta") or atoms.calc is not None:  # type: ignore[no-untyped-call]
            atoms.arrays.pop("momenta", None)
            atoms.calc = None
            source.note("velocities and forces of DL_POLY's files are not used")


def _refuse_huge_counts(path: Path) -> None:
    """A count of atoms beyond the file's size: readers of ASE would wait for that many lines."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if b"\0" in text:  # a binary format
                return
            words = text.split()
            if words and all(word.isdigit() for word in words) and max(map(len, words)) > 5:
                largest = max(words, key=lambda word: (len(word), word)).decode()
                if len(largest) > 18 or int(largest) > size:
                    raise FileFormatError(
                        f"{path}, line {number}: {largest[:40]} is more than the file can hold"
                    )


def _refuse_partial_sites(atoms: Any, path: Path, number: int) -> None:
    """ASE takes the element that occupies most of a site; the atoms of a mixture are not drawn."""
    sites = atoms.info.get("occupancy")
    if not isinstance(sites, dict):
        return
    for site, shares in sites.items():
        if isinstance(shares, dict) and (len(shares) > 1 or min(shares.values(), default=1) < 0.99):
            raise FileFormatError(
                f"{path}, structure {number}: site {site} is occupied in part "
                f"({', '.join(f'{s} {x:g}' for s, x in shares.items())}): which atoms there are "
                "would be a guess; make an ordered cell"
            )


_READERS: dict[str, Callable[[Source], list[Atoms]]] = {
    "input.data": _read_input_data,
    "extxyz": xyz.read,
    "xsf": xsf.read,
    "cp2k": cp2k.read,
    "cp2k-part": cp2k.refuse,
    "aenet-train": aenet_set.read,
    "cif": cif.read,
    "vasp": vasp.read,
    **ase_db.READERS,
    "lammps-dump": lammps_dump.read_dump,
    "lammps-data": lammps_data.read_data,
    **residues.READERS,
}


def _checked(atoms: Atoms, source: Source, number: int) -> Labels:
    """Numbers in the file must be finite, the cell sound, the labels of their shapes."""
    where = f"{source.path}, structure {number}"
    try:
        as_structure(atoms)
        labels = labels_of(atoms, source.options.keys)
    except NNPError as error:
        raise FileFormatError(f"{where}: {error}") from None
    results = {} if atoms.calc is None else atoms.calc.results
    for name in ("energy", "forces", "stress"):
        if name in results and not np.isfinite(np.asarray(results[name], float)).all():
            raise FileFormatError(f"{where}: its {name} is not finite")
    if not source.options.any_geometry:
        refuse_impossible(atoms, where)
    return labels


def _select(count: int, index: str | int, path: Path) -> list[int]:
    everything = list(range(count))
    try:
        wanted = string2index(index) if isinstance(index, str) else index
        chosen = everything[wanted] if isinstance(wanted, slice) else [everything[int(wanted)]]
    except (IndexError, ValueError):
        chosen = []
    if not chosen:
        raise OptionError(
            f"index={index!r} of {path}: it has {counted(count, 'structure')}, 0 to {count - 1}"
        )
    return chosen


def _which(numbers: Sequence[int], total: int) -> str:
    """Of a file, in words: numbers count from 0, which a reader cannot know."""
    if len(numbers) != 1:
        return f"{len(numbers)} of {total} structures"
    places = {0: "the first", total - 1: "the last"}
    place = places.get(numbers[0], f"index {numbers[0]}")
    return f"{place} of {total} structures"
