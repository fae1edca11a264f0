"""``nnp predict``: results, errors against references, refusals that write nothing."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from pair_potential import pair_potential
from runs import crystal, moving_crystal, nnp

from nnp.io import n2p2
from nnp.io.structures import read_structures, write_structures
from nnp.units import ATOMIC, METAL
from nnp.values import counted


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a model, to work in."""
    monkeypatch.chdir(tmp_path)
    pair_potential().save("model.nnp")
    return tmp_path


def labelled(shift):
    """A rattled crystal whose labels are off by ``shift`` eV per atom and eV/Å."""
    atoms = moving_crystal()
    found = pair_potential().evaluate(atoms)
    atoms.calc = SinglePointCalculator(
        atoms, energy=found.energy - shift * len(atoms), forces=found.forces - shift
    )
    return atoms


def test_results_read_back_in_ase():
    frames = [moving_crystal(), crystal()]
    write("in.extxyz", frames)
    assert nnp("predict", "model.nnp", "in.extxyz", "--stress") == 0
    given = read("in.extxyz", ":")  # rounded to the digits of the format
    for found, atoms in zip(read("predicted.extxyz", ":"), given, strict=True):
        wanted = pair_potential().evaluate(atoms, stress=True)
        assert found.get_potential_energy() == pytest.approx(wanted.energy, rel=1e-12)
        np.testing.assert_allclose(found.get_forces(), wanted.forces, atol=1e-7)
        np.testing.assert_allclose(found.get_stress(), wanted.stress, atol=1e-12)
        np.testing.assert_allclose(found.calc.results["energies"], wanted.energies, atol=1e-7)


def test_errors_against_references(capsys):
    write("in.extxyz", [labelled(0.001), labelled(-0.003)])
    assert nnp("predict", "model.nnp", "in.extxyz", "--output", "out.extxyz") == 0
    text = capsys.readouterr().out
    assert "energy  MAE 2.000  RMSE 2.236  mean -1.000  largest 3.000 meV/atom" in text
    assert "forces  MAE 0.0020  RMSE 0.0022  largest 0.0030 eV/Å" in text
    out = read("out.extxyz", 0)
    wanted = labelled(0.001)
    assert out.info["ref_energy"] == pytest.approx(wanted.get_potential_energy())
    np.testing.assert_allclose(out.arrays["ref_forces"], wanted.get_forces(), atol=1e-7)


def test_no_references(capsys):
    write("in.extxyz", bulk("Si", "fcc", 3.717))
    assert nnp("predict", "model.nnp", "in.extxyz") == 0
    assert "no references in the file" in capsys.readouterr().out


def test_input_data_is_in_the_units_of_the_potential(capsys):
    n2p2.write(pair_potential(), "directory", "atomic")
    write_structures([labelled(0.0)], "input.data", ATOMIC)
    assert nnp("predict", "directory", "input.data") == 0
    assert "energy  MAE 0.000  RMSE 0.000" in capsys.readouterr().out


def test_results_as_input_data():
    write("in.extxyz", moving_crystal())
    assert nnp("predict", "model.nnp", "in.extxyz", "--output", "out.data") == 0
    (found,) = read_structures("out.data", pair_potential().units)
    wanted = pair_potential().evaluate(read("in.extxyz"))
    np.testing.assert_allclose(found.get_forces(), wanted.forces, atol=1e-7)


def test_extrapolation_is_summed_up(capsys):
    inside, outside = moving_crystal(), moving_crystal()
    outside.positions[7] += (0.9, 0.0, 0.0)
    write("in.extxyz", [inside, outside])
    assert nnp("predict", "model.nnp", "in.extxyz") == 0
    text = capsys.readouterr().out
    found = pair_potential().evaluate(outside).extrapolations
    atoms = counted(found.n_atoms, "atom")
    assert f"extrapolating: {atoms} in 1 structure; worst: structure 1" in text
    assert f"atom {found.worst.atom} (Si), function {found.worst.function + 1} (radial Si" in text


def test_index_chooses_structures(capsys):
    write("in.extxyz", [crystal()] * 3)
    assert nnp("predict", "model.nnp", "in.extxyz", "--index", "1:") == 0
    assert "2 structures" in capsys.readouterr().out


def test_many_structures():
    write("in.extxyz", [crystal(1)] * 12)
    assert nnp("predict", "model.nnp", "in.extxyz") == 0
    assert len(read("predicted.extxyz", ":")) == 12


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["in.extxyz", "--engine", "magic"], "engine='magic' is unknown: allowed are auto, "),
        (["in.extxyz", "--index", "9"], "index='9' of in.extxyz: it has 2 structures, 0 to 1"),
        (["gold.extxyz"], "gold.extxyz, structure 0: atom 0 is Au, but the potential knows only"),
        (["molecule.extxyz", "--stress"], "molecule.extxyz, structure 0: a volume"),
        (["overlap.extxyz"], "overlap.extxyz, structure 0: atoms "),
        (["missing.extxyz"], "missing.extxyz does not exist: give a file of structures"),
        (["in.extxyz", "--output", "no/such/folder.extxyz"], "cannot write no/such/folder.extxyz"),
        (["in.extxyz", "--output", "out.what"], "out.what: no format belongs to this name"),
    ],
)
def test_refusals_write_nothing(folder, capsys, words, message):
    write("in.extxyz", [crystal()] * 2)
    write("gold.extxyz", bulk("Au"))
    molecule = crystal(1)
    molecule.pbc = False
    write("molecule.extxyz", molecule)
    molecule.positions[1] = molecule.positions[0]
    write("overlap.extxyz", molecule)
    before = sorted(folder.iterdir())
    assert nnp("predict", "model.nnp", *words) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"nnp: error: {message}")
    assert captured.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_existing_output_is_kept_unless_forced(folder, capsys):
    write("in.extxyz", crystal())
    (folder / "predicted.extxyz").write_text("precious")
    assert nnp("predict", "model.nnp", "in.extxyz") == 1
    assert "predicted.extxyz exists: choose another name, or overwrite with --force" in (
        capsys.readouterr().err
    )
    assert (folder / "predicted.extxyz").read_text() == "precious"
    assert nnp("predict", "model.nnp", "in.extxyz", "--force") == 0
    assert len(read("predicted.extxyz")) == 32


def test_published_errors_of_silicon(reference_data, capsys):
    """Errors that were measured with n2p2 itself on the same structures."""
    data = reference_data / "mlearn/Si"
    assert nnp("predict", data / "potential", data / "test.extxyz") == 0
    text = capsys.readouterr().out
    assert "energy  MAE 5.63" in text
    assert "RMSE 6.93" in text
    assert "forces  MAE 0.1086  RMSE 0.1697" in text


@pytest.mark.parametrize("name", ["x.pdb", "x.cif", "x.gro", "POSCAR"])
def test_formats_without_energies_and_forces_are_refused(capsys, folder, name):
    write("in.extxyz", crystal())
    assert nnp("predict", "model.nnp", "in.extxyz", "--output", name) == 1
    assert "holds no energies and forces: take extxyz" in capsys.readouterr().err
    assert not (folder / name).exists()


@pytest.mark.parametrize("name", ["x.extxyz", "x.xyz", "x.traj", "x.db", "x.json", "x.data"])
def test_formats_that_are_allowed_hold_the_results(name):
    write("in.extxyz", moving_crystal())
    assert nnp("predict", "model.nnp", "in.extxyz", "--output", name) == 0
    (found,) = read_structures(name, METAL)
    wanted = pair_potential().evaluate(found)
    assert found.calc.results["energy"] == pytest.approx(wanted.energy)
    np.testing.assert_allclose(found.calc.results["forces"], wanted.forces, atol=1e-6)


def test_a_picture_of_no_format_is_refused_before_anything_is_measured(capsys, monkeypatch):
    monkeypatch.setattr("nnp.cli.bench.measure", None)
    for name in ("x.foo", "x"):
        assert nnp("bench", "model.nnp", "--plot", name) == 1
        assert f"{name}: the suffix decides a picture's format" in capsys.readouterr().err
    assert nnp("bench", "model.nnp", "--plot", "none/x.png") == 1
    assert "there is no folder none" in capsys.readouterr().err
