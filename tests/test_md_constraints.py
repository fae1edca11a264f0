"""Constraints of the start structure: kept by the run, counted and written, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from ase.constraints import FixAtoms, FixBondLengths, FixCartesian, FixCom, FixedPlane, FixScaled
from ase.io import read, write
from pair_potential import pair_potential
from runs import crystal, moving_crystal, nnp, write_inputs

from nnp.errors import NNPError, OptionError, StructureError
from nnp.md import MDSettings, Outputs, read_log, run
from nnp.openmm import create_system, to_openmm
from nnp.units import BOLTZMANN

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

FIXED = [0, 5, 31]
PAIRS = [(1, 2), (8, 9), (9, 10)]
ALL_OF_FIVE = [(i, j) for i in range(5) for j in range(i)]
DYNAMICS = [
    {"ensemble": "nve"},
    {"thermostat": "langevin"},
    {"thermostat": "nose-hoover"},
]


def settings(**changes):
    return MDSettings(**({"steps": 40, "log_interval": 10, "frame_interval": 10} | changes))


@pytest.mark.parametrize("changes", DYNAMICS, ids=lambda c: "-".join(c.values()))
def test_fixed_atoms_stay(tmp_path, changes):
    atoms = moving_crystal()
    atoms.set_constraint(FixAtoms(FIXED))
    run(pair_potential(), atoms, settings(**changes), Outputs.named(tmp_path / "r"))
    frames, log = read(tmp_path / "r.extxyz", ":"), read_log(tmp_path / "r.csv")
    for frame, kinetic, temperature in zip(
        frames, log["kinetic_energy_eV"], log["temperature_K"], strict=True
    ):
        np.testing.assert_allclose(frame.positions[FIXED], atoms.positions[FIXED], atol=1e-7)
        np.testing.assert_array_equal(frame.get_momenta()[FIXED], 0)
        assert frame.get_kinetic_energy() == pytest.approx(kinetic, rel=1e-5)
        assert temperature == pytest.approx(2 * kinetic / (3 * 29 * BOLTZMANN), rel=1e-6)
    assert np.abs(frames[-1].positions - atoms.positions).max() > 0.01
    assert read(tmp_path / "r.final.extxyz").constraints[0].index.tolist() == FIXED
    if changes == {"ensemble": "nve"}:
        exchanged = np.ptp(log["potential_energy_eV"])
        assert np.ptp(log["total_energy_eV"]) < 0.02 * exchanged


@pytest.mark.parametrize("changes", DYNAMICS, ids=lambda c: "-".join(c.values()))
def test_bond_lengths_stay(tmp_path, changes):
    atoms = moving_crystal()
    constraint = FixBondLengths(PAIRS)
    atoms.set_constraint(constraint)
    lengths = [atoms.get_distance(i, j) for i, j in PAIRS]
    run(pair_potential(), atoms, settings(**changes), Outputs.named(tmp_path / "r"))
    frames, log = read(tmp_path / "r.extxyz", ":"), read_log(tmp_path / "r.csv")
    degrees = 93 - 3 if changes != {"thermostat": "langevin"} else 96 - 3
    for frame, kinetic, temperature in zip(
        frames, log["kinetic_energy_eV"], log["temperature_K"], strict=True
    ):
        found = [frame.get_distance(i, j) for i, j in PAIRS]
        np.testing.assert_allclose(found, lengths, rtol=1e-4)
        velocities = frame.get_velocities()
        for i, j in PAIRS:
            along = (frame.positions[i] - frame.positions[j]) @ (velocities[i] - velocities[j])
            assert abs(along) < (1e-2 if "thermostat" in changes else 1e-3)  # v is half a step off
        assert frame.get_kinetic_energy() == pytest.approx(kinetic, rel=1e-3)
        assert temperature == pytest.approx(2 * kinetic / (degrees * BOLTZMANN), rel=1e-6)
    if changes == {"ensemble": "nve"}:
        exchanged = np.ptp(log["potential_energy_eV"])
        assert np.ptp(log["total_energy_eV"]) < 0.02 * exchanged


@pytest.mark.parametrize("fixed", [True, False])
def test_drawn_velocities_have_the_temperature(tmp_path, fixed):
    atoms = crystal()
    atoms.set_constraint(FixAtoms(FIXED) if fixed else FixBondLengths(PAIRS))
    chosen = settings(ensemble="nve", steps=0, temperature=432.0)
    run(pair_potential(), atoms, chosen, Outputs.named(tmp_path / "r"))
    log = read_log(tmp_path / "r.csv")
    assert log["temperature_K"][0] == pytest.approx(432.0, rel=1e-3)
    degrees = 3 * 29 if fixed else 93 - 3
    assert log["kinetic_energy_eV"][0] == pytest.approx(degrees * BOLTZMANN * 216.0, rel=1e-3)


def masses(atoms):
    system = create_system(pair_potential(), atoms)
    return np.array([system.getParticleMass(i)._value for i in range(len(atoms))])


@pytest.mark.parametrize(
    "constraint",
    [
        FixAtoms(FIXED),
        FixCartesian(FIXED, mask=(True, True, True)),
        FixScaled(FIXED, mask=(True, True, True)),
    ],
    ids=lambda c: type(c).__name__,
)
def test_every_way_to_fix_an_atom(constraint):
    atoms = crystal()
    atoms.set_constraint(constraint)
    assert np.flatnonzero(masses(atoms) == 0).tolist() == FIXED
    assert to_openmm(atoms).constraints.fixed.tolist() == FIXED


@pytest.mark.parametrize("suffix", ["extxyz", "poscar"])
def test_files_that_fix_atoms(tmp_path, monkeypatch, suffix):
    """``move_mask`` and Selective dynamics, by the command."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    atoms = crystal()
    atoms.set_constraint(FixAtoms(FIXED))
    name = "POSCAR" if suffix == "poscar" else "fixed.extxyz"
    write(name, atoms)
    text = (tmp_path / name).read_text()
    assert "Selective" in text if suffix == "poscar" else "move_mask" in text
    assert nnp("md", "model.nnp", name, "--steps", "20", "--no-pictures") == 0
    last = read("md.final.extxyz").positions
    np.testing.assert_allclose(last[FIXED], read(name).positions[FIXED], atol=1e-7)
    assert np.abs(last - atoms.positions).max() > 0.01


def far(atoms):
    """The same molecule, one atom in the next cell."""
    atoms.positions[2] += atoms.cell[0]
    return FixBondLengths([(1, 2)])


REFUSED = [
    (lambda _: FixCom(), "constraint FixCom, which OpenMM cannot keep"),
    (lambda _: FixedPlane([3], (0, 0, 1)), "constraint FixedPlane, which OpenMM cannot keep"),
    (
        lambda _: FixCartesian([4], mask=(True, True, False)),
        r"atom 4 may move along some axes only \(FixCartesian, move_mask",
    ),
    (lambda _: FixScaled([6], mask=(1, 0, 0)), r"atom 6 may move along some axes only \(FixScaled"),
    (
        lambda _: [FixAtoms([1]), FixBondLengths([(1, 2)])],
        "distance of atoms 1 and 2 is kept .* and one of them does not move",
    ),
    (far, "atoms 1 and 2 is to be kept .* the molecule is broken by the cell's boundary"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[text[:20] for _, text in REFUSED])
def test_what_cannot_be_kept_is_refused_by_name(tmp_path, make, message):
    atoms = crystal()
    atoms.set_constraint(make(atoms))
    with pytest.raises(StructureError, match=message):
        run(pair_potential(), atoms, settings(), Outputs.named(tmp_path / "r"))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_move(tmp_path):
    atoms = crystal()
    atoms.set_constraint(FixAtoms(FIXED))
    with pytest.raises(OptionError, match="would move the fixed atoms"):
        run(pair_potential(), atoms, settings(ensemble="npt"), Outputs.named(tmp_path / "r"))
    atoms.set_constraint(FixAtoms(range(32)))
    with pytest.raises(NNPError, match="all atoms are fixed"):
        run(pair_potential(), atoms, settings(), Outputs.named(tmp_path / "r"))
    atoms.set_constraint([FixAtoms([1, 2]), FixBondLengths([(1, 2)])])
    run(pair_potential(), atoms, settings(), Outputs.named(tmp_path / "r"))


@pytest.mark.parametrize(
    ("atoms", "pairs", "text"),
    [
        (molecule("CH4"), ALL_OF_FIVE, "10 distances among 5 atoms .* 1 of them"),
        (molecule("CO2"), [[0, 1], [0, 2], [1, 2]], "3 distances among 3 atoms .* 1 of them"),
    ],
)
def test_distances_that_follow_from_others_are_refused(atoms, pairs, text):
    """OpenMM would go on to positions that are not finite."""
    atoms.set_constraint(FixBondLengths(pairs))
    with pytest.raises(StructureError, match=text):
        to_openmm(atoms)


def test_a_rigid_water_is_kept():
    water = molecule("H2O")
    water.set_constraint(FixBondLengths([[0, 1], [0, 2], [1, 2]]))
    assert len(to_openmm(water).constraints.pairs) == 3
