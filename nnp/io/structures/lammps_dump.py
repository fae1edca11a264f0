"""LAMMPS's dumps: elements are written into the text, then ASE reads it; they hold no energy."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

import numpy as np
from ase import Atoms
from ase.io.lammpsrun import read_lammps_dump_text

from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.lammps import SAY_TYPES, of_mass, units_of
from nnp.io.structures.names import ElementNames, element_of_symbol
from nnp.io.structures.source import Source

# Positions: wrapped, in shares of the cell, unwrapped, both.
_KINDS = ("", "s", "u", "su")


def read_dump(source: Source) -> list[Atoms]:
    """Read every structure of a text dump.

    Raises:
        FileFormatError: broken, or types whose elements nothing says.
    """
    text = source.text()
    said = re.search(r"^ITEM: UNITS\s*\n\s*(\w+)", text, re.MULTILINE)
    units = units_of(source, said.group(1) if said else None)
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
            f"the columns {', '.join(left)} are not used, because the file does not state its "
            "units: --lammps-units metal (or real, …) does"
        )
    elif forces is not None:
        source.note(
            "the forces are those of the run, without an energy: --forces-key forces_of_run takes "
            "them as labels"
        )


def _with_elements(text: str, source: Source) -> str:
    """The dump with a column ``element`` in every structure."""
    lines = text.splitlines()
    known: dict[tuple[str, ...], str] = {}
    at = n = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("ITEM: NUMBER OF ATOMS") and at + 1 < len(lines):
            n = _count(lines[at + 1], source, at + 2)
        if line.split() == ["ITEM:", "BOX", "BOUNDS"]:
            raise FileFormatError(
                f"{source.path}, line {at + 1}: nothing states which axes are periodic: write "
                "ITEM: BOX BOUNDS pp pp pp (ff where an axis is not)"
            )
        if line.startswith("ITEM: ATOMS"):
            columns = line.split()[2:]
            if not any({f"x{kind}", f"y{kind}", f"z{kind}"} <= set(columns) for kind in _KINDS):
                raise FileFormatError(
                    f"{source.path}, line {at + 1}: the columns {' '.join(columns)} have no "
                    "positions: x y z, xs ys zs, xu yu zu or xsu ysu zsu"
                )
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
            f"{source.path}, line {number}: {line.strip()!r} is not a number of atoms"
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
            f"element said them; {SAY_TYPES}"
        )


def _element(told: dict[str, str], names: ElementNames) -> str:
    kind = told.get("type", "")
    if kind.isdigit() and (symbol := names.of_type(int(kind))):
        return symbol
    if said := names.of_name(kind):
        return said
    if "element" in told:
        return element_of_symbol(told["element"], names)
    if kind and not kind.isdigit():
        return element_of_symbol(kind, names)
    if "mass" in told and (symbol := of_mass(float(told["mass"]))):
        return symbol
    mass = f" of mass {told['mass']}" if "mass" in told else ""
    raise FileFormatError(
        f"nothing states which element type {kind or '?'}{mass} is, for types are not atomic "
        f"numbers; {SAY_TYPES}"
    )
