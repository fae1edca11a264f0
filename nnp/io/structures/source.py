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

# Styles of LAMMPS whose numbers have a unit.
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@dataclass(frozen=True)
class ReadOptions:
    """What is said of a file in addition to what stands in it.

    Attributes:
        units: of files that do not say them (input.data: bohr and hartree when None; lengths of
            an XYZ file with a cell of i-PI's without its unit).
        types: elements of types or names, see `ElementNames.parse`.
        lammps_units: style of LAMMPS's files that do not say it; of velocities and forces.
        velocity_unit: of columns called velocities, velo or vel; not taken when None.
        keys: where labels are.
        any_geometry: whether to take distances and densities that no matter has.
    """

    units: UnitSystem | None = None
    types: str | None = None
    lammps_units: str | None = None
    velocity_unit: str | None = None
    keys: LabelKeys = field(default_factory=LabelKeys)
    any_geometry: bool = False

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
        return ElementNames.parse(self.types)


@dataclass(eq=False)
class Source:
    """A file that is being read.

    Attributes:
        path: the file.
        options: what is said of it.
        notes: what its reader has to say, once each.
        units: units of what it holds, for the line; a reader may know better than the table.
        units_taken: whether the units of the options were looked at.
        content: text to read in place of the whole file's: one structure of a long trajectory.
    """

    path: Path
    options: ReadOptions
    notes: list[str] = field(default_factory=list)
    units: str | None = None
    units_taken: bool = False
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
    opener = _OPENERS.get(path.suffix.lower())
    return opener(path) if opener else path.open("rb")


def name_without_packing(path: Path) -> Path:
    """``a.xyz`` of ``a.xyz.gz``."""
    return path.with_suffix("") if path.suffix.lower() in _OPENERS else path
