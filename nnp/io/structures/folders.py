"""Many files at once: folders, patterns and names, and what is left out of them.

A file that is named must be readable. Of a folder's files those are read that hold labelled
structures; a line for each kind says what is left out.
"""

from __future__ import annotations

import glob
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ase.io.formats import get_ioformat

from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.formats import FORMATS, recognise
from nnp.io.structures.reading import Reading, read
from nnp.io.structures.simple_nn import is_list, read_list
from nnp.io.structures.source import ReadOptions
from nnp.io.structures.vasp_settings import contradictions
from nnp.values import counted

_log = logging.getLogger("nnp.io.structures")

# A run of VASP has its structures in both; the first that can be read is taken.
_SAME_RUN = ("vasprun.xml", "OUTCAR")
# Formats of ASE's that hold no labels, inputs of programs among them, and those of ours.
_UNLABELLED = {
    *("vasp-xdatcar", "xyz-simple", "cp2k-dcd", "cp2k-restart", "siesta-xv", "castep-cell"),
    *("abinit-in", "aims", "espresso-in", "gaussian-in", "nwchem-in"),
    *(form.name for form in FORMATS.values() if form.labels == "none"),
}
# Written by a training run or an evaluation: such a folder holds no data, but copies of some.
_OF_A_RUN = ({"checkpoint.npz", "best.nnp"}, {"report.html", "metrics.json"})
# Files that get a line each; more are reported together.
_SAID_SINGLY = 5
_NAMED = 3


@dataclass(eq=False)
class Readings:
    """What was read of many files.

    Attributes:
        read: per file, in the order of names.
        left_out: lines about files that were not read, or could not be.
        contradictions: lines about settings in which the files differ.
    """

    read: list[Reading] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """All that was understood, file by file, and what was left out."""
        said = [line for reading in self.read for line in reading.lines]
        return said + self.left_out + self.contradictions

    def say(self) -> None:
        """Put it into the log ``nnp.io.structures``: many files together, few one by one."""
        if len(self.read) <= _SAID_SINGLY:
            for reading in self.read:
                reading.say()
        else:
            for line in self._together():
                _log.info(line)
            remarks = Counter(remark for reading in self.read for remark in reading.remarks)
            for remark, count in remarks.items():
                _log.warning(f"{counted(count, 'file')}: {remark}")
        for line in self.left_out + self.contradictions:
            _log.warning(line)

    def _together(self) -> Iterator[str]:
        for title in dict.fromkeys(reading.form.title for reading in self.read):
            own = [reading for reading in self.read if reading.form.title == title]
            structures = sum(len(reading.frames) for reading in own)
            atoms = sum(len(frame) for reading in own for frame in reading.frames)
            yield (
                f"{own[0].path} and {len(own) - 1} more: {counted(structures, 'structure')}, "
                f"{counted(atoms, 'atom')}; {title}, {own[0].form.units}"
                if len(own) > 1
                else own[0].line
            )


def is_many(source: str | Path) -> bool:
    """Whether a source is a folder or a pattern."""
    return Path(source).is_dir() or (_is_pattern(source) and not Path(source).exists())


def read_many(sources: Iterable[str | Path], options: ReadOptions | None = None) -> Readings:
    """Read files, folders (with all below them) and patterns such as ``runs/*/OUTCAR``.

    Args:
        sources: names, folders, patterns.
        options: what the files themselves do not state.

    Raises:
        FileFormatError: a named file that cannot be read; a folder or pattern without any labelled
            structures that can be read.
    """
    options, found = options or ReadOptions(), Readings()
    for source in sources:
        if is_many(source):
            _read_found(source, options, found)
        elif is_list(source):
            _read_listed(source, options, found)
        else:
            found.read.append(read(source, options))
    found.contradictions += contradictions(reading.path for reading in found.read)
    return found


def _read_found(source: str | Path, options: ReadOptions, found: Readings) -> None:
    is_folder = Path(source).is_dir()
    closed: list[str] = []
    files = sorted(_files_below(Path(source), closed) if is_folder else _matching(source))
    found.left_out += closed
    if not files and closed:
        raise FileFormatError(closed[0])
    if not files:
        what = "holds no files" if is_folder else "matches no file"
        raise FileFormatError(f"{source} {what}: give a folder or files of labelled structures")
    structures, others = _sorted_out(files)
    before = len(found.read)
    broken: list[str] = []
    for choices in _runs(structures):
        for path in choices:
            try:
                found.read.append(read(path, options))
                break
            except NNPError as error:
                broken.append(str(error))
    found.left_out += _left_out(source, others, broken, len(files))
    if len(found.read) == before:
        raise FileFormatError(_nothing(source, others, broken))


def _read_listed(source: str | Path, options: ReadOptions, found: Readings) -> None:
    """SIMPLE-NN's list: its groups and weights become those of the structures."""
    for entry in read_list(source):
        try:
            reading = read(entry.path, options, entry.index)
        except NNPError as error:
            raise type(error)(f"{source} names it: {error}") from error
        for atoms in reading.frames:
            atoms.info["group"] = entry.group
            atoms.info["weight"] = entry.weight
        found.read.append(reading)


def _nothing(source: str | Path, others: dict[str, list[Path]], broken: Sequence[str]) -> str:
    """The message where no file could be used."""
    if broken:
        return f"{source}: none of its structures can be read: {broken[0]}"
    seen = ", ".join(path.name for paths in others.values() for path in paths[:_NAMED])
    return (
        f"{source} holds no file of labelled structures (there are: {seen}): what is looked for: "
        "OUTCAR, vasprun.xml, extxyz, XSF, input.data, ASE's databases and trajectories, and all "
        "that ase.io.read knows with energies or forces"
    )


def _left_out(
    source: str | Path, others: dict[str, list[Path]], broken: Sequence[str], count: int
) -> Iterator[str]:
    for why, paths in others.items():
        names = list(dict.fromkeys(path.name for path in paths))
        shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        verb = why.format(s="s" * (len(paths) == 1))
        yield f"{source}: {counted(len(paths), 'file')} of {count} {verb}: {shown}"
    if broken:
        more = f"; and {len(broken) - 1} more" if len(broken) > 1 else ""
        yield (
            f"{source}: {counted(len(broken), 'file')} of {count} cannot be read and left out: "
            f"{broken[0]}{more}: correct or remove them"
        )


def _sorted_out(files: Sequence[Path]) -> tuple[list[Path], dict[str, list[Path]]]:
    """Files of labelled structures; the others by why they are left out."""
    structures: list[Path] = []
    others: dict[str, list[Path]] = {}
    for path in files:
        if not path.exists():
            others.setdefault("point{s} to nothing", []).append(path)
            continue
        try:
            name = recognise(path)
            readable = name in FORMATS or get_ioformat(name).can_read
        except NNPError:
            readable, name = False, ""
        if not readable:
            others.setdefault("hold{s} no structures", []).append(path)
        elif name == "aenet-train" or is_list(path):
            others.setdefault("only name{s} other files", []).append(path)
        elif name == "cp2k-part":
            others.setdefault("belong{s} to trajectories of CP2K", []).append(path)
        elif name in _UNLABELLED:
            others.setdefault("hold{s} structures without labels", []).append(path)
        else:
            structures.append(path)
    return structures, others


def _runs(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Files each with what stands in for it where it cannot be read."""
    by_folder: dict[Path, list[Path]] = {}
    for path in files:
        if path.name in _SAME_RUN:
            by_folder.setdefault(path.parent, []).append(path)
    for path in files:
        same = sorted(by_folder.get(path.parent, []), key=lambda p: _SAME_RUN.index(p.name))
        if path.name not in _SAME_RUN:
            yield [path]
        elif path == same[0]:
            yield same


def _files_below(
    folder: Path, closed: list[str], above: frozenset[Path] = frozenset()
) -> Iterator[Path]:
    """Files of a folder and of those in it; ``closed``: gets a line per folder without access.

    A link to a folder is followed, but not to one that it is in.
    """
    try:
        own = folder.resolve()
        if own in above:
            return
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        closed.append(f"{folder} cannot be read and is left out: {error.strerror or error}")
        return
    names = {path.name for path in inside}
    if any(names >= written for written in _OF_A_RUN):
        return
    for path in inside:
        if path.is_dir():
            yield from _files_below(path, closed, above | {own})
        elif path.is_file() or not path.exists():  # a broken link is reported
            yield path


def _matching(pattern: str | Path) -> list[Path]:
    names = glob.glob(str(pattern), recursive=True)  # noqa: PTH207  absolute ones too
    return [Path(name) for name in names if Path(name).is_file()]


def _is_pattern(source: str | Path) -> bool:
    return any(sign in str(source) for sign in "*?[")
