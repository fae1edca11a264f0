"""LAMMPS's text dumps, one frame at a time; atoms may come in another order in every frame.

The first frame goes through `nnp.io.structures`, which knows elements, units and axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from ase import units
from ase.calculators.lammps import convert

from nnp.analysis.trajectories.base import Floats, Frame, Outline, Trajectory
from nnp.errors import FileFormatError
from nnp.io.structures import ReadOptions, read
from nnp.io.structures.source import opened
from nnp.units import FS_PER_PS

# Columns of positions: unwrapped ones first; whether they are shares of the cell.
_POSITIONS = (
    (("xu", "yu", "zu"), False),
    (("xsu", "ysu", "zsu"), True),
    (("x", "y", "z"), False),
    (("xs", "ys", "zs"), True),
)
_VELOCITIES = ("vx", "vy", "vz")
# Unit of ITEM: TIME by style, fs.
_TIMES_FS = {"metal": FS_PER_PS, "real": 1.0, "electron": 1.0, "si": 1e15, "cgs": 1e15}


class LammpsDump(Trajectory):
    """A text dump.

    Args:
        path: the file.
        options: what the file itself does not state.

    Attributes:
        reading: of the first frame.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        with opened(path) as file:
            first = _Block.read(file, path, {})
        if first is None:
            raise FileFormatError(f"{path} is empty: it has no frames to analyse")
        self.reading = reading = read(path, options, 0, first.text)
        said = first.items.get("UNITS", [""])[0].strip() or options.lammps_units
        self._style, self._velocities = said or "metal", said is not None
        super().__init__(path, reading.frames[0])
        self._identity = first.identity()

    def outline(self) -> Outline:
        """See `Trajectory.outline`."""
        times: list[float] = []
        with opened(self.path) as file:
            items: dict[str, list[str]] = {}
            while block := _Block.read(file, self.path, items, wanted=False):
                self.require_count(len(times), block.count)
                times.append(self._time_fs(block))
        return Outline(len(times), np.array(times), np.full(len(times), np.nan))

    def frames(self, start: int, stop: int, step: int = 1) -> Iterator[Frame]:
        """See `Trajectory.frames`."""
        wanted, number = range(start, stop, step), 0
        with opened(self.path) as file:
            items: dict[str, list[str]] = {}
            while number < stop:
                block = _Block.read(file, self.path, items, number in wanted)
                if block is None:
                    return
                if number in wanted:
                    yield self._frame(block, number)
                number += 1

    def _frame(self, block: _Block, number: int) -> Frame:
        self.require_count(number, block.count)
        if block.identity() != self._identity:
            raise self.refuse_other_atoms(number, "ids of atoms or their types differ")
        length = convert(1.0, "distance", self._style, "ASE")  # type: ignore[no-untyped-call]
        cell = block.cell * length
        for names, scaled in _POSITIONS:
            if set(names) <= set(block.columns):
                positions = block.numbers(names)
                positions = positions @ cell if scaled else positions * length
                break
        velocities = None
        if self._velocities and set(_VELOCITIES) <= set(block.columns):
            unit = convert(1.0, "velocity", self._style, "ASE")  # type: ignore[no-untyped-call]
            velocities = block.numbers(_VELOCITIES) * unit * units.fs
        return Frame(positions, cell, velocities, time_fs=self._time_fs(block))

    def _time_fs(self, block: _Block) -> float:
        unit = _TIMES_FS.get(self._style)
        if "TIME" not in block.items or unit is None:
            return np.nan
        return float(block.items["TIME"][0]) * unit


@dataclass(eq=False)
class _Block:
    """One frame: its items, and the words of its atoms sorted by id."""

    path: Path
    items: dict[str, list[str]]
    columns: list[str]
    rows: list[str] = field(default_factory=list)
    text: str = ""

    @classmethod
    def read(
        cls, file: BinaryIO, path: Path, kept: dict[str, list[str]], wanted: bool = True
    ) -> _Block | None:
        """The next one; None at the end. ``kept``: the items that a file has once (UNITS)."""
        items: dict[str, list[str]] = dict(kept)
        text: list[str] = []
        while line := file.readline().decode("utf-8", errors="replace"):
            if line.startswith("ITEM: ATOMS"):
                count = int(items.get("NUMBER OF ATOMS", ["0"])[0])
                block = cls(path, items, line.split()[2:])
                raw = list(islice(file, count)) if wanted else []
                there = len(raw) if wanted else sum(1 for _ in islice(file, count))
                if there < count:
                    step = items.get("TIMESTEP", ["?"])[0].strip()
                    raise FileFormatError(
                        f"{path}: the frame of time step {step} announces {count} atoms and "
                        f"{there} lines follow: the file ends in the middle of it; cut that frame"
                    )
                if wanted:
                    block.rows = [row.decode("utf-8", errors="replace") for row in raw]
                    block.text = "".join([*text, line, *block.rows])
                return block
            name = line.removeprefix("ITEM: ").strip()
            if not line.startswith("ITEM: "):
                if line.strip():
                    raise FileFormatError(
                        f"{path}: {line.strip()[:40]!r} where ITEM: … is expected"
                    )
                continue
            length = 3 if name.startswith("BOX BOUNDS") else 1
            lines = [next(file, b"").decode("utf-8", errors="replace") for _ in range(length)]
            text += [line, *lines]
            key = "BOX BOUNDS" if length == 3 else name
            items[key] = [name, *lines] if length == 3 else lines
            if key == "UNITS":
                kept[key] = lines
        return None

    @property
    def count(self) -> int:
        """Number of atoms."""
        return int(self.items["NUMBER OF ATOMS"][0])

    @property
    def cell(self) -> Floats:
        """(3, 3) vectors as rows, in the file's unit of length."""
        head, *lines = self.items["BOX BOUNDS"]
        if "abc" in head:  # general triclinic: the vectors themselves
            return np.array([line.split()[:3] for line in lines], np.float64)
        bounds = np.array([line.split() for line in lines], np.float64)
        xy, xz, yz = bounds[:, 2] if bounds.shape[1] == 3 else (0.0, 0.0, 0.0)
        low, high = bounds[:, 0].copy(), bounds[:, 1].copy()
        low[0] -= min(0.0, xy, xz, xy + xz)
        high[0] -= max(0.0, xy, xz, xy + xz)
        low[1] -= min(0.0, yz)
        high[1] -= max(0.0, yz)
        x, y, z = high - low
        return np.array([[x, 0, 0], [xy, y, 0], [xz, yz, z]], np.float64)

    def identity(self) -> tuple[tuple[str, ...], ...]:
        """Ids and what says the element, sorted by id; they are the same in all frames."""
        names = [name for name in ("id", "type", "element", "mass") if name in self.columns]
        return tuple(tuple(self._column(name)) for name in names)

    def numbers(self, names: tuple[str, ...]) -> Floats:
        """(n, columns), sorted by id."""
        try:
            return np.array([list(map(float, self._column(name))) for name in names]).T
        except ValueError as error:
            step = self.items.get("TIMESTEP", ["?"])[0].strip()
            raise FileFormatError(f"{self.path}, time step {step}: {error}") from None

    def _column(self, name: str) -> list[str]:
        words, width = self._words(), len(self.columns)
        found = words[self.columns.index(name) :: width]
        order = self._order()
        return found if order is None else [found[k] for k in order]

    def _words(self) -> list[str]:
        if not hasattr(self, "_split"):
            self._split = "".join(self.rows).split()
            if len(self._split) != self.count * len(self.columns):
                step = self.items.get("TIMESTEP", ["?"])[0].strip()
                raise FileFormatError(
                    f"{self.path}, time step {step}: {len(self._split)} words, and {self.count} "
                    f"atoms with {len(self.columns)} columns have {self.count * len(self.columns)}"
                )
        return self._split

    def _order(self) -> list[int] | None:
        if "id" not in self.columns:
            return None
        if not hasattr(self, "_sorted"):
            ids = list(map(int, self._words()[self.columns.index("id") :: len(self.columns)]))
            order = sorted(range(len(ids)), key=ids.__getitem__)
            self._sorted = None if order == list(range(len(ids))) else order
        return self._sorted
