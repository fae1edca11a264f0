"""POSCAR and CONTCAR: read by ASE, but for what it takes without asking."""

from __future__ import annotations

import io
import re
import warnings

from ase import Atoms
from ase.io.vasp import read_vasp

from nnp.errors import FileFormatError
from nnp.io.structures.source import Source

# Line of the counts, or of the symbols before them: after comment, scale and three vectors.
_COUNTS = 5
# Lines of "Lattice velocities and vectors".
_LATTICE_BLOCK = 8
_MOST_DIGITS = 18


def read(source: Source) -> list[Atoms]:
    """Read the structure.

    Raises:
        FileFormatError: broken, or nothing says the elements.
    """
    lines = source.text().splitlines()
    unnamed = len(lines) > _COUNTS and bool(re.fullmatch(r"[\s\d]+", lines[_COUNTS].split("!")[0]))
    mode = _COUNTS + (1 if unnamed else 2)
    _refuse_huge_counts(source, lines[mode - 1 : mode], len(lines))
    selective = len(lines) > mode and lines[mode].strip()[:1] in ("s", "S")
    mode += selective
    if selective:
        lines[mode + 1 :] = [_flags(line) for line in lines[mode + 1 :]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            atoms: Atoms = read_vasp(io.StringIO("\n".join(lines) + "\n"))
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            if unnamed:
                why = "it has no line of symbols before the counts (VASP 4): write one, as Si O"
            raise FileFormatError(f"{source.path} cannot be read: {why}") from error
    if unnamed:
        source.note(
            f"it has no line of symbols (VASP 4): {', '.join(dict.fromkeys(atoms.symbols))} are "
            "taken from its first line"
        )
    if atoms.has("momenta") and _header_of_velocities(lines, mode + 1 + len(atoms)) == "D":  # type: ignore[no-untyped-call]
        del atoms.arrays["momenta"]
        source.note(
            "its velocities are in lattice vectors per time step, which is not stated: not used"
        )
    return [atoms]


def _refuse_huge_counts(source: Source, counts: list[str], n_lines: int) -> None:
    """More atoms than lines: ASE would take memory for them."""
    words = [word for line in counts for word in line.split("!")[0].split()]
    largest = max((word for word in words if word.isdigit()), key=_size, default="0")
    if len(largest) > _MOST_DIGITS or int(largest) > n_lines:
        raise FileFormatError(f"{source.path}: {largest[:40]} atoms are more than the file holds")


def _size(digits: str) -> tuple[int, str]:
    return len(digits), digits


def _flags(line: str) -> str:
    """The flags after a position in the one spelling that ASE knows, T and F."""
    words = line.split()
    flags = [word.strip(".").upper()[:1] for word in words[3:6]]
    return " ".join([*words[:3], *flags, *words[6:]]) if set(flags) & {"T", "F"} else line


def _header_of_velocities(lines: list[str], at: int) -> str:
    """First letter of the line above velocities; a block of the lattice's may stand before."""
    if lines[at].strip()[:1].upper() == "L":
        at += _LATTICE_BLOCK
    return lines[at].strip()[:1].upper() if at < len(lines) else ""
