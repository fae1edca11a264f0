"""Physical constants and the only unit conversions of the package.

Inside the package lengths are Å and energies eV. Constants: CODATA 2022
(https://physics.nist.gov/cuu/Constants); those of the SI definition are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

from nnp.errors import OptionError

ELEMENTARY_CHARGE_C = 1.602176634e-19  # exact
AVOGADRO_PER_MOL = 6.02214076e23  # exact
BOLTZMANN_J_PER_K = 1.380649e-23  # exact

BOHR = 0.529177210544  # Å
HARTREE = 27.211386245981  # eV
KJ_PER_MOL = 1000.0 / (ELEMENTARY_CHARGE_C * AVOGADRO_PER_MOL)  # eV
KCAL_PER_MOL = 4.184 * KJ_PER_MOL  # eV
BOLTZMANN = BOLTZMANN_J_PER_K / ELEMENTARY_CHARGE_C  # eV / K
NANOMETRE = 10.0  # Å
KJ_PER_MOL_PER_NANOMETRE = KJ_PER_MOL / NANOMETRE  # eV / Å
FS_PER_PS = 1000.0
# eV per u (Å/fs)²: 1 kJ/mol = 1 u (nm/ps)²
EV_PER_U_A2_FS2 = KJ_PER_MOL * (FS_PER_PS / NANOMETRE) ** 2
U_PER_A3_IN_G_CM3 = 1e24 / AVOGADRO_PER_MOL  # density: g/cm³ per u/Å³
BAR = 1e5 * 1e-30 / ELEMENTARY_CHARGE_C  # eV / Å³
GPA = 1e4 * BAR  # eV / Å³

LENGTH_UNITS = {"angstrom": 1.0, "bohr": BOHR, "nm": NANOMETRE}
ENERGY_UNITS = {
    "eV": 1.0,
    "hartree": HARTREE,
    "rydberg": HARTREE / 2,
    "kcal/mol": KCAL_PER_MOL,
    "kJ/mol": KJ_PER_MOL,
}
# Names that options of commands list; what they mean stands with the files that need them.
LAMMPS_UNITS = ("metal", "real", "electron", "si", "cgs", "micro", "nano")
VELOCITY_NAMES = ("angstrom/fs", "angstrom/ps", "nm/ps", "m/s", "atomic", "ase")


@dataclass(frozen=True)
class UnitSystem:
    """The units a file is written in.

    Attributes:
        length: a key of ``LENGTH_UNITS``.
        energy: a key of ``ENERGY_UNITS``.

    >>> UnitSystem("bohr", "hartree").length_in_angstrom == BOHR
    True
    """

    length: str
    energy: str

    def __post_init__(self) -> None:
        for name, value, known in (
            ("length", self.length, LENGTH_UNITS),
            ("energy", self.energy, ENERGY_UNITS),
        ):
            if value not in known:
                raise OptionError(f"unknown {name} unit {value!r}: allowed are {', '.join(known)}")

    @property
    def length_in_angstrom(self) -> float:
        """Value of the unit of length, Å."""
        return LENGTH_UNITS[self.length]

    @property
    def energy_in_ev(self) -> float:
        """Value of the unit of energy, eV."""
        return ENERGY_UNITS[self.energy]

    def __str__(self) -> str:
        return f"{self.length}, {self.energy}"


ATOMIC = UnitSystem("bohr", "hartree")
METAL = UnitSystem("angstrom", "eV")


def unit_system(units: str | tuple[str, str] | UnitSystem | None) -> UnitSystem | None:
    """Read the ``units=`` argument of the readers.

    Args:
        units: ``"atomic"`` (bohr, hartree), ``"metal"`` (Å, eV; also for reduced units, which
            then pass through unchanged), ``"LENGTH,ENERGY"``, a pair of names, a `UnitSystem`, or
            None (not said).

    Raises:
        OptionError: a name is unknown.

    >>> unit_system("bohr,eV")
    UnitSystem(length='bohr', energy='eV')
    """
    if units is None or isinstance(units, UnitSystem):
        return units
    named = {"atomic": ATOMIC, "metal": METAL}
    if isinstance(units, str) and units in named:
        return named[units]
    parts = [part.strip() for part in units.split(",")] if isinstance(units, str) else units
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise OptionError(
            f"units={units!r} is not understood: give 'atomic' (bohr, hartree), 'metal' (angstrom, "
            "eV) or 'LENGTH,ENERGY' such as 'angstrom,eV'"
        )
    return UnitSystem(*parts)
