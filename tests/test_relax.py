"""Relaxation: tolerances that are met, cells under pressure, what is refused, `nnp relax`."""

from __future__ import annotations

import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from ase.io import read, write
from pair_potential import pair_potential
from runs import crystal, nnp, write_inputs

from nnp.errors import NumericalError, OptionError, StructureError
from nnp.md import RelaxSettings, relax
from nnp.units import BAR


def shaken(strain=1.0):
    atoms = crystal()
    atoms.rattle(0.1, seed=1)
    atoms.set_cell(atoms.cell * strain, scale_atoms=True)
    return atoms


@pytest.mark.parametrize("optimizer", ["lbfgs", "fire", "bfgs"])
def test_forces_fall_below_the_tolerance(optimizer):
    start = shaken()
    found = relax(pair_potential(), start, RelaxSettings(2e-3, optimizer=optimizer))
    forces = pair_potential().evaluate(found.atoms).forces
    largest = np.linalg.norm(forces, axis=1).max()
    assert found.reached
    assert found.largest_force == pytest.approx(largest, abs=1e-8)
    assert largest < 2e-3 < np.linalg.norm(pair_potential().evaluate(start).forces, axis=1).max()
    assert found.last.energy < found.first.energy
    np.testing.assert_array_equal(found.atoms.cell, start.cell)


@pytest.mark.parametrize("pressure", [0.0, 20_000.0])
def test_the_stress_of_a_relaxed_cell_is_the_pressure(pressure):
    settings = RelaxSettings(1e-3, cell=True, pressure=pressure, stress_tolerance=5.0)
    found = relax(pair_potential(), shaken(1.02), settings)
    stress = pair_potential().evaluate(found.atoms, stress=True).stress / BAR
    np.testing.assert_allclose(stress, [-pressure] * 3 + [0.0] * 3, atol=5.0)
    assert found.last.largest_stress <= 5.0 < found.first.largest_stress


def test_pairs_of_argon_meet_at_their_minimum():
    """Any calculator; r = 2^(1/6) σ, E = −ε."""
    atoms = crystal(1)[:2]
    atoms.pbc = False
    atoms.positions = [(0, 0, 0), (0, 0, 4.0)]
    found = relax(LennardJones(sigma=3.4, epsilon=0.0104, rc=50.0), atoms, RelaxSettings(1e-6))
    assert found.atoms.get_distance(0, 1) == pytest.approx(3.4 * 2 ** (1 / 6), abs=1e-3)
    assert found.last.energy == pytest.approx(-0.0104, abs=1e-6)


def test_fixed_atoms_stay_and_their_forces_do_not_count():
    atoms = shaken()
    atoms.set_constraint(FixAtoms([0, 5]))
    found = relax(pair_potential(), atoms, RelaxSettings(1e-3))
    np.testing.assert_array_equal(found.atoms.positions[[0, 5]], atoms.positions[[0, 5]])
    assert found.reached
    assert np.linalg.norm(found.atoms.calc.results["forces"][[0, 5]], axis=1).max() > 1e-2


def test_refusals():
    atoms = shaken()
    atoms.set_constraint(FixAtoms([0]))
    with pytest.raises(StructureError, match=r"cell=True .* would move the fixed atoms"):
        relax(pair_potential(), atoms, RelaxSettings(cell=True))
    molecule = crystal(1)
    molecule.pbc = (True, True, False)
    with pytest.raises(StructureError, match="periodic along three axes; relax positions only"):
        relax(pair_potential(), molecule, RelaxSettings(cell=True))
    for changes, message in (
        ({"force_tolerance": 0.0}, "force_tolerance=0.0: a number from 1e-08 eV/Å"),
        ({"pressure": 5.0}, "pressure=5 bar acts on a cell that may change: add cell=True"),
        (
            {"stress_tolerance": 5.0},
            "stress_tolerance=5 bar applies to a cell that may change: add",
        ),
        ({"optimizer": "newton"}, "optimizer='newton' is unknown: allowed are lbfgs, fire, bfgs"),
    ):
        with pytest.raises(OptionError, match=message):
            RelaxSettings(**changes)


def test_a_tolerance_that_is_not_reached_is_said():
    settings = RelaxSettings(1e-6, steps=3)
    found = relax(pair_potential(), shaken(), settings)
    assert (found.reached, found.steps) == (False, 3)
    text = r"after 3 steps: -.* eV, largest force .* force_tolerance=1e-06 eV/Å is not reached: all"
    with pytest.raises(NumericalError, match=text):
        found.require(settings)


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, shaken(1.02))
    words = ("relax", "model.nnp", "start.extxyz", "--output", "POSCAR", "--cell")
    assert nnp(*words, "--trajectory", "steps.traj") == 0
    out = capsys.readouterr().out
    assert "largest stress bar" in out
    assert "cell after" in out
    assert "relaxed: POSCAR" in out
    assert read("POSCAR").get_volume() == pytest.approx(410.2, abs=1.0)
    steps = read("steps.traj", ":")
    assert len(steps) > 5
    assert steps[0].get_potential_energy() > steps[-1].get_potential_energy()
    assert nnp(*words) == 1
    assert "POSCAR exists: choose another name" in capsys.readouterr().err
    short = ("--output", "b.extxyz", "--steps", "2", "--trajectory", "b.traj.extxyz")
    assert nnp("relax", "model.nnp", "start.extxyz", *short) == 1
    error = capsys.readouterr().err
    assert "is not reached: allow more steps" in error
    assert "the structure reached is in b.extxyz" in error
    assert [atoms.info["step"] for atoms in read("b.traj.extxyz", ":")] == [0, 1, 2]
    assert "forces" in read("b.extxyz").calc.results


def test_repeat(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    atoms = crystal(1)
    atoms.set_momenta(np.ones((4, 3)))
    write_inputs(tmp_path, atoms)
    words = ("relax", "model.nnp", "start.extxyz", "--repeat", "2", "1", "3")
    assert nnp(*words) == 0
    assert "velocities are not repeated" in capsys.readouterr().err
    found = read("relaxed.extxyz")
    assert len(found) == 24
    np.testing.assert_allclose(found.cell.lengths(), atoms.cell.lengths() * (2, 1, 3))
    atoms.pbc = (True, True, False)
    write("start.extxyz", atoms)
    assert nnp(*words, "--force") == 1
    assert "axis c of the structure does not repeat" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["steps.traj", "steps.extxyz"])
def test_what_is_refused_leaves_no_trajectory(tmp_path, monkeypatch, capsys, name):
    atoms = shaken()
    atoms.pbc = False
    write_inputs(tmp_path, atoms)
    before = set(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    assert nnp("relax", "model.nnp", "start.extxyz", "--cell", "--trajectory", name) == 1
    assert "relax positions only, or set cell and pbc" in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before
