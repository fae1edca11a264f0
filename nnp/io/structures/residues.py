"""PDB and GRO: elements from a column or from names, cells that are none, then read by ASE."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.gromacs import read_gromacs
from ase.io.proteindatabank import read_proteindatabank

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.names import ElementNames, element_of_name, element_of_symbol
from nnp.io.structures.source import Source
from nnp.io.structures.velocities import VELOCITY_UNITS
from nnp.units import NANOMETRE

# Columns of a position that ASE reads; ours are put in its place, with all their digits.
_GRO_PLACE = "   0.000   0.000   0.000"
# Edges (Å) at which a crystallographic record says that there is no crystal.
PLACEHOLDER_EDGES = (0.0, 1.0)


def read_pdb(source: Source) -> list[Atoms]:
    """Read every model of a PDB file.

    Raises:
        FileFormatError: broken, or a name without an element column that can mean two elements.
    """
    lines = source.text().splitlines()
    lines = [line for line in lines if not _is_placeholder(line, source)]
    atoms = [n for n, line in enumerate(lines) if line.startswith(("ATOM", "HETATM"))]
    beside = beside_in_residues((lines[n][17:21].strip(), lines[n][12:16].strip()) for n in atoms)
    known: dict[tuple[str, str, str], str] = {}
    for n in atoms:
        line = lines[n]
        key = line[76:78].strip(), line[12:16].strip(), line[17:21].strip()
        if key not in known:
            where = f"{source.path}, line {n + 1}"
            known[key] = element_of_atom(*key, source.options.names, beside, where)
        lines[n] = f"{line[:76]:<76}{known[key]:>2}"
    if any(
        line.startswith(("ATOM", "HETATM")) and line[16:17] not in (" ", "A", "") for line in lines
    ):
        source.note(
            "it has alternative locations of atoms (altloc); all of them are taken as atoms"
        )
    return [
        _with_chains(atoms, model)
        for model in _models(lines, source)
        for atoms in _with_ase(read_proteindatabank, model, source, index=slice(None))
    ]


def _with_chains(atoms: Any, lines: list[str]) -> Any:
    """The atoms of a model with a column that ASE leaves out; extxyz holds no empty words."""
    chains = [line[21:22].strip() or "_" for line in lines if not line.startswith("CRYST1")]
    if len(chains) == len(atoms) and set(chains) != {"_"}:
        atoms.set_array("chainids", np.array(chains))
    return atoms


def _models(lines: Iterable[str], source: Source) -> Iterator[list[str]]:
    """The atoms of each model, below the last cell before them: the file has it once."""
    cell: list[str] = []
    atoms: list[str] = []
    for line in lines:
        if line.startswith("CRYST1"):
            cell = [line]
            group = line[55:66].strip()
            if group not in ("", "P 1", "P1", "1"):
                source.note(
                    f"its space group is {group}: a PDB file holds the asymmetric unit only, and "
                    "these atoms alone are taken for the whole cell"
                )
        elif line.startswith(("ATOM", "HETATM")):
            atoms.append(line)
        elif line.startswith("END") and atoms:
            yield [*cell, *atoms]
            atoms = []
    if atoms:
        yield [*cell, *atoms]


def _is_placeholder(line: str, source: Source) -> bool:
    """``CRYST1 1 1 1 90 90 90 P 1``, or zeros: the format's way to say that there is no crystal."""
    if not line.startswith("CRYST1"):
        return False
    try:
        edges = [float(line[start : start + 9]) for start in (6, 15, 24)]
    except ValueError:
        raise FileFormatError(
            f"{source.path}: {line.strip()!r} does not have three lengths"
        ) from None
    if all(edge in PLACEHOLDER_EDGES for edge in edges):
        source.note(
            f"CRYST1 of {' × '.join(f'{edge:g}' for edge in edges)} Å is a placeholder for no "
            "crystal: no cell"
        )
        return True
    return False


def element_of_atom(
    said: str,
    name: str,
    residue: str,
    names: ElementNames,
    beside: dict[str, frozenset[str]],
    where: str,
) -> str:
    """Symbol of an atom of PDB or mmCIF: as told, its element's column, else by its name.

    Args:
        said: the element's column; empty or no word where there is none.
        name: of the atom.
        residue: its residue's name.
        names: what the user said of names.
        beside: all names in residues of a name.
        where: the atom is, for messages.

    Raises:
        FileFormatError: it can mean two elements.
    """
    try:
        if told := names.of_name(name):
            return told
        if re.fullmatch("[A-Za-z]{1,2}", said):
            return element_of_symbol(said, names)
        return element_of_name(name, residue, names, beside[residue])
    except NNPError as error:
        raise FileFormatError(f"{where}: {error}") from None


def read_gro(source: Source) -> list[Atoms]:
    """Read every structure of a GRO file; velocities are nm/ps as the format has them.

    Raises:
        FileFormatError: broken, or a name that can mean two elements.
    """
    lines = source.text().splitlines()
    source.units = "nm, nm/ps"
    frames = []
    for start, stop in _gro_frames(lines, source):
        rows = lines[start + 2 : stop - 1]
        if len(lines[stop - 1].split()) not in (0, 3, 9):  # ASE leaves it blank for none
            raise FileFormatError(
                f"{source.path}, line {stop}: {lines[stop - 1].strip()[:40]!r} is not a box: "
                "three or nine numbers are expected (zeros for none)"
            )
        symbols = _gro_symbols(rows, start + 3, source)
        numbers = [
            _gro_numbers(row, f"{source.path}, line {start + 3 + n}") for n, row in enumerate(rows)
        ]
        short = [row[:20] + _GRO_PLACE for row in rows]
        block = [*lines[start : start + 2], *short, lines[stop - 1]]
        (atoms,) = _with_ase(read_gromacs, block, source)
        atoms.numbers = [atomic_number(symbol) for symbol in symbols]
        atoms.positions = np.array([row[:3] for row in numbers]).reshape(-1, 3) * NANOMETRE
        if numbers and all(len(row) == 6 for row in numbers):
            velocities = np.array([row[3:] for row in numbers]) * VELOCITY_UNITS["nm/ps"]
            atoms.set_velocities(velocities)  # type: ignore[no-untyped-call]
        _gro_cell(atoms)
        frames.append(atoms)
    return frames


def _gro_frames(lines: list[str], source: Source) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(lines) and any(line.strip() for line in lines[at:]):
        count = lines[at + 1].strip() if at + 1 < len(lines) else ""
        if not count.isdigit() or at + 3 + int(count) > len(lines):
            raise FileFormatError(
                f"{source.path}, line {at + 2}: {count!r} must be the number of atoms, whose lines "
                "and the box follow"
            )
        yield at, at + 3 + int(count)
        at += 3 + int(count)


def _gro_symbols(rows: list[str], first_line: int, source: Source) -> list[str]:
    beside = beside_in_residues((row[5:10].strip(), row[10:15].strip()) for row in rows)
    known: dict[tuple[str, str], str] = {}
    for number, row in enumerate(rows):
        residue, name = row[5:10].strip(), row[10:15].strip()
        if (name, residue) not in known:
            try:
                known[name, residue] = element_of_name(
                    name, residue, source.options.names, beside[residue]
                )
            except NNPError as error:
                raise FileFormatError(
                    f"{source.path}, line {first_line + number}: {error}"
                ) from None
    return [known[row[10:15].strip(), row[5:10].strip()] for row in rows]


def _gro_numbers(row: str, where: str) -> list[float]:
    """Position (nm) and maybe velocity (nm/ps); points are as far apart as columns are wide."""
    text = row[20:].rstrip()
    points = [n for n, letter in enumerate(text) if letter == "."]
    width = points[1] - points[0] if len(points) > 1 else 0
    try:
        found = [float(text[n : n + width]) for n in range(0, len(text), max(width, 1))]
    except ValueError:
        found = []
    if len(found) not in (3, 6):
        raise FileFormatError(
            f"{where}: {text.strip()[:60]!r} are not three numbers, or six with velocities, in "
            "columns of one width"
        )
    return found


def _gro_cell(atoms: Any) -> None:
    """A box of zeros is none."""
    if not atoms.cell.array.any():
        atoms.pbc = False


def beside_in_residues(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """All names that stand in residues of one name."""
    found: dict[str, set[str]] = {}
    for residue, name in pairs:
        found.setdefault(residue, set()).add(name)
    return {residue: frozenset(names) for residue, names in found.items()}


def _with_ase(reader: Any, lines: list[str], source: Source, **options: Any) -> list[Atoms]:
    try:
        found = reader(io.StringIO("\n".join(lines) + "\n"), **options)
    except Exception as error:
        raise FileFormatError(
            f"{source.path} cannot be read: {type(error).__name__}: {error}"
        ) from error
    return found if isinstance(found, list) else [found]


READERS: dict[str, Any] = {"proteindatabank": read_pdb, "gromacs": read_gro}
