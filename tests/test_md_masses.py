"""Heavier hydrogen: masses that move and stay in sum, statistics that stay."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import read, write
from pair_potential import pair_potential
from runs import nnp

from nnp.errors import OptionError, StructureError
from nnp.md.masses import with_heavy_hydrogen


def test_bound_atoms_give_and_the_sum_stays():
    atoms = molecule("CH3CH2OH")
    found = with_heavy_hydrogen(atoms, 3.0)
    hydrogen = atoms.numbers == 1
    np.testing.assert_allclose(found.get_masses()[hydrogen], 3.0)
    assert found.get_masses().sum() == pytest.approx(atoms.get_masses().sum())
    given = (atoms.get_masses() - found.get_masses())[~hydrogen]
    counts = sorted(np.rint(given / (3.0 - 1.008)).tolist())
    assert counts == [1, 2, 3]  # OH, CH2, CH3
    np.testing.assert_array_equal(atoms.get_masses()[hydrogen], 1.008)


def test_across_the_boundary():
    """A bond through the cell's face."""
    atoms = Atoms("OH", [(0.1, 5, 5), (9.15, 5, 5)], cell=[10] * 3, pbc=True)
    np.testing.assert_allclose(with_heavy_hydrogen(atoms, 4.0).get_masses()[1], 4.0)


def test_refusals():
    with pytest.raises(StructureError, match=r"atom 0 \(H\) is bound to no other element"):
        with_heavy_hydrogen(molecule("H2"), 2.0)
    with pytest.raises(OptionError, match=r"leaves 0\.04 u to atom 0 \(C\): take less"):
        with_heavy_hydrogen(molecule("CH4"), 4.0)
    with pytest.raises(OptionError, match=r"hydrogen_mass=0\.5: a number from 1\.008 u"):
        with_heavy_hydrogen(molecule("CH4"), 0.5)


def test_the_run_has_these_masses(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pair_potential().save("model.nnp")
    write("start.extxyz", Atoms("SiSi", [(0, 0, 0), (0, 0, 2.6)]))
    words = ("md", "model.nnp", "start.extxyz", "--steps", "0", "--no-pictures")
    assert nnp(*words, "--hydrogen-mass", "3") == 1
    assert "the structure has no hydrogen: leave it out" in capsys.readouterr().err
    assert nnp(*words) == 0
    np.testing.assert_allclose(read("md.final.extxyz").get_masses(), 28.085)
    write("start.extxyz", Atoms("H2", [(0, 0, 0), (0, 0, 0.74)]))
    assert nnp(*words, "--force", "--hydrogen-mass", "3") == 1
    assert "is bound to no other element" in capsys.readouterr().err
