"""Potentials of the family `moments` wherever a potential goes: committees, files, exports, NVE."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import units
from ase.build import bulk
from ase.md.verlet import VelocityVerlet
from train_data import write_config

import nnp
from nnp.ase import NNPCalculator
from nnp.errors import OptionError
from nnp.testing import FORCE_RTOL_FLOAT64
from nnp.train import train_committee
from nnp.train.config.read import read_settings
from nnp.train.data.sets import read_data
from nnp.train.fit.initial import NetworkSettings
from nnp.train.inputs.functions import FunctionSettings, choose_functions
from nnp.train.inputs.moments import GeneratedMoments

GENERATE = GeneratedMoments(cutoff=4.0, radial=4, angular=3, l=3, learn=True)


@pytest.fixture(scope="module")
def committee(tmp_path_factory):
    """Two members, and the folder of their training."""
    folder = tmp_path_factory.mktemp("committee")
    given = read_settings(write_config(folder))
    tables = {"functions": FunctionSettings(generate=GENERATE), "network": NetworkSettings((6, 5))}
    results = train_committee(replace(given, **tables), 2, quiet=True)
    return [result.potential for result in results], folder / "out"


def distorted():
    atoms = bulk("Si", "diamond", 5.43, cubic=True)
    atoms.rattle(0.1, seed=3)
    return atoms


def test_members_share_what_the_first_has_learned(committee):
    members, folder = committee
    first, second = (member.models[0] for member in members)
    assert first.functions == second.functions
    assert (first.network.weights[0] != second.network.weights[0]).any()
    assert first.functions != tuple(GENERATE.for_elements(("Si",))["Si"])
    whole = nnp.load(folder / "committee.nnp")
    energies = [member.evaluate(distorted(), "cpu").energy for member in members]
    assert whole.evaluate(distorted(), "cpu").energy == pytest.approx(np.mean(energies), rel=1e-12)


def test_functions_of_a_model_file(committee):
    members, folder = committee
    path = str(folder / "member_0" / "best.nnp")
    assert choose_functions(FunctionSettings(path), ("Si",))["Si"] == members[0].models[0].functions
    with pytest.raises(OptionError, match=r"best.nnp has functions for Si, not for C"):
        choose_functions(FunctionSettings(path), ("C", "Si"))


def test_engines_and_exports_agree(committee, tmp_path):
    pytest.importorskip("openmm", reason="OpenMM is not installed")
    from test_torchscript import load_and_run

    from nnp.openmm import export_torchscript

    (potential, _), atoms = committee[0], distorted()
    known = potential.evaluate(atoms, "reference")
    found = potential.evaluate(atoms, "cpu")
    np.testing.assert_allclose(found.forces, known.forces, rtol=0, atol=FORCE_RTOL_FLOAT64)
    export_torchscript(potential, atoms, tmp_path / "model.pt", portable=True)
    energy, forces = load_and_run(tmp_path / "model.pt", atoms)
    assert energy == pytest.approx(known.energy, rel=1e-12)
    np.testing.assert_allclose(forces, known.forces, rtol=0, atol=FORCE_RTOL_FLOAT64)


def test_openmm_gives_the_same_forces(committee):
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")
    import nnp.openmm
    from nnp.openmm import _plugin

    if reason := _plugin.why_unavailable():
        pytest.skip(reason)
    (potential, _), atoms = committee[0], distorted()
    start = nnp.openmm.to_openmm(atoms)
    system = openmm.System()
    for mass in start.masses:
        system.addParticle(mass)
    system.setDefaultPeriodicBoxVectors(*start.box_nm)
    system.addForce(nnp.openmm.create_force(potential, atoms))
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    context.setPositions(start.positions_nm)
    kj_mol = openmm.unit.kilojoule_per_mole
    energy = context.getState(energy=True).getPotentialEnergy().value_in_unit(kj_mol)
    known = potential.evaluate(atoms, "cpu").energy
    assert energy * nnp.units.KJ_PER_MOL == pytest.approx(known, rel=1e-9)


def test_energy_is_conserved(committee):
    """300 steps of velocity Verlet: the energy's error falls with the square of the step."""
    (potential, _) = committee[0]
    errors = []
    for step in (1.0, 0.5):
        atoms = distorted()
        atoms.calc = NNPCalculator(potential, engine="cpu")
        dynamics = VelocityVerlet(atoms, step * units.fs)
        energies = [atoms.get_total_energy()]
        for _ in range(30):
            dynamics.run(int(5 / step))
            energies.append(atoms.get_total_energy())
        errors.append(np.std(energies))
    assert errors[0] < 2e-3 * len(atoms)
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.3)


def test_extrapolation_is_flagged(committee):
    """Ranges are those of the functions as they were learned: the data lie within, no more."""
    members, folder = committee
    given = read_settings(folder.parent / "fit.toml")
    train, _ = read_data(given.data)
    for member in members:
        seen = [member.evaluate(frame.structure, "cpu").extrapolations for frame in train]
        assert max(map(len, seen)) == 0
    close = distorted()
    close.positions[0] = close.positions[1] + (0, 0, 0.9)
    assert {0, 1} <= set(members[0].evaluate(close, "cpu").extrapolations.atoms.tolist())
