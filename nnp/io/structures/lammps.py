"""What LAMMPS's dumps and data files share: types are not atomic numbers, units are styles."""

from __future__ import annotations

from nnp.errors import FileFormatError
from nnp.io.structures.names import element_of_mass
from nnp.io.structures.source import Source
from nnp.units import LAMMPS_UNITS

SAY_TYPES = "say them in the order of the types: --types Si,O (or 1=Si,2=O)"


def units_of(source: Source, said: str | None) -> str | None:
    """The style of units: of the file, else of the options; None when nothing says it."""
    if said == "lj" or (said and said not in LAMMPS_UNITS):
        raise FileFormatError(
            f"{source.path}: its units are {said}, which have no lengths: scale it first"
        )
    style = said or source.options.lammps_units
    if style == source.options.lammps_units:
        source.options.used.update(("units", "lammps_units"))
    lengths = "Å" if style in (None, "metal", "real") else f"lengths of {style}"
    source.units = f"units {style}" if style else f"{lengths} (units metal or real)"
    return style


def of_mass(mass: float) -> str | None:
    """Helium's mass is that of a repartitioned hydrogen: it has to be said."""
    symbol = element_of_mass(mass)
    return None if symbol == "He" else symbol
