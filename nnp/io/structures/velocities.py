"""Columns that are called velocities, whose unit no file says."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import units

from nnp.units import VELOCITY_NAMES

# Bohr radius times hartree over ħ, CODATA 2022.
ATOMIC_VELOCITY_M_PER_S = 2.18769126216e6

# Å/fs and others in ASE's unit of velocity, Å √(eV/(Å² u)).
_VALUES = (
    units.Ang / units.fs,
    units.Ang / (1e3 * units.fs),
    units.nm / (1e3 * units.fs),
    units.m / units.second,
    ATOMIC_VELOCITY_M_PER_S * units.m / units.second,
    1.0,
)
VELOCITY_UNITS = dict(zip(VELOCITY_NAMES, _VALUES, strict=True))

_NAMES = ("velocities", "velocity", "velo", "vel", "velos", "v")


def velocity_column(atoms: Any) -> str | None:
    """Name of the column of velocities that the file itself calls so, in any case."""
    for name, column in atoms.arrays.items():
        if name.lower() in _NAMES and np.shape(column) == (len(atoms), 3):
            return str(name)
    return None


def take_velocities(atoms: Any, unit: str | None) -> str | None:
    """Give the atoms the momenta of such a column, if its unit is given and there are no others.

    Returns:
        The column's name, taken or not; None when there is no such column.
    """
    name = velocity_column(atoms)
    if name is not None and unit is not None and not atoms.has("momenta"):
        velocities = np.asarray(atoms.arrays.pop(name), np.float64)
        atoms.set_momenta(
            velocities * VELOCITY_UNITS[unit] * atoms.get_masses()[:, None],
            apply_constraint=False,
        )
    return name
