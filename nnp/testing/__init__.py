"""Checks that any engine and any potential must pass, for our tests and for yours.

`check_engine` runs the whole contract of an engine; `assert_engines_agree` compares with the
reference engine, `assert_forces_match_energy` with finite differences of the energy. `structures`
holds cases that have caused trouble; `random_potential` has functions of every family.
`tolerances` gives each tolerance with its reason.
"""

from nnp.testing.agreement import assert_engines_agree
from nnp.testing.contract import check_engine
from nnp.testing.derivatives import assert_forces_match_energy, slope
from nnp.testing.potentials import FAMILIES, random_functions, random_potential
from nnp.testing.structures import random_structure, structures
from nnp.testing.tolerances import (
    DIFFERENCE_RTOL,
    DIFFERENCE_STEP,
    ENERGY_PER_ATOM_FLOAT32,
    ENERGY_RTOL_FLOAT64,
    FORCE_RTOL_FLOAT32,
    FORCE_RTOL_FLOAT64,
)

__all__ = [
    "DIFFERENCE_RTOL",
    "DIFFERENCE_STEP",
    "ENERGY_PER_ATOM_FLOAT32",
    "ENERGY_RTOL_FLOAT64",
    "FAMILIES",
    "FORCE_RTOL_FLOAT32",
    "FORCE_RTOL_FLOAT64",
    "assert_engines_agree",
    "assert_forces_match_energy",
    "check_engine",
    "random_functions",
    "random_potential",
    "random_structure",
    "slope",
    "structures",
]
