"""Units of files that do not say them: wrong ones show in cutoffs and densities, and are said."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from n2p2_files import TINY_INPUT, write_tiny

import nnp
from nnp.cli import main
from nnp.io.n2p2.plausible import training_density
from nnp.scaling import Scaling

SILICON = 8 / 5.43**3  # atoms per Å³


def directory(tmp_path, cutoff, atoms=None):
    """The tiny potential in Å with this cutoff, and with the statistics of some atoms."""
    folder = write_tiny(tmp_path / "p", TINY_INPUT.replace("6.0", str(cutoff)))
    if atoms is not None:
        values = np.concatenate(nnp.load(folder, "metal").descriptors(atoms))
        row = (values.min() - 1, values.max() + 1, values.mean(), values.std())
        (folder / "scaling.data").write_text("1 1 " + " ".join(f"{v:.9f}" for v in row) + "\n")
    return folder


def solid():
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.02, seed=0)
    return atoms


def test_density_of_the_training_data(tmp_path):
    """Its estimate by a mean over the sphere, for a solid and a gas."""
    folder = directory(tmp_path, 6.0, solid())
    assert training_density(nnp.load(folder, "metal")) == pytest.approx(SILICON, rel=0.15)
    thin = Atoms("Si2", positions=[[0, 0, 0], [3, 0, 0]], cell=[20] * 3, pbc=True)
    folder = directory(tmp_path, 6.0, thin)
    assert training_density(nnp.load(folder, "metal")) < 0.005


@pytest.mark.parametrize(("name", "density"), [("H2O_RPBE-D3", 0.1), ("DMABN_SCAN", 0.0)])
def test_density_of_real_potentials(reference_data, name, density):
    found = training_density(nnp.load(reference_data / "n2p2" / name))
    assert found == pytest.approx(density, rel=0.1, abs=0.005)


@pytest.mark.parametrize(
    ("cutoff", "evidence"),
    [
        (6.0, r"the largest cutoff, 6, looks like angstrom: .* the cutoff is 3\.175 Å"),
        (9.0, r"the training data's density, 0\.3\d atoms per Å³ .*, looks like angstrom"),
    ],
)
def test_bohr_for_angstrom_is_seen(tmp_path, cutoff, evidence):
    folder = directory(tmp_path, cutoff, solid())
    with pytest.warns(UserWarning, match=rf"p: the files are taken to be in bohr.*{evidence}"):
        nnp.load(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nnp.load(folder, "metal")


COMMANDS = [
    ["info", "P"],
    ["predict", "P", "S", "--output", "OUT.extxyz"],
    ["convert", "P", "OUT.nnp"],
    ["evaluate", "P", "S"],
    ["md", "P", "S", "--steps", "1", "--output", "OUT"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
@pytest.mark.parametrize("told", [[], ["--units", "atomic"]], ids=["assumed", "told"])
def test_every_command_warns_with_the_numbers(tmp_path, capsys, words, told, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = directory(tmp_path, 6.0, solid())
    frame = solid()
    frame.info["energy"] = -1.0
    write(tmp_path / "s.extxyz", frame)
    names = {"P": str(folder), "S": str(tmp_path / "s.extxyz")}
    words = [names.get(w, w.replace("OUT", str(tmp_path / "out"))) for w in words]
    main([*words, *told])
    out, err = capsys.readouterr()
    if words[0] == "info":
        assert "WARNING     the files are taken to be in bohr, hartree, but the largest cut" in out
        return
    assert err.count("the largest cutoff, 6, looks like angstrom") == 1
    said = "" if told else " (assumed: they do not state their units; --units does)"
    assert f"{folder}: files in bohr, hartree{said}\n" in out


def test_a_model_of_wrong_units_is_warned_of(tmp_path, capsys):
    """What was converted without a look at the warning."""
    folder, model = directory(tmp_path, 6.0, solid()), tmp_path / "m.nnp"
    main(["convert", str(folder), str(model)])
    write(tmp_path / "s.xyz", solid())
    capsys.readouterr()
    main(["predict", str(model), str(tmp_path / "s.xyz"), "--output", str(tmp_path / "o.extxyz")])
    out, err = capsys.readouterr()
    assert f"{model}: one-file model in Å and eV, from files in bohr, hartree\n" in out
    assert "m.nnp: it was made of files taken to be in bohr, hartree, but the largest cut" in err
    assert "convert the directory again with --units angstrom,eV" in err


def test_trained_models_say_nothing_of_files(tmp_path, capsys):
    """A cutoff of 12 Å is unusual and no error of units where there were no files."""
    potential = replace(nnp.load(directory(tmp_path, 12.0), "metal"), provenance={})
    potential.save(tmp_path / "m.nnp")
    main(["info", str(tmp_path / "m.nnp")])
    assert "WARNING" not in capsys.readouterr().out


def test_potentials_without_radial_functions_have_no_density(silicon):
    (model,) = silicon.models
    scaling = model.scaling
    assert isinstance(scaling, Scaling)
    assert training_density(silicon) is not None
    angular = nnp.testing.random_potential(("Si",), 0, ("angular_narrow",))
    assert training_density(angular) is None
