"""The line that says what was understood of a file, and the remarks after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnp.io.structures.formats import Format
from nnp.io.structures.labels import PREDICTED_BY, Labels, is_predicted, unused_names
from nnp.io.structures.source import Source
from nnp.io.structures.suggest import key_options, suggest_keys
from nnp.io.structures.velocities import velocity_column
from nnp.values import listed

# How many structures are named in a remark that concerns several.
_NAMED = 3


def line(source: Source, form: Format, frames: Sequence[Any], labels: Sequence[Labels]) -> str:
    """``water.pdb: 6 atoms (O 2, H 4), no cell, no labels, no velocities; PDB, Å``."""
    parts = [
        f"{_structures(frames)} ({_elements(frames)})" if frames else "0 structures",
        _cells(frames),
        _labels(frames, labels),
        _of("velocities", [atoms.has("momenta") for atoms in frames]),
    ]
    parts += _extras(frames)
    return f"{source.path}: {', '.join(parts)}; {form.title}, {source.units or form.units}"


def remarks(
    source: Source, frames: Sequence[Any], labels: Sequence[Labels], taken: set[str]
) -> list[str]:
    """What was left out or read differently from what its name says, each once."""
    unused: dict[str, None] = {}
    for atoms, own in zip(frames, labels, strict=True):
        column = velocity_column(atoms)
        unused |= dict.fromkeys(n for n in unused_names(atoms, own) if n != column)
    lines = [*_velocity_remarks(source, frames, taken)]
    lines += [f"{_where(numbers)}: {text}" for text, numbers in _grouped(labels).items()]
    if unused:
        lines.append(f"not used: {', '.join(unused)}{_hint(frames, unused)}")
    if any(map(is_predicted, frames)):
        lines.append(_predicted(frames))
    return lines


def _structures(frames: Sequence[Any]) -> str:
    atoms = sum(map(len, frames))
    plural = "atom" if atoms == 1 else "atoms"
    return (
        f"{atoms} {plural}" if len(frames) == 1 else f"{len(frames)} structures, {atoms} {plural}"
    )


def _elements(frames: Sequence[Any]) -> str:
    counts: Counter[str] = Counter()
    for atoms in frames:
        counts.update(atoms.get_chemical_symbols())
    return ", ".join(f"{symbol} {count}" for symbol, count in counts.items())


def _cells(frames: Sequence[Any]) -> str:
    kinds = Counter(_cell_kind(atoms) for atoms in frames)
    if len(kinds) == 1:
        (kind,) = kinds
        if kind == "no cell" or len(frames) > 1:
            return kind
        lengths = " × ".join(f"{length:.4g}" for length in frames[0].cell.lengths())
        return f"{kind} ({lengths} Å)"
    return ", ".join(f"{kind} {count}" for kind, count in kinds.items())


def _cell_kind(atoms: Any) -> str:
    if not atoms.cell.array.any():
        return "no cell"
    if all(atoms.pbc):
        return "periodic cell"
    return f"cell with pbc {' '.join('FT'[int(axis)] for axis in atoms.pbc)}"


def _labels(frames: Sequence[Any], labels: Sequence[Labels]) -> str:
    counts = Counter(name for own in labels for name in own.results())
    if not counts:
        return "no labels"
    parts = []
    for name, count in counts.items():
        keys = {own.names.get(name, name) for own in labels if name in own.results()}
        key = "" if keys == {name} else f" ({', '.join(sorted(keys))})"
        share = "" if count == len(frames) else f" of {count}"
        parts.append(f"{name}{key}{share}")
    return f"labels {listed(parts)}"


def _of(what: str, there: Sequence[bool]) -> str:
    count = sum(there)
    if not count:
        return f"no {what}"
    return what if count == len(there) else f"{what} of {count}"


def _extras(frames: Sequence[Any]) -> list[str]:
    """What is only named where it is there."""
    return [
        what if all(there) else f"{what} of {sum(there)}"
        for what, there in (
            ("constraints", [bool(atoms.constraints) for atoms in frames]),
            ("charges", [_has_charges(atoms) for atoms in frames]),
        )
        if any(there)
    ]


def _has_charges(atoms: Any) -> bool:
    return bool(np.any(atoms.arrays.get("initial_charges", 0.0)))


def _grouped(labels: Sequence[Labels]) -> dict[str, list[int]]:
    """Remarks that differ in their numbers only are one, with the first one's numbers."""
    first: dict[str, str] = {}
    found: dict[str, list[int]] = {}
    for number, own in enumerate(labels):
        for text in own.remarks:
            shape = "".join(letter for letter in text if not (letter.isdigit() or letter in ".-e"))
            found.setdefault(first.setdefault(shape, text), []).append(number)
    return found


def _where(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"structure {numbers[0]}"
    shown = ", ".join(map(str, numbers[:_NAMED]))
    more = len(numbers) - _NAMED
    return f"structures {shown}{f' and {more} more' if more > 0 else ''}"


def _velocity_remarks(source: Source, frames: Sequence[Any], taken: set[str]) -> list[str]:
    unit = source.options.velocity_unit
    left = {name for atoms in frames if (name := velocity_column(atoms)) is not None}
    lines = [f"the column {name} is taken as velocities in {unit}" for name in sorted(taken)]
    lines += [
        f"the column {name} is not used, because nothing states its unit: --velocity-unit "
        "angstrom/fs (or angstrom/ps, nm/ps, m/s, atomic, ase) takes it as velocities"
        for name in sorted(left)
        if unit is None
    ]
    lines += [
        f"the column {name} is not used, because there are momenta too"
        for name in sorted(left - taken)
        if unit is not None
    ]
    return lines


def _hint(frames: Sequence[Any], unused: dict[str, None]) -> str:
    known = suggest_keys(frames)
    # which tensor is meant, its values must say
    known = {name: key for name, key in known.items() if name in ("energy", "forces")}
    if known:
        return f" (as labels: {key_options(known)}, or in [data.keys] for training)"
    options = {
        word: option
        for word, option in (
            ("energy", "--energy-key"),
            ("force", "--forces-key"),
            ("stress", "--stress-key"),
            ("virial", "--virial-key"),
        )
        for name in unused
        if word in name.lower()
    }
    if not options:
        return ""
    return f" (labels are named by {', '.join(options.values())}, or in [data.keys] for training)"


def _predicted(frames: Sequence[Any]) -> str:
    by = sorted({str(a.info[PREDICTED_BY]) for a in frames if PREDICTED_BY in a.info})
    who = f" by {', '.join(by)}" if by else ""
    return f"energy and forces are predictions{who}; labels are ref_energy, ref_forces, ref_stress"
