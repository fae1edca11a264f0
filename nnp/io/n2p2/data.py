"""n2p2's and RuNNer's ``input.data``: structures with energies and forces.

Per structure: ``begin`` (``set=train`` or ``set=test`` may follow), ``comment …``, three
``lattice`` rows if periodic, ``atom x y z X charge unused fx fy fz``, ``energy E``, ``charge Q``,
``end``. The file does not say its units. Either all axes are periodic or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NNPError, StructureError
from nnp.io.files import replacing
from nnp.io.n2p2.settings import parse_numbers, read_words
from nnp.structure import Structure
from nnp.units import ATOMIC, UnitSystem

__all__ = ["Frame", "read_data", "write_data"]

_ATOM = "x y z symbol charge unused fx fy fz"


@dataclass(frozen=True, eq=False)
class Frame:
    """One structure of the file, in Å and eV.

    Attributes:
        structure: the atoms.
        energy: reference energy, eV; None where the file has none.
        forces: (n, 3) reference forces, eV/Å; None where the file has none.
        charges: (n,) charges of the atoms, e.
        charge: total charge, e.
        comment: the text after ``comment``; several lines are joined by a space.
        part: what follows ``begin``, such as ``set=train``.
    """

    structure: Structure
    energy: float | None = None
    forces: NDArray[np.float64] | None = None
    charges: NDArray[np.float64] | None = None
    charge: float = 0.0
    comment: str = ""
    part: str = ""


def read_data(path: str | Path, units: UnitSystem | None = None) -> list[Frame]:
    """Read an ``input.data``.

    Structures without labels are written with zeros by n2p2: where the energy and every force are
    exactly zero, both are None.

    Args:
        path: the file.
        units: of the file; bohr and hartree when None.

    Raises:
        FileFormatError: the content breaks the format; the message names file and line.
    """
    path = Path(path)
    frames = []
    draft: _Draft | None = None
    for line, words in read_words(path):
        where = f"{path}, line {line}"
        if words[0] == "begin":
            if draft is not None:
                raise FileFormatError(f"{where}: begin before the end of line {draft.line}'s begin")
            draft = _Draft(path, line, " ".join(words[1:]))
        elif draft is None:
            raise FileFormatError(f"{where}: {words[0]!r} stands outside of begin … end")
        elif words[0] == "end":
            frames.append(draft.frame(units or ATOMIC))
            draft = None
        else:
            draft.add(words, where)
    if draft is not None:
        raise FileFormatError(f"{path}: the begin of line {draft.line} has no end: truncated?")
    if not frames:
        raise FileFormatError(f"{path} holds no structure: begin … end is expected")
    return frames


def write_data(
    frames: Iterable[Frame],
    path: str | Path,
    units: UnitSystem | None = None,
    force: bool = False,
) -> None:
    """Write an ``input.data``.

    Args:
        frames: the structures; where neither energy nor forces are known, both become zeros, as
            n2p2 has it. The forces of one atom alone are zero.
        path: the file.
        units: of the file; bohr and hartree when None.
        force: whether an existing file may be replaced.

    Raises:
        StructureError: a structure that is periodic along some axes only, or with an energy
            without forces or the reverse: the zeros in their place would be read as labels.
        OutputExistsError: the file is there and ``force`` is False.
    """
    with replacing(path, force) as scratch, scratch.open("w", encoding="utf-8") as file:
        for number, frame in enumerate(frames):
            file.writelines(f"{line}\n" for line in _lines(frame, number, units or ATOMIC))


@dataclass
class _Draft:
    """What was read since ``begin``."""

    path: Path
    line: int
    part: str
    comments: list[str] = field(default_factory=list)
    lattice: list[list[float]] = field(default_factory=list)
    symbols: list[int] = field(default_factory=list)
    atoms: list[list[float]] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)

    def add(self, words: list[str], where: str) -> None:
        """Take one line."""
        keyword, arguments = words[0], words[1:]
        if keyword == "comment":
            self.comments.append(" ".join(arguments))
        elif keyword == "lattice":
            _expect(keyword, arguments, "x y z", where)
            self.lattice.append(parse_numbers(arguments, where))
        elif keyword == "atom":
            _expect(keyword, arguments, _ATOM, where)
            self._add_atom(arguments, where)
        elif keyword in ("energy", "charge"):
            _expect(keyword, arguments, keyword[0].upper(), where)
            if keyword in self.totals:
                raise FileFormatError(f"{where}: {keyword} is given twice in one structure")
            self.totals[keyword] = parse_numbers(arguments, where)[0]
        else:
            raise FileFormatError(
                f"{where}: unknown keyword {keyword!r}: allowed are begin, comment, lattice, atom, "
                "energy, charge, end"
            )

    def frame(self, units: UnitSystem) -> Frame:
        """The finished structure, in Å and eV."""
        where = f"{self.path}, structure of line {self.line}"
        if len(self.lattice) not in (0, 3):
            raise FileFormatError(f"{where}: {len(self.lattice)} lattice rows, 0 or 3 are expected")
        length, energy_unit = units.length_in_angstrom, units.energy_in_ev
        columns = np.array(self.atoms).reshape(-1, 8)
        cell = np.array(self.lattice or np.zeros((3, 3))) * length
        energy, forces = self.totals.get("energy"), columns[:, 5:8]
        labelled = bool(energy) or bool(forces.any())
        try:
            structure = Structure(columns[:, :3] * length, self.symbols, cell, bool(self.lattice))  # type: ignore[arg-type]
        except NNPError as error:
            raise FileFormatError(f"{where}: {error}") from None
        return Frame(
            structure=structure,
            energy=energy * energy_unit if labelled and energy is not None else None,
            forces=forces * (energy_unit / length) if labelled else None,
            charges=columns[:, 3] if columns[:, 3].any() else None,
            charge=self.totals.get("charge", 0.0),
            comment=" ".join(self.comments),
            part=self.part,
        )

    def _add_atom(self, words: list[str], where: str) -> None:
        try:
            self.symbols.append(atomic_number(words[3]))
        except NNPError as error:
            raise FileFormatError(f"{where}: {error}") from None
        self.atoms.append(parse_numbers(words[:3] + words[4:], where))


def _expect(keyword: str, arguments: list[str], wanted: str, where: str) -> None:
    if len(arguments) != len(wanted.split()):
        raise FileFormatError(
            f"{where}: {keyword} has {len(arguments)} columns, {len(wanted.split())} are expected: "
            f"{wanted}"
        )


def _check_writable(frame: Frame, number: int) -> None:
    structure = frame.structure
    if structure.pbc.any() != structure.pbc.all():
        raise StructureError(
            f"structure {number} has pbc={structure.pbc.tolist()}: input.data knows only all axes "
            "periodic or none"
        )
    labels = {"an energy": frame.energy, "forces": frame.forces}
    if len(structure) == 1 and frame.energy is not None:  # no other atom: its force is zero
        return
    known, missing = ([k for k, v in labels.items() if (v is None) == no] for no in (False, True))
    if known and missing:
        raise StructureError(
            f"structure {number} has {known[0]} but not {missing[0]}: input.data would hold zeros "
            "in their place, which are read as labels; write extxyz, or remove the label"
        )


def _lines(frame: Frame, number: int, units: UnitSystem) -> Iterator[str]:
    structure = frame.structure
    _check_writable(frame, number)
    length, energy_unit = units.length_in_angstrom, units.energy_in_ev
    n = len(structure)
    forces = np.zeros((n, 3)) if frame.forces is None else frame.forces
    charges = np.zeros(n) if frame.charges is None else frame.charges
    yield f"begin {frame.part}".rstrip()
    if frame.comment:
        yield f"comment {' '.join(frame.comment.split())}"
    for row in structure.cell / length if structure.pbc.all() else ():
        yield f"lattice {_numbers(row)}"
    columns = zip(
        structure.positions / length,
        structure.symbols,
        charges,
        forces * (length / energy_unit),
        strict=True,
    )
    for position, symbol, charge, force in columns:
        yield f"atom {_numbers(position)} {symbol:>2} {_numbers([charge, 0.0])} {_numbers(force)}"
    yield f"energy {_numbers([(frame.energy or 0.0) / energy_unit])}"
    yield f"charge {_numbers([frame.charge])}"
    yield "end"


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value: .16E}" for value in values)
