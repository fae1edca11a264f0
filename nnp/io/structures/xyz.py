"""XYZ and extended XYZ: checked line by line, cells of comments put in, then read by ASE."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.extxyz import key_val_str_to_dict, read_extxyz

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.comment_cells import read_comment, refuse_cell
from nnp.io.structures.names import ElementNames, element_of_symbol
from nnp.io.structures.source import Source

# Keys that programs write in other cases; ASE knows these spellings only.
_SPELLINGS = ("Lattice", "Properties", "pbc", "energy", "stress", "virial")
_COLUMN_SPELLINGS = ("species", "pos", "forces", "Z")
_NUMBER_KINDS = {"R": float, "I": int}
_OTHER_UNITS = re.compile(
    r"bohr|hartree|\ba\.?u\b|atomic|kcal|kj|rydberg|\bry\b|\bha\b|\bmev\b|\bnm\b|nanomet|gpa",
    re.IGNORECASE,
)
_LOGICAL = frozenset(("T", "F", "True", "False"))


@dataclass
class _Frame:
    """One structure of the file as text.

    Attributes:
        line: number of its first line, from 1.
        comment: second line.
        rows: lines of the atoms.
        vectors: lines VEC1 … after them.
    """

    line: int
    comment: str
    rows: list[str]
    vectors: list[str] = field(default_factory=list)


def read(source: Source) -> list[Atoms]:
    """Read every structure; positions in Å, whatever a comment of i-PI's has.

    Raises:
        FileFormatError: a line that breaks the format, a name that is not an element, a comment
            with a cell that is not understood; names the line.
    """
    frames = list(_frames(source.text().splitlines(), source.path))
    known: dict[str, str] = {}
    units = [_prepare(frame, source, known) for frame in frames]
    if set(units) - {""}:
        source.options.used.add("units")
        source.units = ", ".join(dict.fromkeys(unit for unit in units if unit))
    text = "".join(
        "\n".join([str(len(f.rows)), f.comment, *f.rows, *f.vectors]) + "\n" for f in frames
    )
    try:
        found: list[Atoms] = list(read_extxyz(io.StringIO(text), slice(None)))
    except Exception as error:
        raise FileFormatError(
            f"{source.path} cannot be read: {type(error).__name__}: {error}"
        ) from error
    for atoms in found:
        if "mass" in atoms.arrays:  # extended XYZ's name, which ASE leaves as it is
            atoms.set_masses(atoms.arrays.pop("mass"))  # type: ignore[no-untyped-call]
    return found


def _frames(lines: Sequence[str], path: Path) -> Iterator[_Frame]:
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        where = f"{path}, line {at + 1}"
        if not re.fullmatch(r"\s*\d+\s*", lines[at]):
            raise FileFormatError(
                f"{where}: {lines[at].strip()[:40]!r} is not a number of atoms, which a "
                "structure begins with"
            )
        n = int(lines[at])
        if at + 2 + n > len(lines):
            raise FileFormatError(
                f"{where}: {n} atoms are announced and {max(len(lines) - at - 2, 0)} lines follow: "
                "truncated?"
            )
        frame = _Frame(at + 1, lines[at + 1], list(lines[at + 2 : at + 2 + n]))
        at += 2 + n
        while at < len(lines) and lines[at].lstrip().startswith("VEC"):
            frame.vectors.append(lines[at])
            at += 1
        yield frame


def _prepare(frame: _Frame, source: Source, known: dict[str, str]) -> str:
    """Check a frame and put it into words that ASE knows; returns its units where it says them."""
    where = f"{source.path}, line {frame.line + 1}"
    length = source.options.units.length_in_angstrom if source.options.units else None
    extended = re.search(r"(?<![\w-])lattice\s*=", frame.comment, re.IGNORECASE)
    cell = None if extended else read_comment(frame.comment, where, length)
    if cell is None:
        frame.comment = _spelled(frame.comment)
        keys = _keys(frame.comment, where)
        _refuse_twice(frame.comment, where)
        _refuse_units(keys, where)
        if "Lattice" not in keys and not frame.vectors:
            named = keys.keys() & {"Properties", "pbc"}
            spoken = (
                " ".join(f"{key}={value}" for key, value in keys.items() if key not in named)
                if named
                else frame.comment
            )
            refuse_cell(spoken, where)
        _check_lattice(keys, where)
        columns = _columns(keys.get("Properties", "species:S:1:pos:R:3"), where)
    else:
        numbers = " ".join(f"{value:.17g}" for value in cell.cell.ravel())
        frame.comment = f'Lattice="{numbers}" pbc="T T T"'
        columns = _columns("species:S:1:pos:R:3", where)
    _check_rows(frame, columns, source, known)
    if cell is not None:
        frame.rows = [_scaled(row, cell.length) for row in frame.rows]
    return "" if cell is None else cell.units


def _keys(comment: str, where: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = key_val_str_to_dict(comment)  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        nine = re.search(r"info item (\w+), expecting special 3x3", str(error))
        why = (
            f"{nine.group(1)} has other than nine numbers: write xx xy xz yx yy yz zx zy zz, "
            "for the order of six differs between programs"
            if nine
            else error
        )
        raise FileFormatError(f"{where}: the comment line cannot be read: {why}") from None
    return found


def _refuse_units(keys: dict[str, Any], where: str) -> None:
    """A key that says other units than those that this format is read in."""
    for key, value in keys.items():
        if "unit" in key.lower() and _OTHER_UNITS.search(str(value)):
            raise FileFormatError(
                f"{where}: {key}={value}, and extended XYZ is read in Å, eV and eV/Å: convert the "
                "numbers, and take the key out"
            )


def _refuse_twice(comment: str, where: str) -> None:
    """ASE takes the last of two."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", '""', comment)
    names = re.findall(r"(?:^|\s)([A-Za-z_][\w-]*)\s*=", bare)
    for name in _SPELLINGS:
        if names.count(name) > 1:
            raise FileFormatError(f"{where}: {name} occurs {names.count(name)} times: keep one")


def _spelled(comment: str) -> str:
    """Known keys in ASE's spelling, where another case is written and ASE's is not."""
    for key in _SPELLINGS:
        if not re.search(rf"(?<![\w-]){key}\s*=", comment):
            comment = re.sub(
                rf"(?<![\w-]){key}(?=\s*=)", key, comment, count=1, flags=re.IGNORECASE
            )

    def column(match: re.Match[str]) -> str:
        fields = match.group(2).split(":")
        for i in range(0, len(fields), 3):
            fields[i] = next(
                (s for s in _COLUMN_SPELLINGS if s.lower() == fields[i].lower()), fields[i]
            )
        return match.group(1) + ":".join(fields)

    return re.sub(r"(Properties\s*=\s*[\"']?)([^\s\"']+)", column, comment, count=1)


def _check_lattice(keys: dict[str, Any], where: str) -> None:
    lattice = keys.get("Lattice")
    if lattice is not None and (np.shape(lattice) != (3, 3) or not np.isreal(lattice).all()):
        raise FileFormatError(f"{where}: Lattice does not have nine numbers: {lattice!r}")
    pbc = keys.get("pbc")
    if pbc is not None and (isinstance(pbc, str) or np.size(pbc) not in (1, 3)):
        raise FileFormatError(f'{where}: pbc={pbc!r} is not understood: three of T and F, "T T F"')


def _columns(properties: Any, where: str) -> list[tuple[str, str]]:
    """Name and kind of each column."""
    fields = str(properties).split(":")
    found = []
    for name, kind, count in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if kind not in ("S", "R", "I", "L") or not count.isdigit():
            raise FileFormatError(
                f"{where}: Properties={properties} breaks at {name}:{kind}:{count}"
            )
        found += [(name, kind)] * int(count)
    names = {name for name, _ in found}
    if len(fields) % 3 or "pos" not in names or not names & {"species", "Z"}:
        raise FileFormatError(
            f"{where}: Properties={properties} must be NAME:KIND:COLUMNS, with pos:R:3 and "
            "species:S:1 or Z:I:1 among them"
        )
    return found


def _check_rows(
    frame: _Frame, columns: list[tuple[str, str]], source: Source, known: dict[str, str]
) -> None:
    names = source.options.names
    species = next((i for i, (name, _) in enumerate(columns) if name == "species"), None)
    number_column = next((i for i, (name, _) in enumerate(columns) if name == "Z"), None)
    for number, row in enumerate(frame.rows):
        words = row.split()
        where = f"{source.path}, line {frame.line + 2 + number}"
        if len(words) != len(columns):
            raise FileFormatError(
                f"{where}: {len(words)} columns, {len(columns)} are named "
                f"({', '.join(dict.fromkeys(name for name, _ in columns))}): name all of them in "
                "Properties=…, or take the others out"
            )
        for (name, kind), word in zip(columns, words, strict=True):
            _check_word(name, kind, word, where)
        if species is not None:
            symbol = _symbol(words[species], names, known, where)
            if symbol != words[species]:
                words[species] = symbol
                frame.rows[number] = " ".join(words)
            if number_column is not None and words[number_column] != str(atomic_number(symbol)):
                raise FileFormatError(
                    f"{where}: species {symbol} and Z {words[number_column]} are two elements"
                )


def _check_word(name: str, kind: str, word: str, where: str) -> None:
    if not _fits(kind, word):
        wanted = {"R": "a number", "I": "a whole number", "L": "T or F"}[kind]
        raise FileFormatError(f"{where}: {word!r} in the column {name} is not {wanted}")


def _fits(kind: str, word: str) -> bool:
    if kind not in _NUMBER_KINDS:
        return kind == "S" or word in _LOGICAL
    try:
        _NUMBER_KINDS[kind](word)
    except ValueError:
        return False
    return True


def _symbol(word: str, names: ElementNames, known: dict[str, str], where: str) -> str:
    """Symbol of the first column; a number there is a type unless --types says what it is."""
    if word in known:
        return known[word]
    try:
        if word.isdigit():
            symbol = names.of_type(int(word))
            if symbol is None:
                raise FileFormatError(
                    f"{word} is a type or an atomic number, and nothing states which: --types Si,O "
                    "gives elements of types 1, 2, …; Z:I:1 in Properties is for atomic numbers"
                )
        else:
            symbol = element_of_symbol(word, names)
    except NNPError as error:
        raise FileFormatError(f"{where}: {error}") from None
    known[word] = symbol
    return symbol


def _scaled(row: str, length: float) -> str:
    words = row.split()
    return " ".join([words[0], *(f"{float(word) * length:.17g}" for word in words[1:4])])
