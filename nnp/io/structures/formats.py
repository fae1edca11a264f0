"""The table of formats: what each one means, and how a file is told to be of it."""

from __future__ import annotations

import lzma
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat

from nnp.errors import FileFormatError
from nnp.io.aenet.train_set import looks_like_train_set
from nnp.io.structures import cp2k
from nnp.io.structures.source import name_without_packing, opened

__all__ = ["FORMATS", "Format", "format_named", "is_input_data", "is_input_data_name", "recognise"]

# Bytes of a file that are looked at.
_HEAD = 65536
_PICKLES = (".pickle", ".pkl", ".pt", ".pth")


@dataclass(frozen=True)
class Format:
    """What a format means.

    Attributes:
        name: ours, and ASE's where ASE reads it.
        title: for people.
        units: of what it holds.
        elements: where they are from.
        labels: which labels it may hold.
        velocities: whether and in what unit.
        cell: which cells it may hold.
    """

    name: str
    title: str
    units: str = "Å, eV"
    elements: str = "symbols"
    labels: str = "energy, forces, stress"
    velocities: str = "momenta (ASE's unit)"
    cell: str = "any"


FORMATS = {
    form.name: form
    for form in (
        Format("extxyz", "extended XYZ", "Å, eV, eV/Å"),
        Format(
            "input.data",
            "n2p2 input.data",
            "as said by --units",
            labels="energy and forces",
            velocities="none",
            cell="periodic or none",
        ),
        Format(
            "xsf",
            "XSF",
            "Å, eV, eV/Å",
            elements="symbols or atomic numbers",
            labels="energy (comments, ænet's), forces",
            velocities="none",
            cell="none, or periodic along 1, 2 or 3 axes",
        ),
        Format(
            "cp2k",
            "CP2K trajectory",
            "Å, hartree, hartree/bohr",
            labels="energy; forces of the -frc- file beside it",
            velocities="none",
            cell="of the .cell or .restart beside it",
        ),
        Format(
            "cp2k-part",
            "part of a CP2K trajectory",
            "hartree/bohr, bohr/atomic unit of time",
            labels="those of the -pos- file beside it",
            velocities="none",
            cell="none",
        ),
        Format(
            "aenet-train",
            "ænet's training set",
            "Å, eV, eV/Å",
            labels="energy, forces, of the XSF files it names",
            velocities="none",
            cell="none, or periodic along 1, 2 or 3 axes",
        ),
        Format(
            "lammps-dump",
            "LAMMPS dump",
            "Å",
            elements="column element or mass, else --types",
            labels="none; forces where the units are said",
            velocities="where the units are said",
        ),
        Format(
            "lammps-data",
            "LAMMPS data",
            "Å",
            elements="type labels or masses, else --types",
            labels="none",
            velocities="where the units are said",
            cell="periodic",
        ),
        Format(
            "proteindatabank",
            "PDB",
            "Å",
            elements="element column, else names",
            labels="none",
            velocities="none",
            cell="periodic or none (1 × 1 × 1 is none)",
        ),
        Format(
            "gromacs",
            "GRO",
            "nm, nm/ps in the file",
            elements="names",
            labels="none",
            velocities="nm/ps",
            cell="periodic or none",
        ),
        Format("traj", "ASE trajectory"),
        Format("json", "ASE JSON"),
        Format("db", "ASE database"),
        Format(
            "vasp",
            "POSCAR",
            "Å",
            labels="none",
            velocities="Å/fs",
            cell="periodic",
        ),
        Format(
            "cif",
            "CIF",
            "Å",
            labels="none",
            velocities="none",
            cell="periodic; mmCIF or none",
        ),
    )
}


def format_named(name: str) -> Format:
    """The table's row, or what ASE says of a format that is read as ASE reads it."""
    return FORMATS.get(name) or Format(name, get_ioformat(name).description, "Å, eV as ASE has it")


def recognise(path: Path) -> str:
    """Name of a file's format, by content first.

    Raises:
        FileFormatError: it is none that we know.
    """
    if path.suffix.lower() in _PICKLES:
        raise FileFormatError(
            f"{path} is a pickle, as SIMPLE-NN and PyTorch write them: reading one runs whatever "
            "it holds, so none is read. Give the calculations it was made of: OUTCAR files, or "
            "SIMPLE-NN's structure_list, which names them"
        )
    head = _head(path)
    if is_input_data(path):
        return "input.data"
    for name, looks in _BY_CONTENT:
        if looks(name_without_packing(path), head):
            return name
    try:
        name = filetype(str(path))
        get_ioformat(name)  # ASE takes any suffix for a format
    except UnknownFileTypeError:
        if _looks_like_xyz(head):
            return "extxyz"
        raise FileFormatError(
            f"{path}: the format is unknown: extxyz, POSCAR, CIF, XSF, input.data, LAMMPS's dumps "
            "and data, and everything that ase.io.read knows by name or content can be read"
        ) from None
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception as error:  # a reader of ASE's that looks into a broken file
        raise FileFormatError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    if name == "json" and not _is_ase_json(head):
        raise FileFormatError(
            f"{path} is JSON, but no database of ASE's: JSON is read as ase.io.write "
            "writes structures"
        )
    return {"xyz": "extxyz", "lammps-dump-text": "lammps-dump"}.get(name, name)


def is_input_data(path: str | Path) -> bool:
    """Whether the first word of a file is ``begin``, comments aside."""
    return re.match(rb"(?:\xef\xbb\xbf)?(?:\s|[#!][^\n]*\n)*begin\b", _head(Path(path))) is not None


def is_input_data_name(path: str | Path) -> bool:
    """Whether a file of this name is written as n2p2's ``input.data``."""
    name = Path(path).name
    return name.startswith("input.data") or name.endswith(".data")


def _head(path: Path) -> bytes:
    try:
        with opened(path) as file:
            return bytes(file.read(_HEAD))
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return b""


def _is_xyz(path: Path, _: bytes) -> bool:
    return path.suffix.lower() in (".xyz", ".extxyz", ".exyz")


def _is_xsf(path: Path, head: bytes) -> bool:
    if path.suffix.lower() in (".xsf", ".axsf"):
        return True
    lines = (line.strip() for line in head.splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    keyword = re.match(rb"(CRYSTAL|SLAB|POLYMER|MOLECULE|PRIMVEC|ANIMSTEPS\s+\d+)$", first)
    return (
        keyword is not None and re.search(rb"^\s*(PRIMCOORD|ATOMS)", head, re.MULTILINE) is not None
    )


def _is_lammps_dump(_: Path, head: bytes) -> bool:
    return re.match(rb"\s*ITEM: (TIMESTEP|UNITS|TIME)\b", head) is not None


def _is_lammps_data(_: Path, head: bytes) -> bool:
    found = re.findall(rb"^[ \t]*\d+[ \t]+(atoms|atom[ \t]+types)\b", head, re.MULTILINE)
    return len(set(found)) == 2


def _is_ase_json(head: bytes) -> bool:
    return re.match(rb'\s*\{\s*"(\d+|ids|nextid|metadata)"', head) is not None


def _looks_like_xyz(head: bytes) -> bool:
    lines = head.splitlines()
    return len(lines) > 2 and re.fullmatch(rb"\s*\d+\s*", lines[0]) is not None


def _is_mmcif(path: Path, head: bytes) -> bool:
    named = path.suffix.lower() in (".mmcif", ".pdbx")
    return named or re.search(rb"^_atom_site\.", head, re.MULTILINE) is not None


_BY_CONTENT = (
    ("aenet-train", looks_like_train_set),
    ("cp2k-part", cp2k.is_part),
    ("cp2k", cp2k.is_trajectory),
    ("extxyz", _is_xyz),
    ("xsf", _is_xsf),
    ("lammps-dump", _is_lammps_dump),
    ("lammps-data", _is_lammps_data),
    ("cif", _is_mmcif),
)
