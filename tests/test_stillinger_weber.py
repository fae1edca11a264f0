"""The Stillinger-Weber teacher: known answers, derivatives, its ASE calculator."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nnp.errors import StructureError
from nnp.structure import as_structure
from nnp.teachers.ase import StillingerWeber
from nnp.teachers.stillinger_weber import SILICON, stillinger_weber

EV_PER_CUBIC_ANGSTROM_IN_GPA = 160.21766
# Central differences with this step (Å, or strain) leave an error of h² times the third
# derivative: some 1e-10 of hundreds of eV/Å³; rounding of a few hundred eV adds 1e-13 / h.
STEP = 1e-5
DIFFERENCE_ATOL = 1e-7


def displaced_crystal() -> Atoms:
    """64 atoms, displaced by up to 0.3 Å; some distances lie within 0.01 Å of the cutoff."""
    atoms = bulk("Si", a=5.431, cubic=True) * (2, 2, 2)
    atoms.positions += 0.3 * np.sin(np.arange(192)).reshape(64, 3)
    return atoms


def skewed_crystal() -> Atoms:
    """As `displaced_crystal` in a triclinic cell of OpenMM's reduced form."""
    atoms = displaced_crystal()
    shear = np.array([[1.02, 0, 0], [0.09, 0.99, 0], [-0.15, 0.13, 1.01]])
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    return atoms


def evaluate(atoms):
    return stillinger_weber(as_structure(atoms))


def energy(atoms):
    return evaluate(atoms).energies.sum()


def test_diamond_has_no_bending_and_four_bonds():
    """At the tetrahedral angle only pairs count: two bonds of depth epsilon per atom."""
    nearest = SILICON.sigma * 2 ** (1 / 6)  # the minimum the paper built in
    crystal = bulk("Si", a=4 * nearest / np.sqrt(3))
    assert energy(crystal) / 2 == pytest.approx(-2 * 2.1683, abs=1e-8)
    assert np.abs(evaluate(crystal).virial).max() < 1e-7


def test_elastic_constants():
    """151.4, 76.4 and (without inner relaxation) 109.8 GPa: H. Balamane, T. Halicioglu and
    W. A. Tiller, Phys. Rev. B 46, 2250 (1992), DOI 10.1103/PhysRevB.46.2250."""
    crystal = bulk("Si", a=5.431)

    def stress_gpa(strain):
        strained = crystal.copy()
        strained.set_cell(crystal.cell.array @ (np.eye(3) + strain), scale_atoms=True)
        return evaluate(strained).virial / strained.get_volume() * EV_PER_CUBIC_ANGSTROM_IN_GPA

    def slope(strain):
        return (stress_gpa(STEP * strain) - stress_gpa(-STEP * strain)) / (2 * STEP)

    stretched = slope(np.diag([1.0, 0.0, 0.0]))
    sheared = slope(np.array([[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]))
    assert stretched[0, 0] == pytest.approx(151.4, abs=0.05)
    assert stretched[1, 1] == pytest.approx(76.4, abs=0.05)
    assert sheared[0, 1] == pytest.approx(109.8, abs=0.06)


def test_lammps_gives_the_same_numbers():
    """LAMMPS of 22 July 2025, pair_style sw with its Si.sw, units metal."""
    result = evaluate(displaced_crystal())
    first = [-6.946296857013383, -2.5529859879972734, -9.25250038372679]
    assert result.energies.sum() == pytest.approx(-170.41286429994636, abs=1e-9)
    np.testing.assert_allclose(result.forces[0], first, atol=1e-10)


@pytest.mark.parametrize("make", [displaced_crystal, skewed_crystal])
def test_forces_are_the_slope_of_the_energy(make):
    atoms = make()
    forces = evaluate(atoms).forces
    assert np.abs(forces).max() > 1
    for atom, axis in ((0, 0), (5, 1), (17, 2), (63, 0)):
        ends = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * STEP
            ends.append(energy(moved))
        slope = (ends[0] - ends[1]) / (2 * STEP)
        assert -forces[atom, axis] == pytest.approx(slope, abs=DIFFERENCE_ATOL)


def test_virial_is_the_slope_by_strain():
    atoms = skewed_crystal()
    virial = evaluate(atoms).virial
    for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        ends = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * STEP
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            ends.append(energy(strained))
        slope = (ends[0] - ends[1]) / (2 * STEP)
        assert virial[a, b] == pytest.approx(slope, abs=10 * DIFFERENCE_ATOL)


def test_nothing_beyond_the_cutoff_and_something_inside():
    def dimer(r):
        return evaluate(Atoms("Si2", [[0, 0, 0], [0, 0, r]]))

    assert SILICON.cutoff == pytest.approx(3.77118)
    assert dimer(SILICON.cutoff + 1e-9).energies.sum() == 0
    assert dimer(SILICON.cutoff - 0.3).energies.sum() < -1e-4
    assert abs(dimer(SILICON.cutoff - 0.01).forces).max() < 1e-30


def test_lone_atom_has_no_energy():
    result = evaluate(Atoms("Si"))
    assert result.energies.tolist() == [0.0]
    assert result.forces.tolist() == [[0.0, 0.0, 0.0]]


def test_calculator_passes_everything_on():
    atoms = skewed_crystal()
    atoms.calc = StillingerWeber()
    result = evaluate(atoms)
    assert atoms.get_potential_energy() == pytest.approx(result.energies.sum())
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
    np.testing.assert_array_equal(atoms.get_potential_energies(), result.energies)
    np.testing.assert_array_equal(atoms.get_forces(), result.forces)
    np.testing.assert_allclose(
        atoms.get_stress(voigt=False) * atoms.get_volume(), result.virial, atol=1e-10
    )


def test_other_elements_are_refused():
    atoms = bulk("Ge")
    atoms.calc = StillingerWeber()
    with pytest.raises(StructureError, match=r"atoms hold Ge: .* knows only Si; remove"):
        atoms.get_potential_energy()
