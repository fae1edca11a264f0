"""Constants and the units= argument."""

from __future__ import annotations

import math

import ase.units
import pytest
import scipy.constants as si

from nnp import units
from nnp.errors import OptionError
from nnp.units import ATOMIC, ENERGY_UNITS, LENGTH_UNITS, METAL, UnitSystem, unit_system

# SciPy carries CODATA 2022 as we do: equal, but for products of rounded constants (rydberg, 4e-14).
SAME = 1e-13
# ASE stays with CODATA 2014, whose last digits moved with the SI of 2019: eV and k_B by 2e-8 and
# 6e-7 relative, more than any length did.
ASE_RTOL = 1e-6


@pytest.mark.parametrize(
    ("ours", "codata"),
    [
        (units.ELEMENTARY_CHARGE_C, si.e),
        (units.AVOGADRO_PER_MOL, si.N_A),
        (units.BOLTZMANN_J_PER_K, si.k),
        (units.BOHR, si.value("Bohr radius") * 1e10),
        (units.HARTREE, si.value("Hartree energy in eV")),
        (ENERGY_UNITS["rydberg"], si.value("Rydberg constant times hc in eV")),
        (units.BOLTZMANN, si.value("Boltzmann constant in eV/K")),
        (units.KJ_PER_MOL, 1e3 / (si.e * si.N_A)),
        (units.KCAL_PER_MOL, si.calorie * 1e3 / (si.e * si.N_A)),
        (units.BAR, si.bar * si.angstrom**3 / si.e),
        (LENGTH_UNITS["nm"], si.nano / si.angstrom),
    ],
)
def test_constants_are_codata_2022(ours, codata):
    assert math.isclose(ours, codata, rel_tol=SAME)


@pytest.mark.parametrize(
    ("ours", "of_ase"),
    [
        (units.BOHR, ase.units.Bohr),
        (units.HARTREE, ase.units.Hartree),
        (ENERGY_UNITS["rydberg"], ase.units.Rydberg),
        (units.KJ_PER_MOL, ase.units.kJ / ase.units.mol),
        (units.KCAL_PER_MOL, ase.units.kcal / ase.units.mol),
        (units.BOLTZMANN, ase.units.kB),
        (units.NANOMETRE, ase.units.nm),
        (units.BAR, ase.units.bar),
    ],
)
def test_constants_against_ase(ours, of_ase):
    assert math.isclose(ours, of_ase, rel_tol=ASE_RTOL)


@pytest.mark.parametrize(
    ("argument", "wanted"),
    [
        (None, None),
        ("atomic", ATOMIC),
        ("metal", METAL),
        ("bohr,eV", UnitSystem("bohr", "eV")),
        (" nm , kJ/mol ", UnitSystem("nm", "kJ/mol")),
        (("angstrom", "kcal/mol"), UnitSystem("angstrom", "kcal/mol")),
        (["bohr", "rydberg"], UnitSystem("bohr", "rydberg")),
        (METAL, METAL),
    ],
)
def test_units_argument(argument, wanted):
    assert unit_system(argument) == wanted


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("Bohr,hartree", r"unknown length unit 'Bohr': allowed are angstrom, bohr, nm$"),
        ("bohr,Hartree", r"unknown energy unit 'Hartree': allowed are eV, hartree, rydberg, kcal/"),
        ("eV,bohr", r"unknown length unit 'eV'"),
        ("bohr,", r"unknown energy unit ''"),
        ("bohr", r"units='bohr' is not understood: give 'atomic' \(bohr, hartree\), 'metal' \("),
        ("", r"units='' is not understood"),
        ("a,b,c", r"units='a,b,c' is not understood"),
        (("bohr",), r"units=\('bohr',\) is not understood"),
        (7, r"units=7 is not understood"),
        ({"length": "bohr", "energy": "eV"}, r"units=\{.*\} is not understood"),
    ],
)
def test_units_that_are_not(argument, message):
    with pytest.raises(OptionError, match=message):
        unit_system(argument)


@pytest.mark.parametrize("length", LENGTH_UNITS)
@pytest.mark.parametrize("energy", ENERGY_UNITS)
def test_every_pair(length, energy):
    system = unit_system(f"{length},{energy}")
    assert system.length_in_angstrom == LENGTH_UNITS[length]
    assert system.energy_in_ev == ENERGY_UNITS[energy]
    assert str(system) == f"{length}, {energy}"
