"""LAMMPS's data files: elements and order of columns are found, then ASE reads it."""

from __future__ import annotations

import io
import re

from ase import Atoms
from ase.io.lammpsdata import read_lammps_data

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.lammps import SAY_TYPES, of_mass, units_of
from nnp.io.structures.names import ElementNames, element_of_symbol
from nnp.io.structures.source import Source

# First words of sections that may hold labels, and of those that stand beside them.
_SECTIONS = (
    "Masses Atoms Velocities Atom Bonds Angles Dihedrals Impropers Pair PairIJ Bond Angle".split()
)

_UNITS_SAID = re.compile(r"\bunits\s*=\s*(\w+)", re.IGNORECASE)


def read_data(source: Source) -> list[Atoms]:
    """Read the structure of a data file; the masses it has are those of its atoms.

    Raises:
        FileFormatError: broken, types whose elements nothing says, or an unknown order of columns.
    """
    text = source.text()
    first = text.partition("\n")[0]
    said = _UNITS_SAID.search(first)
    units = units_of(source, said.group(1) if said else None)
    text = _with_numbers(text)
    elements = _elements_of_data(text, source)
    _check_count(text, source)
    style = _style(text, source)
    try:
        atoms = read_lammps_data(
            io.StringIO(text),
            Z_of_type={kind: atomic_number(symbol) for kind, symbol in elements.items()},
            units=units or "metal",
            atom_style=style,
        )
    except KeyError as error:
        raise FileFormatError(
            f"{source.path}: {error.args[0]} in the column of types is not one of the "
            f"{len(elements)} types; is its style of columns really {style}?"
        ) from error
    except Exception as error:
        raise FileFormatError(
            f"{source.path} cannot be read: {type(error).__name__}: {error}"
        ) from error
    if atoms.has("momenta") and not units:
        del atoms.arrays["momenta"]
        source.note(
            "the velocities are not used, because the file does not state its units: "
            "--lammps-units metal (or real, …) does"
        )
    return [atoms]


def _with_numbers(text: str) -> str:
    """Type labels in Atoms and Masses as numbers, which ASE knows."""
    rows = _sections(text).get("Atom Type Labels", [])
    labels = {words[1]: words[0] for words, _ in rows if len(words) > 1}
    if not labels:
        return text
    lines, section = [], ""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words and words[0] in _SECTIONS:
            section = words[0] if words == [words[0]] else ""
        place = {"Masses": 0}.get(section)
        if section == "Atoms":  # id type …; id molecule type … (a molecule is a number)
            place = next((i for i in (1, 2) if i < len(words) and words[i] in labels), None)
        if place is not None and place < len(words) and words[place] in labels:
            words[place] = labels[words[place]]
            lines.append(" ".join(words))
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _sections(text: str) -> dict[str, list[tuple[list[str], str]]]:
    """Words and comment of each line, by section; the header is the section ''."""
    found: dict[str, list[tuple[list[str], str]]] = {"": []}
    name = ""
    for line in text.splitlines()[1:]:
        body, _, comment = line.partition("#")
        words = body.split()
        if not words:
            continue
        if words[0][0].isalpha() and not any(word[0].isdigit() for word in words):
            name = " ".join(words)
            found[name] = [([], comment.strip())]
        else:
            found[name].append((words, comment.strip()))
    return found


def _elements_of_data(text: str, source: Source) -> dict[int, str]:
    names, sections = source.options.names, _sections(text)
    labels = {int(w[0]): w[1] for w, _ in sections.get("Atom Type Labels", []) if len(w) > 1}
    masses = {w[0]: (float(w[1]), c) for w, c in sections.get("Masses", []) if len(w) > 1}
    header = [words for words, _ in sections[""] if words[1:3] == ["atom", "types"]]
    n_types = int(header[0][0]) if header else 0
    found = {}
    for kind in range(1, n_types + 1):
        label = labels.get(kind, "")
        mass, comment = masses.get(str(kind), masses.get(label, (None, "")))
        symbol = names.of_type(kind) or names.of_name(label) or _told(label, comment, mass)
        if symbol is None:
            seen = f"of mass {mass:g}" if mass is not None else "without a mass"
            raise FileFormatError(
                f"{source.path}: nothing states which element type {kind}, {seen}, is, for "
                f"types are not atomic numbers and a mass must be an element's; {SAY_TYPES}"
            )
        found[kind] = symbol
    if len(names.listed) > n_types:
        raise FileFormatError(
            f"{source.path}: types {','.join(names.listed)} are {len(names.listed)}, it has "
            f"{n_types}"
        )
    return found


def _check_count(text: str, source: Source) -> None:
    """As many atoms as the header says, each once."""
    sections = _sections(text)
    ids = [words[0] for words, _ in sections.get("Atoms", [])[1:]]
    said = [words[0] for words, _ in sections[""] if words[1:] == ["atoms"]]
    if said and ids and said[0] != str(len(ids)):
        raise FileFormatError(
            f"{source.path}: {said[0]} atoms are announced, {len(ids)} are listed under Atoms"
        )
    if len(set(ids)) < len(ids):
        twice = next(word for word in ids if ids.count(word) > 1)
        raise FileFormatError(f"{source.path}: atom {twice} is there more than once")


def _told(label: str, comment: str, mass: float | None) -> str | None:
    """Element of a label or a mass's comment; None where the mass is another element's."""
    element = None if mass is None else of_mass(mass)
    for word in (label, comment.split(maxsplit=1)[0] if comment else ""):
        try:
            symbol = element_of_symbol(word, ElementNames()) if word else None
        except NNPError:
            continue
        if symbol is not None and word == symbol:
            return symbol if element in (None, symbol) else None
    return element


def _style(text: str, source: Source) -> str:
    """The order of columns: said after ``Atoms #``, else the only one that fits."""
    atoms = _sections(text).get("Atoms")
    if not atoms or len(atoms) < 2:
        raise FileFormatError(f"{source.path}: it has no section Atoms")
    said = atoms[0][1].split()[:1]
    if said:
        return said[0]
    rows = [words for words, _ in atoms[1:]]
    count = len(rows[0])
    whole = all(row[i].lstrip("+-").isdigit() for row in rows for i in (1, 2) if i < len(row))
    if count in (5, 8):
        return "atomic"
    if count in (7, 10) and whole:
        return "full"
    if count in (6, 9) and any(not row[2].lstrip("+-").isdigit() for row in rows):
        return "charge"
    raise FileFormatError(
        f"{source.path}: {count} columns of Atoms can mean several styles: write the style after "
        "the word, such as Atoms # charge"
    )
