"""ASE's cells as OpenMM's reduced boxes, and back."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("openmm", reason="OpenMM is not installed")

import openmm
from openmm import app, unit

import nnp.openmm
from nnp.errors import StructureError
from nnp.openmm.box import reduced_box
from nnp.testing import structures

CELLS = {
    "cubic": 5.0 * np.eye(3),
    "fcc": 2.0 * (1 - np.eye(3)),
    "bcc": 2.0 * (1 - 2 * np.eye(3)),
    "hexagonal": np.array([[3.0, 0, 0], [-1.5, 1.5 * 3**0.5, 0], [0, 0, 5.0]]),
    "left_handed": np.array([[0, 4.0, 0], [5.0, 0, 0], [0, 0, 6.0]]),
    "half_a_bit_too_far": np.array([[2.0001, 0, 0], [11.5 * 2.0001, 4.0, 0], [0, 0, 5.0]]),
    "very_skewed": np.array([[4.0, 0, 0], [15.0, 4.0, 0], [-9.0, 22.0, 5.0]]),
}


def assert_reduced(box):
    """What OpenMM checks, without any tolerance."""
    assert (np.triu(box, 1) == 0).all()
    assert (np.diag(box) > 0).all()
    assert box[0, 0] >= 2 * abs(box[1, 0])
    assert box[0, 0] >= 2 * abs(box[2, 0])
    assert box[1, 1] >= 2 * abs(box[2, 1])


@pytest.mark.parametrize("name", sorted(CELLS))
def test_reduced_box_is_the_same_lattice(name):
    cell = CELLS[name]
    rotation, combination, box = reduced_box(cell)
    assert_reduced(box)
    np.testing.assert_allclose(combination @ cell @ rotation, box, atol=1e-13)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert abs(round(np.linalg.det(combination))) == 1
    context = openmm.Context(
        _one_particle(), openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference")
    )
    context.setPeriodicBoxVectors(*box)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(-9, 9), min_size=9, max_size=9))
def test_any_cell_can_be_reduced(numbers):
    cell = np.reshape(numbers, (3, 3))
    assume(abs(np.linalg.det(cell)) > 1e-2 * np.prod(np.linalg.norm(cell, axis=1)) > 1e-3)
    rotation, combination, box = reduced_box(cell)
    assert_reduced(box)
    np.testing.assert_allclose(combination @ cell @ rotation, box, atol=1e-11)


def test_a_box_that_is_reduced_stays_as_it_is_to_the_last_bit():
    cell = np.array([[6.1, 0, 0], [1.3, 5.2, 0], [-2.2, 1.7, 4.9]])
    rotation, combination, box = reduced_box(cell)
    np.testing.assert_array_equal(box, cell)
    np.testing.assert_array_equal(rotation, np.eye(3))
    np.testing.assert_array_equal(combination, np.eye(3))


@pytest.mark.parametrize("name", ["molecule", "crystal", "triclinic", "left_handed", "far_outside"])
def test_there_and_back(name):
    structure = structures(("H", "O"))[name]
    masses = np.linspace(1, 9, len(structure))
    atoms = Atoms(
        structure.symbols,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
        masses=masses,
    )
    there = nnp.openmm.to_openmm(atoms)
    assert [atom.element.symbol for atom in there.topology.atoms()] == structure.symbols
    np.testing.assert_allclose(
        np.linalg.norm(there.positions_nm[0] - there.positions_nm[1]) * 10,
        np.linalg.norm(structure.positions[0] - structure.positions[1]),
    )
    back = there.to_ase(there.positions_nm)
    np.testing.assert_allclose(back.positions, atoms.positions, atol=1e-12)
    np.testing.assert_array_equal(back.get_masses(), masses)
    assert back.get_chemical_symbols() == structure.symbols
    assert (back.pbc == atoms.pbc).all()
    if atoms.pbc.all():
        np.testing.assert_allclose(back.cell.array, atoms.cell.array, atol=1e-12)
        box = there.topology.getPeriodicBoxVectors().value_in_unit(unit.nanometer)
        np.testing.assert_array_equal(np.array(box), there.box_nm)
        grown = there.to_ase(there.positions_nm, 1.5 * there.box_nm)
        np.testing.assert_allclose(grown.cell.array, 1.5 * atoms.cell.array, atol=1e-12)


def test_box_of_a_state():
    context = openmm.Context(
        _one_particle(), openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference")
    )
    box = np.array([[2.0, 0, 0], [0.5, 3.0, 0], [0.1, 0.2, 4.0]])
    context.setPeriodicBoxVectors(*box)
    np.testing.assert_array_equal(nnp.openmm.box.box_from_state(context.getState()), box)


@pytest.mark.parametrize("pbc", [(True, True, False), (False, False, True)])
def test_some_periodic_axes_are_refused_by_name(pbc):
    atoms = Atoms("Si", cell=[5, 5, 5], pbc=pbc)
    with pytest.raises(StructureError, match=r"pbc=\[.*\]: OpenMM repeats all axes or none"):
        nnp.openmm.to_openmm(atoms)


def _one_particle():
    system = openmm.System()
    system.addParticle(1.0)
    force = openmm.NonbondedForce()  # makes the system periodic
    force.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(0.01)
    force.addParticle(0, 1, 0)
    system.addForce(force)
    return system


def test_topology_is_usable(tmp_path):
    there = nnp.openmm.to_openmm(Atoms("H2O", [(0, 0, 0), (1, 0, 0), (0, 1, 0)]))
    with (tmp_path / "frame.pdb").open("w") as file:
        app.PDBFile.writeFile(there.topology, there.positions_nm * unit.nanometer, file)
    with (tmp_path / "frame.pdb").open() as file:
        assert app.PDBFile(file).topology.getNumAtoms() == 3
