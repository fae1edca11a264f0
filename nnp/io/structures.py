"""Structures as ``ase.Atoms``: everything ``ase.io`` knows, and n2p2's ``input.data``.

Reference energies and forces are where ASE keeps them: in ``atoms.calc``, a
``SinglePointCalculator``; ``atoms.get_potential_energy()`` gives them.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.extxyz import write_extxyz
from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat
from ase.utils import string2index

from nnp.errors import FileFormatError, NNPError, OptionError, OutputExistsError, StructureError
from nnp.io.files import check_folder, replacing
from nnp.io.n2p2.data import Frame, read_data, write_data
from nnp.structure import as_structure
from nnp.units import UnitSystem
from nnp.values import counted

__all__ = [
    "check_target",
    "extxyz_bytes",
    "from_frame",
    "is_input_data",
    "is_input_data_name",
    "is_structure_name",
    "read_structures",
    "to_frame",
    "write_structures",
]

# Names that ASE gives to the formats in which energies and forces survive.
_WITH_LABELS = ("extxyz", "traj", "db", "json")


def read_structures(
    path: str | Path, units: UnitSystem | None = None, index: str | int = ":"
) -> list[Atoms]:
    """Read every structure of a file.

    Args:
        path: a file that ``ase.io.read`` understands (extxyz, POSCAR, CIF, …) or an ``input.data``
            (known by its first word, ``begin``).
        units: of an ``input.data``; bohr and hartree when None. Other formats carry their own.
        index: which structures, as in ``ase.io.read``: ``":"`` all, ``-1`` the last, ``"5:"`` ….

    Raises:
        FileFormatError: no such file, an unknown or broken format, no structure in it.
        OptionError: the index is out of range.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise FileFormatError(f"{path} {what}: give a file of structures")
    if is_input_data(path):
        found = [from_frame(frame) for frame in read_data(path, units)]
    else:
        found = _read_with_ase(path)
    if not found:
        raise FileFormatError(f"{path} holds no structure")
    return _select(found, index, path)


def write_structures(
    frames: Iterable[Atoms],
    path: str | Path,
    units: UnitSystem | None = None,
    force: bool = False,
) -> None:
    """Write structures; the name decides the format.

    Args:
        frames: the structures, with energies and forces where ``atoms.calc`` has them.
        path: ``*.data`` and ``input.data*`` are n2p2's, everything else is ASE's choice by suffix.
        units: of an ``input.data``; bohr and hartree when None.
        force: whether an existing file may be replaced.

    Raises:
        OutputExistsError: the file is there and ``force`` is False.
        OptionError: no format belongs to this name.
        StructureError: a structure that the format cannot hold.
    """
    check_target(path, force)
    if is_input_data_name(path):
        write_data((to_frame(atoms) for atoms in frames), path, units, force)
        return
    with replacing(path, force) as scratch:
        try:
            ase.io.write(scratch, list(frames))
        except (ValueError, TypeError, KeyError, NotImplementedError) as error:
            raise StructureError(
                f"{path}: this format cannot hold the structures: {error}"
            ) from error


def extxyz_bytes(atoms: Atoms) -> bytes:
    """One frame of an extended XYZ file, with the labels of ``atoms.calc``."""
    text = io.StringIO()
    write_extxyz(text, atoms)
    return text.getvalue().encode()


def check_target(path: str | Path, force: bool = False, labels: bool = False) -> None:
    """Refuse what `write_structures` would refuse, before anything is computed for it.

    Args:
        path: the file.
        force: whether an existing file may be replaced.
        labels: whether the format must hold energies and forces.

    Raises:
        OutputExistsError: the file is there and ``force`` is False.
        OptionError: no format belongs to this name, or one without energies and forces.
        NNPError: there is no such folder.
    """
    path = Path(path)
    if path.exists() and not force:
        raise OutputExistsError(f"{path} exists: choose another name, or overwrite with --force")
    check_folder(path)
    if not is_input_data_name(path):
        _check_format(path, labels)


def _check_format(path: Path, labels: bool) -> None:
    try:
        kind = filetype(str(path), read=False)
        writable = get_ioformat(kind).can_write
    except UnknownFileTypeError as error:
        raise OptionError(
            f"{path}: no format belongs to this name ({error}): extxyz is safe"
        ) from None
    if not writable:
        raise OptionError(f"{path}: this format can be read, not written: extxyz is safe")
    if labels and kind not in _WITH_LABELS:
        raise OptionError(
            f"{path}: this format ({kind}) holds no energies and forces: take extxyz, traj, "
            "db, json or input.data"
        )


def is_input_data_name(path: str | Path) -> bool:
    """Whether a file of this name is written as n2p2's ``input.data``."""
    name = Path(path).name
    return name.startswith("input.data") or name.endswith(".data")


def is_structure_name(path: str | Path) -> bool:
    """Whether the name says that a file holds structures: ``input.data``, or a suffix of ASE's."""
    if is_input_data_name(path):
        return True
    try:
        return bool(Path(path).suffix) and bool(get_ioformat(filetype(str(path), read=False)))
    except UnknownFileTypeError:
        return False


def is_input_data(path: str | Path) -> bool:
    """Whether the first word of a file is ``begin``."""
    try:
        with Path(path).open("rb") as file:
            return re.match(rb"\s*begin\b", file.read(256)) is not None
    except OSError:
        return False


def from_frame(frame: Frame) -> Atoms:
    """An ``ase.Atoms`` with the frame's references as calculator."""
    structure = frame.structure
    atoms = Atoms(
        numbers=structure.atomic_numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
    )
    if frame.charges is not None:
        atoms.arrays["initial_charges"] = frame.charges
    for key, value in (("comment", frame.comment), ("charge", frame.charge)):
        if value:
            atoms.info[key] = value
    for key, _, value in (item.partition("=") for item in frame.part.split()):
        atoms.info[key] = value or True
    results = {"energy": frame.energy, "forces": frame.forces}
    known = {name: value for name, value in results.items() if value is not None}
    if known:
        atoms.calc = SinglePointCalculator(atoms, **known)  # type: ignore[no-untyped-call]
    return atoms


def to_frame(atoms: Atoms) -> Frame:
    """The frame of an ``ase.Atoms``; results are taken from its calculator, nothing is computed."""
    results = {} if atoms.calc is None else atoms.calc.results
    charges = atoms.arrays.get("initial_charges", np.zeros(1))
    return Frame(
        structure=as_structure(atoms),
        energy=results.get("energy"),
        forces=results.get("forces"),
        charges=charges if charges.any() else None,
        charge=_charge(atoms),
        comment=str(atoms.info.get("comment", "")),
        part=f"set={atoms.info['set']}" if "set" in atoms.info else "",
    )


def _charge(atoms: Atoms) -> float:
    charge = atoms.info.get("charge", 0.0)
    try:
        return float(charge)
    except (TypeError, ValueError):
        raise StructureError(
            f"charge={charge!r} among what the structure says of itself (atoms.info): input.data "
            "takes a number, in e; correct it, or remove it"
        ) from None


def _read_with_ase(path: Path) -> list[Atoms]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # readers of other formats grumble about harmless things
        try:
            read: Any = ase.io.read(path, index=":")
        except UnknownFileTypeError:
            raise FileFormatError(
                f"{path}: the format is unknown: extxyz, POSCAR, CIF, input.data and everything "
                "that ase.io.read knows by name or content can be read"
            ) from None
        except Exception as error:
            raise FileFormatError(
                f"{path} cannot be read: {type(error).__name__}: {error}"
            ) from error
    found: list[Atoms] = read if isinstance(read, list) else [read]
    for number, atoms in enumerate(found):
        _check(atoms, path, number)
    return found


def _check(atoms: Atoms, path: Path, number: int) -> None:
    """Numbers in the file must be finite, the cell sound."""
    try:
        as_structure(atoms)
    except NNPError as error:
        raise FileFormatError(f"{path}, structure {number}: {error}") from None
    results = {} if atoms.calc is None else atoms.calc.results
    for name in ("energy", "forces", "stress"):
        if name in results and not np.isfinite(results[name]).all():
            raise FileFormatError(f"{path}, structure {number}: its {name} is not finite")


def _select(found: list[Atoms], index: str | int, path: Path) -> list[Atoms]:
    try:
        wanted = string2index(index) if isinstance(index, str) else index
        return found[wanted] if isinstance(wanted, slice) else [found[int(wanted)]]
    except (IndexError, ValueError):
        raise OptionError(
            f"index={index!r} of {path}: it has {counted(len(found), 'structure')}, "
            f"0 to {len(found) - 1}"
        ) from None
