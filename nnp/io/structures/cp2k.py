"""Trajectories of CP2K: ``NAME-pos-1.xyz`` with ``NAME-frc-1.xyz`` and the cell beside it.

Positions are in Å, energies (``E =`` of the comments) in hartree, forces in hartree/bohr; the
structures of two files belong together by their step, ``i =``. The cell of each step is in
``NAME-1.cell`` (Å, where MOTION%PRINT%CELL is on); one cell for all in ``NAME-1.restart``, which
CP2K writes unless told otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.names import element_of_symbol
from nnp.io.structures.source import Source, opened
from nnp.units import BOHR, HARTREE

_COMMENT = re.compile(r"^\s*i\s*=\s*(\d+),(?:.*\bE\s*=\s*(\S+))?")
_OF_POSITIONS = "-pos-"
_OTHERS = re.compile(r"-(frc|vel|shellpos|shellvel|coord|resp)-")
_CELLS = ".cell"
_TABLE_OF_CELLS = re.compile(rb"\s*#\s*Step\s+Time\b")
_MOVING_CELL = re.compile(r"^\s*(ENSEMBLE\s+NP[TEH]\S*|RUN_TYPE\s+CELL_OPT)", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class _Step:
    """One structure of an XYZ file of CP2K's: numbers as they stand there."""

    number: int
    energy: float | None
    symbols: list[str]
    values: NDArray[np.float64]


def is_trajectory(path: Path, head: bytes) -> bool:
    """Whether name and comment of the first structure are those of positions of CP2K's."""
    return _OF_POSITIONS in path.name and _has_comment(head)


def is_part(path: Path, head: bytes) -> bool:
    """The same of a trajectory of something else, or of the cells of each step."""
    if path.suffix == _CELLS:
        return _TABLE_OF_CELLS.match(head) is not None
    return _OTHERS.search(path.name) is not None and _has_comment(head)


def _has_comment(head: bytes) -> bool:
    lines = head[:4096].decode("utf-8", errors="replace").splitlines()[:2]
    return len(lines) == 2 and lines[0].strip().isdigit() and _COMMENT.match(lines[1]) is not None


def read(source: Source) -> list[Atoms]:
    """Structures with energies, and with forces and cells of the files beside.

    Raises:
        FileFormatError: a broken file, files that do not belong together, no cell.
    """
    path = source.path
    steps = list(_steps(source.text(), path))
    forces = _beside(path, f"{_stem(path)}-frc-{_run(path)}")
    pairs: dict[int, list[_Step]] = {}
    if forces is not None:
        for step in _steps(_text(forces), forces):
            pairs.setdefault(step.number, []).append(step)
    cells = _Cells(path)
    found = [_atoms(step, pairs.get(step.number, []), cells, source, forces) for step in steps]
    without = sum("forces" not in atoms.calc.results for atoms in found)
    if forces is None:
        source.note("no forces: no file of them beside it (MOTION%PRINT%FORCES writes -frc-)")
    elif without:
        source.note(f"{forces.name} lacks {without} of {len(found)} steps: these have no forces")
    return found


def refuse(source: Source) -> list[Atoms]:
    """A file that is a part of a trajectory.

    Raises:
        FileFormatError: always.
    """
    name = _OTHERS.sub(_OF_POSITIONS, source.path.name)
    if source.path.suffix == _CELLS:
        project, _, run = source.path.stem.rpartition("-")
        name = f"{project}{_OF_POSITIONS}{run}.xyz"
    raise FileFormatError(
        f"{source.path} belongs to a trajectory of CP2K and holds no positions: read {name}, "
        "which takes forces and cells from the files beside it"
    )


def _atoms(
    step: _Step, others: list[_Step], cells: _Cells, source: Source, forces: Path | None
) -> Atoms:
    try:
        symbols = [element_of_symbol(word, source.options.names) for word in step.symbols]
    except NNPError as error:
        raise FileFormatError(f"{source.path}, step {step.number}: {error}") from None
    cell, pbc = cells.of(step.number)
    atoms = Atoms(symbols, step.values, cell=cell, pbc=pbc)
    results: dict[str, Any] = {}
    if step.energy is not None:
        results["energy"] = step.energy * HARTREE
    if others:
        own = others.pop(0)  # steps that a restart has written again come in the same order
        if own.symbols != step.symbols:
            raise FileFormatError(
                f"{forces}, step {own.number}: its atoms are not those of {source.path.name}"
            )
        results["forces"] = own.values * (HARTREE / BOHR)
    atoms.calc = SinglePointCalculator(atoms, **results)  # type: ignore[no-untyped-call]
    return atoms


def _steps(text: str, path: Path) -> Iterator[_Step]:
    lines, at = text.splitlines(), 0
    while at < len(lines) and lines[at].strip():
        comment = _COMMENT.match(lines[at + 1]) if at + 1 < len(lines) else None
        if not lines[at].strip().isdigit() or comment is None:
            raise FileFormatError(f"{path}, line {at + 1}: a count and 'i = …, E = …' are expected")
        count = int(lines[at])
        rows = [line.split() for line in lines[at + 2 : at + 2 + count]]
        if len(rows) < count or any(len(row) < 4 for row in rows):
            raise FileFormatError(
                f"{path}, line {at + 1}: {count} atoms with three numbers each are expected: "
                "remove the structure if the run was cut off"
            )
        try:
            values = np.array([row[1:4] for row in rows], np.float64).reshape(count, 3)
            energy = None if comment[2] is None else float(comment[2])
        except ValueError as error:
            raise FileFormatError(f"{path}, structure at line {at + 1}: {error}") from None
        yield _Step(int(comment[1]), energy, [row[0] for row in rows], values)
        at += 2 + count


class _Cells:
    """Cells of a trajectory, by step.

    Args:
        path: of its positions.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._by_step = path, {}
        self._pbc: Sequence[bool] = (True, True, True)
        self._one: NDArray[np.float64] | None = None
        base = f"{_stem(path)}-{_run(path).partition('.')[0]}"
        restart = _beside(path, f"{base}.restart")
        moving = False
        if restart is not None:
            text = _text(restart)
            self._one, self._pbc = _cell_of_restart(text, restart)
            moving = _MOVING_CELL.search(text) is not None
        table = _beside(path, f"{base}.cell")
        if table is not None:
            self._by_step = _cells_of_table(_text(table), table)
        elif restart is None or moving:
            why = "its cell changes" if moving else "its cell is not known"
            raise FileFormatError(
                f"{path} is a trajectory of CP2K, and {why}: {base}.cell is expected "
                f"beside it (MOTION%PRINT%CELL){'' if moving else f', or {base}.restart'}"
            )

    def of(self, step: int) -> tuple[NDArray[np.float64] | None, Sequence[bool]]:
        """Cell, Å, and pbc of a step."""
        if not any(self._pbc):
            return None, self._pbc
        cell = self._by_step.get(step, None if self._by_step else self._one)
        if cell is None:
            raise FileFormatError(f"{self._path}, step {step}: no cell of this step in the .cell")
        return cell, self._pbc


def _cell_of_restart(text: str, path: Path) -> tuple[NDArray[np.float64], Sequence[bool]]:
    section = re.search(r"^\s*&CELL\b(.*?)^\s*&END CELL", text, re.MULTILINE | re.DOTALL)
    body = section[1] if section else ""
    rows = re.findall(r"^\s*[ABC]\s+(\S+)\s+(\S+)\s+(\S+)\s*$", body, re.MULTILINE)
    try:
        cell = np.array(rows, np.float64).reshape(3, 3)
    except ValueError:
        raise FileFormatError(f"{path}: A, B and C with three numbers are expected in &CELL") from (
            None
        )
    periodic = re.search(r"^\s*PERIODIC\s+(\S+)", body, re.MULTILINE)
    axes = periodic[1].upper() if periodic else "XYZ"
    return cell, tuple(axis in axes.replace("NONE", "") for axis in "XYZ")


def _cells_of_table(text: str, path: Path) -> dict[int, NDArray[np.float64]]:
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            found[int(words[0])] = np.array(words[2:11], np.float64).reshape(3, 3)
        except ValueError:
            raise FileFormatError(
                f"{path}, line {number}: step, time and nine numbers of the cell are expected"
            ) from None
    return found


def _stem(path: Path) -> str:
    """The project's name."""
    return path.name.partition(_OF_POSITIONS)[0]


def _run(path: Path) -> str:
    """What stands behind the project's name and the kind of file."""
    return path.name.partition(_OF_POSITIONS)[2] or path.name


def _beside(path: Path, name: str) -> Path | None:
    found = path.with_name(name)
    return found if found.is_file() and found != path else None


def _text(path: Path) -> str:
    try:
        with opened(path) as file:
            return str(file.read().decode("utf-8", errors="replace"))
    except (OSError, EOFError) as error:
        raise FileFormatError(f"cannot read {path}: {error}") from None
