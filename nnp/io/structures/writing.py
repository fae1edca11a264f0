"""Writing structures: the one way out, which says or refuses what a format cannot hold."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms
from ase.io.extxyz import write_extxyz
from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat

from nnp.errors import NNPError, OptionError, OutputExistsError, StructureError
from nnp.io.files import check_folder, replacing
from nnp.io.n2p2.data import write_data
from nnp.io.scratch import remove_left
from nnp.io.structures import ase_db, xsf
from nnp.io.structures.formats import is_input_data_name
from nnp.io.structures.frames import to_frame
from nnp.io.structures.labels import REFERENCE, is_predicted, labels_of
from nnp.io.structures.reading import read
from nnp.io.structures.round_trip import lost
from nnp.io.structures.source import ReadOptions, name_without_packing
from nnp.units import ATOMIC, UnitSystem

# Written by us, not by ASE, which would pack them.
_NEVER_PACKED = ("xsf", "db", "json", "traj")
# Names that ASE gives to the formats in which energies and forces survive.
_WITH_LABELS = ("extxyz", "traj", "db", "json", "xsf")


def write_structures(
    frames: Iterable[Atoms],
    path: str | Path,
    units: UnitSystem | None = None,
    force: bool = False,
    predictions: bool = False,
) -> list[str]:
    """Write structures; the name decides the format.

    What was written is read back: a format that would give other atoms is refused, what else it
    cannot hold is returned.

    Args:
        frames: the structures, with energies and forces where ``atoms.calc`` has them.
        path: ``*.data`` and ``input.data*`` are n2p2's, everything else is ASE's choice by suffix.
        units: of an ``input.data``; bohr and hartree when None.
        force: whether an existing file may be replaced.
        predictions: of labels and predictions, which a format with room for one of them gets.

    Returns:
        One line where something is lost, such as ``POSCAR does not hold energy, forces``.

    Raises:
        OutputExistsError: the file is there and ``force`` is False.
        OptionError: no format belongs to this name.
        StructureError: a structure that the format cannot hold.
    """
    check_target(path, force)
    held = list(frames)
    if is_input_data_name(path):
        write_data((to_frame(a, predictions) for a in held), path, units, force)
        expected = held if predictions else [_with_labels(atoms) for atoms in held]
        return _report(path, _lost(expected, Path(path), Path(path), units or ATOMIC), held)
    kind = _kind(Path(path))
    with replacing(path, force) as scratch:
        if kind == "xsf":
            expected = held if predictions else [_with_labels(atoms) for atoms in held]
            _write_xsf(expected, scratch, Path(path))
        else:
            expected = held
            _write_with_ase(held, scratch, Path(path), kind)
        gone = _lost(expected, scratch, Path(path), units)
    return _report(path, gone, held)


def _write_with_ase(frames: Sequence[Atoms], scratch: Path, path: Path, kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is lost is found by reading it back
        try:
            if kind in ase_db.READERS:
                ase_db.write(frames, scratch, kind)
            else:
                options = {"masses": True} if kind == "lammps-data" else {}
                ase.io.write(str(scratch), [_for(kind, a) for a in frames], format=kind, **options)
        except OSError:
            raise
        except Exception as error:
            text = f"{type(error).__name__}: {error}".rstrip(": ")
            raise StructureError(
                f"{path}: this format cannot hold the structures: {text}"
            ) from error


def _for(kind: str, atoms: Atoms) -> Atoms:
    """A trajectory keeps ``info`` and no columns of other names: labels' forces go there."""
    name = f"{REFERENCE}forces"
    if kind != "traj" or name not in atoms.arrays:
        return atoms
    copy: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    copy.calc = atoms.calc
    copy.info[name] = copy.arrays.pop(name)
    return copy


def _write_xsf(frames: Sequence[Atoms], scratch: Path, path: Path) -> None:
    for number, atoms in enumerate(frames):
        axes = [bool(axis) for axis in atoms.pbc]
        if axes != sorted(axes, reverse=True) or axes != [bool(a) for a in frames[0].pbc]:
            raise StructureError(
                f"{path}, structure {number}: XSF is periodic along its first axes, all structures "
                "alike: write extxyz"
            )
    scratch.write_text("".join(f"{line}\n" for line in xsf.write(frames)), encoding="utf-8")


def _with_labels(atoms: Atoms) -> Atoms:
    """Labels where a format has room for one energy only."""
    if not is_predicted(atoms):
        return atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    labels = labels_of(atoms).results()
    if not labels:
        return atoms
    copy: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    for name in ase_db.marks(copy):
        copy.info.pop(name, None)
        copy.arrays.pop(name, None)
    copy.calc = SinglePointCalculator(copy, **labels)  # type: ignore[no-untyped-call]
    return copy


def _lost(
    frames: Sequence[Atoms], scratch: Path, path: Path, units: UnitSystem | None
) -> list[str] | None:
    """What reading back does not give; None where the format cannot be read."""
    try:
        symbols = {symbol for atoms in frames for symbol in atoms.symbols}
        types = ",".join(sorted(symbols))  # which names in PDB and GRO are of
        options = ReadOptions(units=units, any_geometry=True, types=types)
        back = read(scratch, options).frames
    except NNPError as error:
        if is_input_data_name(path) or get_ioformat(_kind(path)).can_read:
            text = str(error).replace(str(scratch), str(path))
            raise StructureError(
                f"this format cannot hold the structures: read back, {text}; write extxyz, which "
                "holds everything"
            ) from None
        return None
    return lost(frames, back, path)


def _report(path: str | Path, gone: list[str] | None, frames: Sequence[Atoms]) -> list[str]:
    if gone is None:
        return [f"{path} cannot be read back, so nothing states what it holds"]
    both = any(is_predicted(atoms) and labels_of(atoms).results() for atoms in frames)
    if both and is_input_data_name(path):
        gone = [*gone, "labels and predictions beside each other"]
    return [f"{path} does not hold {', '.join(gone)}"] if gone else []


def extxyz_bytes(atoms: Atoms) -> bytes:
    """One frame of an extended XYZ file, with the labels of ``atoms.calc``."""
    text = io.StringIO()
    write_extxyz(text, atoms)
    return text.getvalue().encode()


def check_target(
    path: str | Path, force: bool = False, labels: bool = False, kept: bool = False
) -> None:
    """Refuse what `write_structures` would refuse, before anything is computed for it.

    Args:
        path: the file.
        force: whether an existing file may be replaced.
        labels: whether the format must hold energies and forces.
        kept: whether it must hold structures that can be read again, and be no picture.

    Raises:
        OutputExistsError: the file is there and ``force`` is False.
        OptionError: no format belongs to this name, or one without energies and forces.
        NNPError: there is no such folder.
    """
    path = Path(path)
    remove_left(path)
    if path.exists() and not force:
        raise OutputExistsError(f"{path} exists: choose another name, or overwrite with --force")
    check_folder(path)
    bare = name_without_packing(path)
    if bare != path and (is_input_data_name(bare) or _kind(path) in _NEVER_PACKED):
        raise OptionError(f"{path}: this format is not written packed: {bare.name}, or *.extxyz.gz")
    if not is_input_data_name(path):
        kind = _kind(path)
        if kept and kind != "xsf" and not get_ioformat(kind).can_read:
            raise OptionError(f"{path}: this format ({kind}) cannot be read again: extxyz is safe")
        if labels and kind not in _WITH_LABELS:
            raise OptionError(
                f"{path}: this format ({kind}) holds no energies and forces: take extxyz, traj, "
                "db, json, xsf or input.data"
            )


def _kind(path: Path) -> str:
    """ASE's name of the format that belongs to a file's name."""
    try:
        kind = filetype(str(path), read=False)
        writable = kind == "xsf" or get_ioformat(kind).can_write
    except UnknownFileTypeError as error:
        raise OptionError(
            f"{path}: no format belongs to this name ({error}): extxyz is safe"
        ) from None
    if not writable:
        raise OptionError(f"{path}: this format can be read, not written: extxyz is safe")
    return "extxyz" if kind == "xyz" else kind


def is_structure_name(path: str | Path) -> bool:
    """Whether the name says that a file holds structures: ``input.data``, or a suffix of ASE's."""
    if is_input_data_name(path):
        return True
    try:
        found: Any = get_ioformat(filetype(str(path), read=False))
        return bool(name_without_packing(Path(path)).suffix) and bool(found)
    except UnknownFileTypeError:
        return False
