"""LAMMPS's dumps and data files: types are not atomic numbers, and neither holds an energy.

Both are read by ASE, with elements and units that are known and not guessed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.lammpsdata import read_lammps_data
from ase.io.lammpsrun import read_lammps_dump_text

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.names import ElementNames, element_of_mass, element_of_symbol
from nnp.io.structures.source import LAMMPS_UNITS, Source

_UNITS_SAID = re.compile(r"\bunits\s*=\s*(\w+)", re.IGNORECASE)
_SAY_TYPES = "say them in the order of the types: --types Si,O (or 1=Si,2=O)"


def read_dump(source: Source) -> list[Atoms]:
    """Read every structure of a text dump.

    Raises:
        FileFormatError: broken, or types whose elements nothing says.
    """
    text = source.text()
    said = re.search(r"^ITEM: UNITS\s*\n\s*(\w+)", text, re.MULTILINE)
    units = _units(source, said.group(1) if said else None)
    text = _with_elements(text, source)
    try:
        frames: list[Atoms] = read_lammps_dump_text(
            io.StringIO(text), slice(None), units=units or "metal"
        )
    except Exception as error:
        raise FileFormatError(
            f"{source.path} cannot be read: {type(error).__name__}: {error}"
        ) from error
    for atoms in frames:
        _only_what_is_known(atoms, units, source)
    return frames


def _only_what_is_known(atoms: Atoms, units: str | None, source: Source) -> None:
    """ASE gives a dump with forces the energy 0.0, and takes numbers for metal units."""
    forces = None if atoms.calc is None else atoms.calc.results.get("forces")
    atoms.calc = None
    left = []
    if forces is not None:
        if units:
            atoms.arrays["forces_of_run"] = np.asarray(forces)
        left.append("fx, fy, fz")
    if atoms.has("momenta") and not units:  # type: ignore[no-untyped-call]
        del atoms.arrays["momenta"]
        left.append("vx, vy, vz")
    if left and not units:
        source.note(
            f"the columns {', '.join(left)} are not taken, for the file does not say its units: "
            "--lammps-units metal (or real, …) does"
        )
    elif forces is not None:
        source.note(
            "the forces are those of the run, without an energy: --forces-key forces_of_run takes "
            "them as labels"
        )


def _units(source: Source, said: str | None) -> str | None:
    """The style of units: of the file, else of the options; None when nothing says it."""
    if said == "lj" or (said and said not in LAMMPS_UNITS):
        raise FileFormatError(
            f"{source.path}: its units are {said}, which have no lengths: scale it first"
        )
    style, source.units_taken = said or source.options.lammps_units, True
    lengths = "Å" if style in (None, "metal", "real") else f"lengths of {style}"
    source.units = f"units {style}" if style else f"{lengths} (units metal or real)"
    return style


def _with_elements(text: str, source: Source) -> str:
    """The dump with a column ``element`` in every structure."""
    lines = text.splitlines()
    known: dict[tuple[str, ...], str] = {}
    at = n = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("ITEM: NUMBER OF ATOMS") and at + 1 < len(lines):
            n = _count(lines[at + 1], source, at + 2)
        if line.startswith("ITEM: ATOMS"):
            columns = line.split()[2:]
            rows = range(at + 1, at + 1 + n)
            if rows.stop > len(lines):
                raise FileFormatError(
                    f"{source.path}, line {at + 1}: {n} atoms announced, the file ends"
                )
            _name_elements(lines, at, rows, columns, known, source)
            at = rows.stop - 1
        at += 1
    return "\n".join(lines) + "\n"


def _count(line: str, source: Source, number: int) -> int:
    if not line.strip().isdigit():
        raise FileFormatError(
            f"{source.path}, line {number}: {line.strip()!r} is no number of atoms"
        )
    return int(line)


def _name_elements(
    lines: list[str],
    at: int,
    rows: Iterable[int],
    columns: Sequence[str],
    known: dict[tuple[str, ...], str],
    source: Source,
) -> None:
    """Write the elements into the lines of one structure."""
    telling = [name for name in ("element", "mass", "type") if name in columns]
    places = [columns.index(name) for name in telling]
    names = source.options.names
    _refuse_one_element(lines, rows, columns, names, source)
    for number in rows:
        words = lines[number].split()
        if len(words) != len(columns):
            raise FileFormatError(
                f"{source.path}, line {number + 1}: {len(words)} columns, {len(columns)} are named"
            )
        key = tuple(words[place] for place in places)
        if key not in known:
            try:
                known[key] = _element(dict(zip(telling, key, strict=True)), names)
            except NNPError as error:
                raise FileFormatError(f"{source.path}, line {number + 1}: {error}") from None
        if "element" in columns:
            words[columns.index("element")] = known[key]
        else:
            words.append(known[key])
        if "type" in columns and not words[columns.index("type")].isdigit():
            words[columns.index("type")] = "0"  # a label, which ASE takes for a number
        lines[number] = " ".join(words)
    if "element" not in columns:
        lines[at] += " element"


def _refuse_one_element(
    lines: list[str],
    rows: Iterable[int],
    columns: Sequence[str],
    names: ElementNames,
    source: Source,
) -> None:
    """LAMMPS writes ``C`` for every type unless ``dump_modify element`` says otherwise."""
    if names or not {"element", "type"} <= set(columns):
        return
    element, kind = columns.index("element"), columns.index("type")
    pairs = {
        (w[element], w[kind]) for w in (lines[n].split() for n in rows) if len(w) == len(columns)
    }
    if len({t for _, t in pairs}) > 1 and {e for e, _ in pairs} == {"C"}:
        raise FileFormatError(
            f"{source.path}: all types have the element C, as LAMMPS has it where no dump_modify "
            f"element said them; {_SAY_TYPES}"
        )


def _element(told: dict[str, str], names: ElementNames) -> str:
    kind = told.get("type", "")
    if kind.isdigit() and (symbol := names.of_type(int(kind))):
        return symbol
    if kind in names.named:
        return names.named[kind]
    if "element" in told:
        return element_of_symbol(told["element"], names)
    if kind and not kind.isdigit():
        return element_of_symbol(kind, names)
    if "mass" in told and (symbol := _of_mass(float(told["mass"]))):
        return symbol
    mass = f" of mass {told['mass']}" if "mass" in told else ""
    raise FileFormatError(
        f"nothing says which element type {kind or '?'}{mass} is, for types are not atomic "
        f"numbers; {_SAY_TYPES}"
    )


def _of_mass(mass: float) -> str | None:
    """Helium's mass is that of a repartitioned hydrogen: it has to be said."""
    symbol = element_of_mass(mass)
    return None if symbol == "He" else symbol


def read_data(source: Source) -> list[Atoms]:
    """Read the structure of a data file; the masses it has are those of its atoms.

    Raises:
        FileFormatError: broken, types whose elements nothing says, or an unknown order of columns.
    """
    text = source.text()
    first = text.partition("\n")[0]
    said = _UNITS_SAID.search(first)
    units = _units(source, said.group(1) if said else None)
    elements = _elements_of_data(text, source)
    style = _style(text, source)
    try:
        atoms = read_lammps_data(
            io.StringIO(text),
            Z_of_type={kind: atomic_number(symbol) for kind, symbol in elements.items()},
            units=units or "metal",
            atom_style=style,
        )
    except Exception as error:
        raise FileFormatError(
            f"{source.path} cannot be read: {type(error).__name__}: {error}"
        ) from error
    if atoms.has("momenta") and not units:
        del atoms.arrays["momenta"]
        source.note(
            "the velocities are not taken, for the file does not say its units: --lammps-units "
            "metal (or real, …) does"
        )
    return [atoms]


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
        symbol = names.of_type(kind) or names.named.get(label) or _told(label, comment, mass)
        if symbol is None:
            seen = f"of mass {mass:g}" if mass is not None else "without a mass"
            raise FileFormatError(
                f"{source.path}: nothing says which element type {kind}, {seen}, is, for types are "
                f"not atomic numbers and a mass must be an element's; {_SAY_TYPES}"
            )
        found[kind] = symbol
    if len(names.listed) > n_types:
        raise FileFormatError(
            f"{source.path}: types {','.join(names.listed)} are {len(names.listed)}, it has "
            f"{n_types}"
        )
    return found


def _told(label: str, comment: str, mass: float | None) -> str | None:
    """Element of a label or a mass's comment; None where the mass is another element's."""
    of_mass = None if mass is None else _of_mass(mass)
    for word in (label, comment.split(maxsplit=1)[0] if comment else ""):
        try:
            symbol = element_of_symbol(word, ElementNames()) if word else None
        except NNPError:
            continue
        if symbol is not None and word == symbol:
            return symbol if of_mass in (None, symbol) else None
    return of_mass


def _style(text: str, source: Source) -> str:
    """The order of columns: said behind ``Atoms #``, else the only one that fits."""
    atoms = _sections(text).get("Atoms")
    if not atoms or len(atoms) < 2:
        raise FileFormatError(f"{source.path}: it has no section Atoms")
    said = atoms[0][1].split()[:1]
    if said:
        return said[0]
    rows = [words for words, _ in atoms[1:]]
    count = len(rows[0])
    if count in (5, 8):
        return "atomic"
    if count in (7, 10):
        return "full"
    if count in (6, 9) and any(not row[2].lstrip("+-").isdigit() for row in rows):
        return "charge"
    raise FileFormatError(
        f"{source.path}: {count} columns of Atoms can mean several styles: write the style behind "
        "the word, such as Atoms # charge"
    )


READERS: dict[str, Any] = {"lammps-dump": read_dump, "lammps-data": read_data}
