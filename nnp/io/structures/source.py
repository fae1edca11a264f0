"""What every reader of a format is given, and what it may say of the file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnp.errors import FileFormatError, OptionError
from nnp.io.structures.labels import LabelKeys
from nnp.io.structures.names import ElementNames
from nnp.io.structures.velocities import VELOCITY_UNITS
from nnp.units import LAMMPS_UNITS, UnitSystem

# Why an option can be without use, by its name.
_WITHOUT_USE = {
    "units": "is not an input.data and carries its own units",
    "types": "names its elements itself, and none of these types or names occurs in it",
    "lammps_units": "is no file of LAMMPS, or states its units itself",
    "velocity_unit": "has no column of velocities without a unit",
}
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BEGINNINGS = {".gz": b"\x1f\x8b", ".bz2": b"BZ", ".xz": b"\xfd7"}


@dataclass(frozen=True)
class ReadOptions:
    """What is known about a file besides its contents.

    Attributes:
        units: of files that do not say them (input.data: bohr and hartree when None; lengths of
            an XYZ file with a cell of i-PI's without its unit).
        types: elements of types or names, see `ElementNames.parse`.
        lammps_units: style of LAMMPS's files that do not say it; of velocities and forces.
        velocity_unit: of columns called velocities, velo or vel; not taken when None.
        keys: where labels are.
        any_geometry: whether to take distances and densities that no matter has.
        meant: names of those that were said for these very files, see `require_use`.
        used: names of those that some file made use of; copies of the options share it.
    """

    units: UnitSystem | None = None
    types: str | None = None
    lammps_units: str | None = None
    velocity_unit: str | None = None
    keys: LabelKeys = field(default_factory=LabelKeys)
    any_geometry: bool = False
    meant: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set, compare=False, repr=False)

    def __post_init__(self) -> None:
        ElementNames.parse(self.types)
        for name, allowed in (
            ("lammps_units", LAMMPS_UNITS),
            ("velocity_unit", tuple(VELOCITY_UNITS)),
        ):
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise OptionError(f"{name}={value!r}: allowed are {', '.join(allowed)}")

    @property
    def names(self) -> ElementNames:
        """``types``, read."""
        return ElementNames.parse(self.types, self.used)

    def require_use(self, files: str) -> None:
        """Refuse what was said of files and made no difference to any of them.

        Args:
            files: their names, and what they are, for the message.

        Raises:
            OptionError: one of ``meant`` was not used.
        """
        for name, why in _WITHOUT_USE.items():
            if name in self.meant and name not in self.used:
                value = "" if name == "units" else f" {getattr(self, name)}"
                option = name.replace("_", "-")
                raise OptionError(f"--{option}{value}: {files} {why}; leave it out")


@dataclass(eq=False)
class Source:
    """A file that is being read.

    Attributes:
        path: the file.
        options: what the file itself does not state.
        notes: what its reader has to say, once each.
        units: units of what it holds, for the line; a reader may know better than the table.
        content: text to read instead of the whole file's: one structure of a long trajectory.
    """

    path: Path
    options: ReadOptions
    notes: list[str] = field(default_factory=list)
    units: str | None = None
    content: str | None = None

    def note(self, text: str) -> None:
        """Say something of the file, once."""
        if text not in self.notes:
            self.notes.append(text)

    def text(self) -> str:
        """The whole file, unpacked; or the part of it that was given.

        Raises:
            FileFormatError: it cannot be read.
        """
        if self.content is not None:
            return self.content
        try:
            with opened(self.path) as file:
                return str(file.read().decode("utf-8-sig", errors="replace"))
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise FileFormatError(f"cannot read {self.path}: {error}") from None


def opened(path: Path) -> Any:
    """The file's bytes, unpacked where its name says that it is packed."""
    ending = path.suffix.lower()
    if ending not in _OPENERS:
        return path.open("rb")
    with path.open("rb") as file:
        start = file.read(2)
    if start != _BEGINNINGS[ending]:
        raise FileFormatError(
            f"{path}: its name says that it is packed, and it is not: take {ending} out of the name"
        )
    return _OPENERS[ending](path)


def name_without_packing(path: Path) -> Path:
    """``a.xyz`` of ``a.xyz.gz``."""
    return path.with_suffix("") if path.suffix.lower() in _OPENERS else path
