"""`NNPCalculator.train`: files and atoms in memory, what comes back, refusals."""

from __future__ import annotations

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import nnp
from nnp.ase import NNPCalculator
from nnp.errors import FileFormatError, OptionError, OutputExistsError, StructureError
from nnp.teachers.ase import LennardJones

pytest.importorskip("torch", reason="training needs torch")

SMALL = {
    "functions": {"generate": {"cutoff": 8.5, "radial": [{"count": 6}], "angular": []}},
    "network": {"hidden": [6]},
    "data": {"split": {"fraction": 0.25}},
}


@pytest.fixture(scope="module")
def images():
    """Shaken argon, labelled."""
    found = []
    for seed in range(12):
        atoms = bulk("Ar", a=5.3 + 0.02 * (seed % 4), cubic=True)
        atoms.rattle(0.2, seed=seed)
        atoms.calc = LennardJones()
        atoms.get_forces()
        found.append(atoms)
    return found


def settings(tmp_path, name="fit", epochs=3, **more):
    run = {"epochs": epochs, "output": str(tmp_path / name)}
    return {**SMALL, "run": run, "quiet": True, **more}


def test_learns_and_is_a_calculator(images, tmp_path):
    calculator = NNPCalculator.train(images, **settings(tmp_path, epochs=30))
    errors = []
    for image in images:
        atoms = image.copy()
        atoms.calc = calculator
        errors.append(atoms.get_forces() - image.get_forces())
    rms = np.sqrt(np.mean(np.square([image.get_forces() for image in images])))
    assert np.sqrt(np.mean(np.square(errors))) < 0.1 * rms
    saved = nnp.load(tmp_path / "fit" / "best.nnp")
    assert saved.evaluate(images[0]).energy == calculator.potential.evaluate(images[0]).energy


def test_files_give_what_atoms_give(images, tmp_path):
    ase.io.write(tmp_path / "training.traj", images)
    ase.io.write(tmp_path / "first.traj", images[:5])
    ase.io.write(tmp_path / "rest.traj", images[5:])
    found = [
        NNPCalculator.train(given, **settings(tmp_path, str(number)))
        for number, given in enumerate(
            (
                images,
                tmp_path / "training.traj",
                [tmp_path / "first.traj", str(tmp_path / "rest.traj")],
            )
        )
    ]
    energies = {calculator.potential.evaluate(images[0]).energy for calculator in found}
    assert len(energies) == 1


def test_a_run_is_continued_or_refused(images, tmp_path):
    whole = NNPCalculator.train(images, **settings(tmp_path, "whole", 4))
    NNPCalculator.train(images, **settings(tmp_path, "part", 2))
    with pytest.raises(OutputExistsError, match="resume=True"):
        NNPCalculator.train(images, **settings(tmp_path, "part", 4))
    resumed = NNPCalculator.train(images, resume=True, **settings(tmp_path, "part", 4))
    wanted = whole.potential.evaluate(images[0]).energy
    assert resumed.potential.evaluate(images[0]).energy == wanted
    NNPCalculator.train(images, force=True, **settings(tmp_path, "part", 2))


def test_committee(images, tmp_path):
    calculator = NNPCalculator.train(images, **settings(tmp_path, committee={"members": 2}))
    atoms = images[0].copy()
    atoms.calc = calculator
    atoms.get_potential_energy()
    assert calculator.results["energy_deviation"] > 0
    assert nnp.load(tmp_path / "fit" / "committee.nnp").elements == ("Ar",)


def test_only_what_was_computed_is_a_label(images, tmp_path):
    """One calculator for all images has results of the last alone."""
    shared = LennardJones()
    copies = [image.copy() for image in images]
    for atoms in copies:
        atoms.calc = shared
    copies[-1].get_forces()
    bare = [image.copy() for image in images]
    with pytest.raises(StructureError, match=r"images\.traj, structure 0.*neither energy"):
        NNPCalculator.train(bare, **settings(tmp_path, "bare"))
    assert not (tmp_path / "bare").exists()
    with pytest.raises(StructureError, match="neither energy"):
        NNPCalculator.train(copies[:-1], **settings(tmp_path, "shared"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "images holds nothing"),
        ([1.0], "images holds float"),
        (["training.traj", Atoms("Ar")], "images holds Atoms, str"),
    ],
)
def test_images_of_the_wrong_kind(given, message):
    with pytest.raises(OptionError, match=message):
        NNPCalculator.train(given)


def test_refusals(images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFormatError, match="does not exist"):
        NNPCalculator.train(tmp_path / "nowhere.traj")
    with pytest.raises(OptionError, match="networks is unknown: did you mean 'network'"):
        NNPCalculator.train(images, networks={"hidden": [4]})
    with pytest.raises(OptionError, match=r"network\.hiden is unknown: did you mean 'hidden'"):
        NNPCalculator.train(images, network={"hiden": [4]})
    with pytest.raises(OptionError, match=r"data\.train = 'a\.traj': leave it out"):
        NNPCalculator.train(images, data={"train": "a.traj"})
    with pytest.raises(OptionError, match=r"\[data\] must be a table, got 3"):
        NNPCalculator.train(images, data=3)
