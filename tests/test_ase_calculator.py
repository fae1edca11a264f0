"""The ASE calculator: properties, dynamics, relaxation, trajectories, refusals."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import all_changes
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.filters import FrechetCellFilter, UnitCellFilter
from ase.io import Trajectory, read
from ase.md.langevin import Langevin
from ase.md.nose_hoover_chain import NoseHooverChainNVT
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS, FIRE
from pair_potential import LATTICE_CONSTANT, pair_potential

import nnp
from nnp.ase import NNPCalculator
from nnp.errors import OptionError, StructureError
from nnp.testing import random_potential, structures


@pytest.fixture(scope="module")
def potential():
    """Random functions, as rough as they come."""
    return random_potential(("Si",), seed=1, families=("radial", "angular_narrow"))


@pytest.fixture
def crystal():
    """A rattled crystal with physics."""
    atoms = bulk("Si", "fcc", LATTICE_CONSTANT, cubic=True) * (2, 2, 1)
    atoms.rattle(0.08, seed=3)
    atoms.calc = NNPCalculator(pair_potential())
    return atoms


def heat(atoms, temperature):
    """Momenta of a temperature (K)."""
    width = np.sqrt(units.kB * temperature * atoms.get_masses())
    atoms.set_momenta(width[:, None] * np.random.default_rng(5).normal(size=(len(atoms), 3)))


def as_atoms(structure):
    return Atoms(
        structure.symbols, positions=structure.positions, cell=structure.cell, pbc=structure.pbc
    )


@pytest.mark.parametrize("name", sorted(structures()))
def test_results_are_those_of_evaluate(name, potential):
    atoms = as_atoms(structures(("Si",))[name])
    periodic = bool(atoms.pbc.all())
    wanted = potential.evaluate(atoms, stress=periodic)
    atoms.calc = NNPCalculator(potential)
    assert atoms.get_potential_energy() == wanted.energy
    assert atoms.get_potential_energy(force_consistent=True) == wanted.energy
    np.testing.assert_array_equal(atoms.get_potential_energies(), wanted.energies)
    np.testing.assert_array_equal(atoms.get_forces(), wanted.forces)
    if periodic:
        np.testing.assert_allclose(atoms.get_stress(), wanted.stress, rtol=1e-14, atol=1e-16)


def test_forces_and_stress_match_ase_differences(crystal):
    crystal.set_cell(crystal.cell.array @ (np.eye(3) + 0.04 * np.eye(3, k=1)), scale_atoms=True)
    # central differences with 1e-4 Å: truncation 1e-8 eV/Å, rounding less
    numeric = calculate_numerical_forces(crystal, eps=1e-4, iatoms=[0, 5])
    assert np.abs(numeric).max() > 0.1
    np.testing.assert_allclose(crystal.get_forces()[[0, 5]], numeric, rtol=0, atol=1e-6)
    numeric = calculate_numerical_stress(crystal, eps=1e-5)
    np.testing.assert_allclose(crystal.get_stress(), numeric, rtol=0, atol=1e-6)


def test_one_evaluation_serves_all_properties_and_charges_do_not_matter(crystal):
    calls = []
    engine = crystal.calc._engine
    crystal.calc._engine = _Counting(engine, calls)
    crystal.get_forces()
    crystal.get_potential_energy()
    crystal.get_potential_energies()
    assert calls == [False]
    crystal.get_stress()
    crystal.set_initial_charges(np.ones(len(crystal)))
    crystal.get_stress()
    assert calls == [False, True]
    crystal.positions[0] += 0.01  # the stress has been asked for: now it comes along
    crystal.get_forces()
    crystal.get_stress()
    assert calls == [False, True, True]
    crystal.pbc = False
    crystal.get_forces()
    assert calls == [False, True, True, False]


class _Counting:
    """An engine that notes whether each call asked for the stress."""

    def __init__(self, engine, calls):
        self.engine, self.calls = engine, calls

    def compute(self, structure, forces, stress):
        self.calls.append(stress)
        return self.engine.compute(structure, forces, stress)


@pytest.mark.parametrize(("kind", "strain"), [(FrechetCellFilter, 0.03), (UnitCellFilter, -0.03)])
def test_relaxation_takes_a_strained_crystal_back(kind, strain):
    atoms = bulk("Si", "fcc", LATTICE_CONSTANT)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain * np.ones((3, 3))), scale_atoms=True)
    atoms.calc = NNPCalculator(pair_potential())
    with BFGS(kind(atoms), logfile=None) as optimizer:
        assert optimizer.run(fmax=1e-3, steps=50)
    assert atoms.get_volume() == pytest.approx(LATTICE_CONSTANT**3 / 4, rel=1e-3)
    assert np.abs(atoms.get_stress()).max() < 1e-3


def test_optimizer_lowers_the_energy(crystal):
    before = crystal.get_potential_energy()
    with FIRE(crystal, logfile=None) as optimizer:
        optimizer.run(fmax=0.01, steps=30)
    assert crystal.get_potential_energy() < before - 1e-3


def test_verlet_conserves_energy(crystal):
    heat(crystal, 300)
    total, potential = [], []
    with VelocityVerlet(crystal, 0.5 * units.fs) as dynamics:
        for _ in range(20):
            dynamics.run(5)
            total.append(crystal.get_total_energy())
            potential.append(crystal.get_potential_energy())
    assert np.ptp(potential) > 0.02  # energy did go back and forth
    assert np.ptp(total) < 0.02 * np.ptp(potential)


@pytest.mark.parametrize(
    "make",
    [
        lambda atoms: Langevin(
            atoms,
            units.fs,
            temperature_K=400,
            friction=0.05 / units.fs,
            fixcm=False,
            rng=np.random.default_rng(2),
        ),
        lambda atoms: NoseHooverChainNVT(atoms, units.fs, temperature_K=400, tdamp=20 * units.fs),
    ],
    ids=["langevin", "nose_hoover"],
)
def test_thermostats_run(make, crystal, tmp_path):
    heat(crystal, 400)
    with Trajectory(tmp_path / "md.traj", "w", crystal) as trajectory, make(crystal) as dynamics:
        dynamics.attach(trajectory, interval=5)
        dynamics.run(20)
    frames = read(tmp_path / "md.traj", ":")
    assert len(frames) == 5
    np.testing.assert_array_equal(frames[-1].get_forces(), crystal.get_forces())
    assert frames[-1].get_potential_energy() == crystal.get_potential_energy()
    assert 50 < crystal.get_temperature() < 2000


def test_extxyz_keeps_energy_and_forces(crystal, tmp_path):
    crystal.get_stress()
    crystal.write(tmp_path / "frame.extxyz")
    back = read(tmp_path / "frame.extxyz")
    np.testing.assert_allclose(back.get_forces(), crystal.get_forces(), atol=1e-7)
    np.testing.assert_allclose(back.get_stress(), crystal.get_stress(), atol=1e-7)


def test_extrapolations_of_the_last_evaluation(crystal):
    assert crystal.calc.extrapolations is None
    crystal.positions[0] += 0.5
    crystal.get_forces()
    wanted = crystal.calc.potential.evaluate(crystal).extrapolations
    assert len(wanted) > 0  # too much rattled: some functions are outside
    np.testing.assert_array_equal(crystal.calc.extrapolations.atoms, wanted.atoms)
    np.testing.assert_array_equal(crystal.calc.extrapolations.functions, wanted.functions)


def test_copies_and_pickles(crystal):
    forces = crystal.get_forces()
    for calc in (copy.deepcopy(crystal.calc), pickle.loads(pickle.dumps(crystal.calc))):  # noqa: S301
        atoms = crystal.copy()
        atoms.calc = calc
        np.testing.assert_array_equal(atoms.get_forces(), forces)
        atoms.positions[0] += 0.02
        assert np.abs(atoms.get_forces() - forces).max() > 1e-4


def test_from_a_path(potential, tmp_path, crystal):
    potential.save(tmp_path / "model.nnp")
    calc = NNPCalculator(tmp_path / "model.nnp", engine="reference")
    wanted = potential.evaluate(crystal, engine="reference").energy
    calc.calculate(crystal, ["energy"], all_changes)
    assert calc.results["energy"] == wanted


def test_refusals(potential, crystal):
    with pytest.raises(OptionError, match="units='metal': a Potential has its units already"):
        NNPCalculator(potential, units="metal")
    with pytest.raises(OptionError, match="engine='fast' is unknown"):
        NNPCalculator(potential, engine="fast")
    with pytest.raises(OptionError, match="has no option 'colour'"):
        NNPCalculator(potential, engine="reference", colour="red")
    with pytest.raises(nnp.NNPError, match="does not exist"):
        NNPCalculator("nowhere.nnp")
    molecule = Atoms("Si2", [(0, 0, 0), (2, 1, 0)], calculator=NNPCalculator(potential))
    with pytest.raises(StructureError, match="needs pbc along all three axes"):
        molecule.get_stress()
    molecule.get_forces()  # and goes on
    crystal.symbols[2] = "C"
    with pytest.raises(StructureError, match="atom 2 is C, but the potential knows only Si"):
        crystal.get_forces()


def test_a_failed_evaluation_leaves_no_results(crystal):
    crystal.get_forces()
    crystal.positions[1] = crystal.positions[0]
    for _ in range(2):
        with pytest.raises(StructureError, match="atoms 0 and 1 are in the same place"):
            crystal.get_forces()
    assert crystal.calc.results == {}
    assert crystal.calc.extrapolations is None
