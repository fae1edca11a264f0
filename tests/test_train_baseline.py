"""Fits on top of a calculator: what the labels lose comes back in every evaluation."""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase.build import bulk, molecule

pytest.importorskip("torch", reason="training needs torch")

from train_data import settings, write_config

import nnp
from nnp.ase import NNPCalculator
from nnp.baseline import Baseline
from nnp.cli import main
from nnp.committee import Committee
from nnp.engines.flatten import flatten
from nnp.errors import OptionError, StructureError, UnavailableError
from nnp.io.model import from_bytes, to_bytes
from nnp.teachers.ase import LennardJones
from nnp.teachers.by_name import teacher
from nnp.testing import random_potential
from nnp.torchscript import PortableModel
from nnp.train.config.read import read_settings
from nnp.train.data.baseline import BaselineSettings
from nnp.train.data.dataset import Dataset
from nnp.train.fit.task import build
from nnp.units import KJ_PER_MOL

OPTIONS = {"Si": [0.1, 2.2], "cutoff": 4.0, "smooth": True}
PARTS = (Baseline("lennard-jones", OPTIONS),)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Folder of a run by the command line, with its settings."""
    folder = tmp_path_factory.mktemp("baseline")
    config = write_config(folder)
    table = "[baseline.calculators.lennard-jones]\nSi = [0.1, 2.2]\ncutoff = 4.0\nsmooth = true\n"
    config.write_text(config.read_text() + table)
    assert main(["train", str(config)]) == 0
    return folder


def calculator():
    return teacher("lennard-jones", OPTIONS | {"Si": (0.1, 2.2)})()


def labelled():
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.1, seed=2)
    return atoms


def test_labels_lose_what_the_calculator_computes(fitted):
    data = Dataset.read(fitted / "data.extxyz")
    chosen = settings(baseline=BaselineSettings({"lennard-jones": OPTIONS}))
    task = build(chosen, data, Dataset(()), quiet=True)
    for frame, atoms in zip(task.frames, ase.io.read(fitted / "data.extxyz", ":"), strict=True):
        before, whole = atoms.calc.results, atoms.copy()
        whole.calc = calculator()
        assert frame.energy == pytest.approx(before["energy"] - whole.get_potential_energy())
        np.testing.assert_allclose(frame.forces, before["forces"] - whole.get_forces(), atol=1e-12)
        np.testing.assert_allclose(frame.stress, before["stress"] - whole.get_stress(), atol=1e-12)
        assert np.abs(whole.get_forces()).max() > 0.01  # else nothing is tested
    assert task.model.template.baseline == PARTS


def test_evaluations_add_it(fitted):
    """Read from the file, by all engines' users; energies per atom still add up."""
    atoms, path = labelled(), fitted / "out" / "best.nnp"
    whole, alone = nnp.load(path), nnp.load(path, baseline=False)
    assert (whole.baseline, alone.baseline) == (PARTS, ())
    reference = atoms.copy()
    reference.calc = calculator()
    atoms.calc = NNPCalculator(path)
    for engine in ("cpu", "reference"):
        found = whole.evaluate(atoms, engine, stress=True)
        part = alone.evaluate(atoms, engine, stress=True)
        assert found.energy == pytest.approx(part.energy + reference.get_potential_energy())
        assert found.energies.sum() == pytest.approx(found.energy)
        np.testing.assert_allclose(found.forces, part.forces + reference.get_forces(), atol=1e-12)
        np.testing.assert_allclose(found.stress, part.stress + reference.get_stress(), atol=1e-12)
    assert atoms.get_potential_energy() == pytest.approx(whole.evaluate(atoms).energy)
    assert whole.evaluate(atoms, forces=False).forces is None


def test_openmm_adds_it_by_pythonforce(fitted):
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")
    from nnp.openmm import create_system, to_openmm

    potential, atoms = nnp.load(fitted / "out" / "best.nnp"), labelled() * (2, 2, 2)
    box = to_openmm(atoms)
    with pytest.raises(OptionError, match=r"compiled code cannot hold: .* route='python'"):
        create_system(potential, box, route="native")
    context = openmm.Context(
        create_system(potential, box, route="python"),
        openmm.VerletIntegrator(0.001),
        openmm.Platform.getPlatformByName("Reference"),
    )
    context.setPositions(box.positions_nm)
    energy = context.getState(energy=True).getPotentialEnergy()
    in_ev = energy.value_in_unit(openmm.unit.kilojoule_per_mole) * KJ_PER_MOL
    assert in_ev == pytest.approx(potential.evaluate(atoms).energy, rel=1e-9)


def test_the_fit_is_judged_with_it(fitted, capsys):
    """Errors of the log are those of the finished potential against the labels of the file."""
    model, data = fitted / "out" / "last.nnp", str(fitted / "data.extxyz")
    report = nnp.train.evaluate(nnp.load(model), Dataset.read(data))
    log = (fitted / "out" / "log.csv").read_text().splitlines()
    row = dict(zip(log[0].split(","), map(float, log[-1].split(",")), strict=True))
    of_both = [row["train_force_rmse"], row["valid_force_rmse"]]
    assert min(of_both) <= report.comparisons["forces"].statistics()["rmse"] <= max(of_both)
    assert main(["info", str(model)]) == 0
    assert "baseline    lennard-jones (Si=[0.1, 2.2]" in capsys.readouterr().out


def test_a_file_starts_no_program_and_names_what_is_missing(fitted, monkeypatch):
    plain = from_bytes(to_bytes(random_potential(("Si",), 1, ("radial",))))
    with zipfile.ZipFile(fitted / "out" / "best.nnp") as archive:
        header = json.loads(archive.read("header.json"))
    assert header["baseline"] == [{"name": "lennard-jones", "options": OPTIONS}]
    path = fitted / "program.nnp"
    replace(plain, baseline=(Baseline("vasp", {"command": "true"}),)).save(path)
    with pytest.raises(
        OptionError, match=r"on top of vasp \(command=true\), which a file may not start"
    ):
        nnp.load(path)
    given = nnp.load(path, baseline=calculator())
    expected = nnp.load(path, baseline=False).evaluate(labelled()).energy
    reference = labelled()
    reference.calc = calculator()
    found = given.evaluate(labelled()).energy
    assert found == pytest.approx(expected + reference.get_potential_energy())
    plain.save(fitted / "plain.nnp")
    with pytest.raises(OptionError, match="was fitted on top of nothing"):
        nnp.load(fitted / "plain.nnp", baseline=calculator())
    replace(plain, baseline=(Baseline("dftd3", {"method": "PBE"}),)).save(fitted / "d3.nnp")
    monkeypatch.setitem(sys.modules, "dftd3.ase", None)
    with pytest.raises(UnavailableError, match="baseline dftd3 needs dftd3: pip install dftd3"):
        nnp.load(fitted / "d3.nnp")


@pytest.mark.parametrize(
    ("leave", "where"),
    [
        (lambda potential, folder: nnp.io.n2p2.write(potential, folder / "n2p2"), "n2p2's files"),
        (lambda potential, _: flatten(potential), "compiled code"),
        (lambda potential, _: PortableModel(potential, None), "a torch module"),
    ],
)
def test_what_takes_networks_only_refuses(leave, where, tmp_path):
    potential = replace(random_potential(("Si",), 1, ("radial",)), baseline=PARTS)
    with pytest.raises(OptionError, match=rf"on top of lennard-jones .* which {where} cannot hold"):
        leave(potential, tmp_path)


def test_committees_add_it_once(tmp_path):
    members = [random_potential(("Si",), seed, ("radial",)) for seed in (1, 2)]
    whole = Committee.of([replace(member, baseline=PARTS) for member in members])
    bare, atoms = Committee.of(members), labelled()
    reference = labelled()
    reference.calc = calculator()
    whole.save(tmp_path / "committee.nnp")
    for committee in (whole, nnp.load(tmp_path / "committee.nnp")):
        found, part = committee.evaluate(atoms), bare.evaluate(atoms)
        assert found.energy == pytest.approx(part.energy + reference.get_potential_energy())
        np.testing.assert_array_equal(found.forces_deviation, part.forces_deviation)
        assert committee.mean().baseline == PARTS
    with pytest.raises(
        OptionError, match=r"member 0 has lennard-jones .* and member 1 has nothing"
    ):
        Committee.of([replace(members[0], baseline=PARTS), members[1]])


def test_a_structure_that_it_cannot_compute_is_named(fitted):
    data = Dataset.read(fitted / "data.extxyz")
    argon = BaselineSettings({"lennard-jones": {}})
    with pytest.raises(StructureError, match=r"data.extxyz, structure 0: .*Si"):
        build(settings(baseline=argon), data, Dataset(()), quiet=True)


def test_another_baseline_is_another_run(fitted):
    config = fitted / "other.toml"
    config.write_text((fitted / "fit.toml").read_text().replace("0.1, 2.2", "0.2, 2.2"))
    with pytest.raises(OptionError, match="belongs to a run with other settings"):
        nnp.train.train(read_settings(config), resume=True, quiet=True)


def test_dispersion(tmp_path):
    """D3 of s-dftd3, and what it needs to be told."""
    d3 = pytest.importorskip("dftd3.ase", reason="dftd3 is not installed")
    potential = random_potential(("H", "O"), 1, ("radial",))
    part = Baseline("dftd3", {"method": "PBE", "damping": "d3bj"})
    replace(potential, baseline=(part,)).save(tmp_path / "d3.nnp")
    water = molecule("H2O")
    found = nnp.load(tmp_path / "d3.nnp").evaluate(water)
    alone, water.calc = potential.evaluate(water), d3.DFTD3(method="PBE", damping="d3bj")
    assert found.energy == pytest.approx(alone.energy + water.get_potential_energy(), abs=1e-12)
    np.testing.assert_allclose(found.forces, alone.forces + water.get_forces(), atol=1e-12)
    with pytest.raises(OptionError, match="dftd3 needs the functional of the labels"):
        Baseline("dftd3").calculator()
    assert not isinstance(LennardJones(), type(water.calc))
