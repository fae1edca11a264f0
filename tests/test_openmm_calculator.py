"""ASE calculators as OpenMM forces."""

from __future__ import annotations

import ase.build
import numpy as np
import openmm
import pytest
from ase.calculators.calculator import Calculator
from ase.calculators.lj import LennardJones
from openmm import unit

import nnp.openmm
from nnp.errors import StructureError
from nnp.teachers.ase import StillingerWeber
from nnp.units import KJ_PER_MOL, NANOMETRE


def system_of(atoms, make_calculator):
    system = nnp.openmm.create_empty_system(atoms)
    system.addForce(nnp.openmm.create_calculator_force(atoms, make_calculator))
    return system


def context(atoms, make_calculator):
    system = system_of(atoms, make_calculator)
    platform = openmm.Platform.getPlatformByName("Reference")
    made = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    made.setPositions(atoms.positions / NANOMETRE)
    return made


def silicon():
    atoms = ase.build.bulk("Si", cubic=True) * (2, 2, 2)
    atoms.rattle(0.1, seed=1)
    return atoms


def cluster():
    atoms = ase.build.molecule("C60")
    return ase.Atoms("Ar60", 3 * atoms.positions)


@pytest.mark.parametrize(
    ("atoms", "calculator"), [(silicon(), StillingerWeber), (cluster(), LennardJones)]
)
def test_same_energy_and_forces_as_in_ase(atoms, calculator):
    atoms.calc = calculator()
    state = context(atoms, calculator).getState(energy=True, forces=True)
    energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole) * KJ_PER_MOL
    forces = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.nanometer)
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-12)
    np.testing.assert_allclose(
        forces * KJ_PER_MOL / NANOMETRE, atoms.get_forces(), rtol=1e-9, atol=1e-12
    )


def test_follows_the_box():
    atoms = silicon()
    made = context(atoms, StillingerWeber)
    atoms.set_cell(1.02 * atoms.cell, scale_atoms=True)
    made.setPeriodicBoxVectors(*(atoms.cell.array / NANOMETRE))
    made.setPositions(atoms.positions / NANOMETRE)
    atoms.calc = StillingerWeber()
    energy = made.getState(energy=True).getPotentialEnergy()._value * KJ_PER_MOL
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-12)


def test_survives_serialisation():
    atoms = silicon()
    text = openmm.XmlSerializer.serialize(system_of(atoms, StillingerWeber))
    again = openmm.Context(
        openmm.XmlSerializer.deserialize(text),
        openmm.VerletIntegrator(0.001),
        openmm.Platform.getPlatformByName("Reference"),
    )
    again.setPositions(atoms.positions / NANOMETRE)
    atoms.calc = StillingerWeber()
    energy = again.getState(energy=True).getPotentialEnergy()._value * KJ_PER_MOL
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-12)


def test_slab_is_refused():
    atoms = silicon()
    atoms.pbc = (True, True, False)
    with pytest.raises(StructureError, match=r"pbc=\[True, True, False\].*all three axes or none"):
        nnp.openmm.create_calculator_force(atoms, StillingerWeber)


class Broken(Calculator):
    implemented_properties = ("energy", "forces")

    def calculate(self, *_):
        raise RuntimeError("no licence")


def test_a_calculators_error_keeps_its_words():
    made = context(cluster(), Broken)
    with pytest.raises(openmm.OpenMMException, match="calculator Broken failed: no licence"):
        made.getState(energy=True)
