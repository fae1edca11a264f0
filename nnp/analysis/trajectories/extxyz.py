"""Extended XYZ, one frame at a time.

The first frame goes through `nnp.io.structures`, which checks it and says what it understood; those
after it are read with the same columns by a shorter way, and by the long one where they break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from ase import units

from nnp.analysis.trajectories.base import Floats, Frame, Outline, Trajectory
from nnp.errors import FileFormatError
from nnp.io.structures import ReadOptions, read
from nnp.io.structures.source import opened
from nnp.io.structures.velocities import VELOCITY_UNITS

_LATTICE = re.compile(rb"(?<![\w-])Lattice\s*=\s*[\"'{]?([^\"'}]+)", re.IGNORECASE)
_PROPERTIES = re.compile(rb"(?<![\w-])Properties\s*=\s*[\"']?([^\s\"']+)", re.IGNORECASE)
_NUMBER = rb"\s*=\s*[\"']?([-+.\deE]+)"
_ENERGY = re.compile(rb"(?<![\w-])energy" + _NUMBER)
_TIME = re.compile(rb"(?<![\w-])time_fs" + _NUMBER)
_STRESS = re.compile(rb"(?<![\w-])stress\s*=\s*[\"'{]([^\"'}]+)")
# Places of xx xy xz … in xx yy zz yz xz xy.
_FULL = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
_PLAIN_PROPERTIES = b"species:S:1:pos:R:3"
# Names of velocities whose unit has to be said.
_VELOCITIES = ("velocities", "velocity", "velo", "vel", "velos", "v")


class ExtXYZ(Trajectory):
    """An extxyz file, packed or not.

    Args:
        path: the file.
        options: what the file itself does not state.

    Attributes:
        reading: of the first frame.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._options = options
        with opened(path) as file:
            first = _Block.read(file, path, 0, 1)
        if first is None:
            raise FileFormatError(f"{path} is empty: it has no frames to analyse")
        self.reading = reading = read(path, options, 0, first.text())
        super().__init__(path, reading.frames[0])
        self._layout = _Layout.of(first, self.masses, options)

    def outline(self) -> Outline:
        """See `Trajectory.outline`."""
        times, energies = [], []
        with opened(self.path) as file:
            for number, block in enumerate(self._blocks(file, range(0))):
                self.require_count(number, block.count)
                times.append(_float(_TIME, block.comment))
                energies.append(_float(_ENERGY, block.comment))
        return Outline(len(times), np.array(times), np.array(energies))

    def frames(self, start: int, stop: int, step: int = 1) -> Iterator[Frame]:
        """See `Trajectory.frames`."""
        wanted = range(start, stop, step)
        with opened(self.path) as file:
            for number, block in enumerate(self._blocks(file, wanted)):
                if number >= stop:
                    return
                if number in wanted:
                    yield self._frame(block, number)

    def _blocks(self, file: BinaryIO, wanted: range) -> Iterator[_Block]:
        line, number = 1, 0
        while block := _Block.read(file, self.path, number, line, number in wanted):
            yield block
            line, number = block.line + block.count + 2, number + 1

    def _frame(self, block: _Block, number: int) -> Frame:
        self.require_count(number, block.count)
        if self._layout is not None and (found := self._layout.frame(block)):
            return found
        return self._slowly(block, number)

    def _slowly(self, block: _Block, number: int) -> Frame:
        padded = "\n" * (block.line - 1) + block.text()  # messages name the line of the file
        atoms = read(self.path, self._options, 0, padded).frames[0]
        if not np.array_equal(atoms.numbers, self.numbers):
            atom = int(np.argmax(atoms.numbers != self.numbers))
            raise self.refuse_other_atoms(
                number,
                f"atom {atom} is {atoms.symbols[atom]}, and was another element or in another "
                "place of the list before",
            )
        return frame_of(atoms)


def frame_of(atoms: Any) -> Frame:
    """A frame of an ``ase.Atoms``, with the results of its calculator where it has any."""
    results = {} if atoms.calc is None else getattr(atoms.calc, "results", {})
    stress = results.get("stress")
    if stress is not None:
        stress = np.asarray(stress, np.float64)
        stress = stress.ravel()[_FULL] if stress.size == 6 else stress.reshape(3, 3)
    velocities = atoms.get_velocities() * units.fs if atoms.has("momenta") else None
    return Frame(
        np.asarray(atoms.positions, np.float64),
        np.asarray(atoms.cell.array, np.float64),
        velocities,
        float(results.get("energy", np.nan)),
        stress,
        float(atoms.info.get("time_fs", np.nan)),
    )


class _Block:
    """The lines of one frame; those of its atoms only where they are wanted."""

    def __init__(self, line: int, count: int, comment: bytes, rows: list[bytes]) -> None:
        self.line, self.count, self.comment, self.rows = line, count, comment, rows

    @classmethod
    def read(
        cls, file: BinaryIO, path: Path, number: int, line: int, wanted: bool = True
    ) -> _Block | None:
        """The next one; None at the end of the file."""
        head = file.readline()
        while head and (not head.strip() or head.lstrip().startswith(b"VEC")):
            head, line = file.readline(), line + 1
        if not head:
            return None
        if not head.strip(b"\xef\xbb\xbf \t\r\n").isdigit():
            raise FileFormatError(
                f"{path}, line {line}: {head.decode(errors='replace').strip()[:40]!r} is not a "
                "number of atoms, which a frame begins with"
            )
        count = int(head.strip(b"\xef\xbb\xbf \t\r\n"))
        comment = file.readline()
        rows = list(islice(file, count)) if wanted else []
        there = len(rows) if wanted else sum(1 for _ in islice(file, count))
        if there < count or not comment:
            raise FileFormatError(
                f"{path}, line {line}: frame {number} announces {count} atoms and {there} lines "
                "follow: the file ends in the middle of it; cut it before this line"
            )
        return cls(line, count, comment, rows)

    def text(self) -> str:
        """As it is in the file."""
        head = f"{self.count}\n".encode() + self.comment
        return (head + b"".join(self.rows)).decode("utf-8", errors="replace")


class _Layout:
    """Where the numbers stand in the rows of a file."""

    def __init__(self, properties: bytes, species: list[bytes], columns: dict[str, int]) -> None:
        self._properties, self._species, self._columns = properties, species, columns
        self._width = columns["width"]
        self._to_velocity: Floats | float = 1.0

    @classmethod
    def of(cls, block: _Block, masses: Floats, options: ReadOptions) -> _Layout | None:
        """Of the first frame; None where it is not as ASE writes it."""
        properties = _properties(block.comment)
        columns = _columns(properties.decode(errors="replace"))
        if "species" not in columns or not _LATTICE.search(block.comment):
            return None
        words = b"".join(block.rows).split()
        if len(words) != block.count * columns["width"]:
            return None
        layout = cls(properties, words[columns["species"] :: columns["width"]], columns)
        layout._set_velocities(masses, options)
        return layout

    def frame(self, block: _Block) -> Frame | None:
        """None where anything is not as in the first frame."""
        lattice = _LATTICE.search(block.comment)
        words = b"".join(block.rows).split()
        if (
            lattice is None
            or _properties(block.comment) != self._properties
            or len(words) != block.count * self._width
            or words[self._columns["species"] :: self._width] != self._species
        ):
            return None
        try:
            cell = np.array(lattice[1].split(), np.float64).reshape(3, 3)
            positions = self._vectors(words, self._columns["pos"])
            velocities = None
            if "velocities" in self._columns:
                velocities = self._vectors(words, self._columns["velocities"]) * self._to_velocity
            energy, time_fs = (_float(key, block.comment) for key in (_ENERGY, _TIME))
            found = _STRESS.search(block.comment)
            stress = found and np.array(found[1].split(), np.float64).reshape(3, 3)
        except ValueError:
            return None
        if not np.isfinite(positions).all():
            return None
        return Frame(positions, cell, velocities, energy, stress, time_fs)

    def _set_velocities(self, masses: Floats, options: ReadOptions) -> None:
        if "momenta" in self._columns:
            self._columns["velocities"] = self._columns["momenta"]
            self._to_velocity = units.fs / masses[:, None]
            return
        for name in _VELOCITIES:
            if name in self._columns and options.velocity_unit:
                options.used.add("velocity_unit")
                self._columns["velocities"] = self._columns[name]
                self._to_velocity = VELOCITY_UNITS[options.velocity_unit] * units.fs
                return
        self._columns.pop("velocities", None)

    def _vectors(self, words: list[bytes], first: int) -> Floats:
        found = np.empty((len(self._species), 3))
        for axis in range(3):
            found[:, axis] = list(map(float, words[first + axis :: self._width]))
        return found


def _properties(comment: bytes) -> bytes:
    found = _PROPERTIES.search(comment)
    return found[1] if found else _PLAIN_PROPERTIES


def _columns(properties: str) -> dict[str, int]:
    """First column of each name, and their number as ``width``."""
    fields, at = properties.split(":"), 0
    found = {}
    for name, count in zip(fields[::3], fields[2::3], strict=False):
        found[name if name == "Z" else name.lower()] = at
        at += int(count) if count.isdigit() else 1
    return {**found, "width": at}


def _float(pattern: re.Pattern[bytes], comment: bytes) -> float:
    found = pattern.search(comment)
    try:
        return float(found[1]) if found else float("nan")
    except ValueError:
        return float("nan")
