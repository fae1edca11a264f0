"""``nnp convert``: potentials and structures, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from ase.io import read, write
from pair_potential import pair_potential
from runs import moving_crystal, nnp

import nnp as package
from nnp.io.structures import read_structures
from nnp.units import METAL


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pair_potential().save("model.nnp")
    write("in.extxyz", moving_crystal())
    return tmp_path


@pytest.mark.parametrize("units", ["atomic", "metal"])
def test_potential_there_and_back(units, capsys):
    assert nnp("convert", "model.nnp", "directory", "--target-units", units) == 0
    assert nnp("convert", "directory", "again.nnp", "--units", units) == 0
    again = package.load("again.nnp")
    atoms = moving_crystal()
    wanted = pair_potential().evaluate(atoms)
    np.testing.assert_allclose(again.evaluate(atoms).forces, wanted.forces, rtol=1e-10, atol=1e-12)
    assert "directory: n2p2 directory in" in capsys.readouterr().out


def test_directory_to_directory_changes_units():
    assert nnp("convert", "model.nnp", "one", "--target-units", "metal") == 0
    assert nnp("convert", "one", "two", "--units", "metal", "--target-units", "atomic") == 0
    assert package.load("two").cutoff == pytest.approx(4.5)
    assert package.load("two").units.length == "bohr"


def test_structures_there_and_back():
    assert nnp("convert", "in.extxyz", "input.data", "--target-units", "metal") == 0
    assert nnp("convert", "input.data", "out.extxyz", "--units", "metal") == 0
    np.testing.assert_allclose(read("out.extxyz").positions, read("in.extxyz").positions)
    (bohr,) = read_structures("input.data")
    (angstrom,) = read_structures("input.data", METAL)
    np.testing.assert_allclose(bohr.cell, angstrom.cell * 0.529177210544)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model.nnp", "x.nnp", "--units", "metal"], "a one-file model carries its own units"),
        (["model.nnp", "x.nnp", "--target-units", "metal"], "is always in Å and eV; leave it out"),
        (
            ["in.extxyz", "x.data", "--units", "metal"],
            "XYZ) is not an input.data and carries",
        ),
        (["in.extxyz", "x.xyz", "--target-units", "metal"], "x.xyz is not written as input.data"),
        (["model.nnp", "in.extxyz"], "in.extxyz the name of a file of structures"),
        (["model.nnp", "c1.extxyz"], "is a potential, and c1.extxyz the name of a file of struct"),
        (["model.nnp", "input.data"], "becomes FILE.nnp, a nep.txt or a directory"),
        (["in.extxyz", "model.nnp"], "model.nnp exists"),
        (["nothing", "x.nnp"], "nothing does not exist"),
    ],
)
def test_refusals_write_nothing(folder, capsys, words, message):
    before = sorted(folder.iterdir())
    assert nnp("convert", *words) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before
