"""What a format cannot hold is refused where it would change the atoms, and said otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, FixBondLength
from ase.io import write
from runs import nnp

from nnp.errors import StructureError
from nnp.io.structures import read_structures, write_structures

PERIODIC_ONLY = ["POSCAR", "a.vasp", "a.cif", "a.res", "a.pdb", "a.gro", "a.gen"]


def crystal():
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.mark.parametrize("name", PERIODIC_ONLY)
@pytest.mark.parametrize("pbc", [(True, True, False), (True, False, False)])
def test_a_slab_is_not_written_as_a_crystal(tmp_path, name, pbc):
    atoms = crystal()
    atoms.pbc = pbc
    with pytest.raises(StructureError, match=r"structure 0: it has pbc = T .* F, .*extxyz"):
        write_structures([atoms], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["POSCAR", "a.cif", "a.res"])
def test_a_molecule_in_a_box_is_not_written_as_a_crystal(tmp_path, name):
    atoms = molecule("H2O")
    atoms.center(4)
    with pytest.raises(StructureError, match="pbc = F F F"):
        write_structures([atoms], tmp_path / name)


@pytest.mark.parametrize("name", ["a.extxyz", "a.traj", "a.json", "a.db", "a.xsf"])
@pytest.mark.parametrize("pbc", [(False,) * 3, (True, True, False), (True,) * 3])
def test_what_holds_every_periodicity_goes_round(tmp_path, name, pbc):
    atoms = crystal()
    atoms.pbc = pbc
    assert write_structures([atoms], tmp_path / name) == []
    (again,) = read_structures(tmp_path / name)
    assert again.pbc.tolist() == list(pbc)
    np.testing.assert_allclose(again.positions, atoms.positions, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("a.extxyz", ()),
        ("a.traj", ()),
        ("a.json", ()),
        ("a.xsf", ("stress", "velocities", "constraints", "charges")),
        ("POSCAR", ("energy", "forces", "stress", "charges")),
        ("a.cif", ("energy", "forces", "stress", "velocities", "constraints", "charges")),
        ("a.data", ("stress", "velocities", "constraints")),
    ],
)
def test_what_is_lost_is_said(tmp_path, name, lost):
    atoms = crystal()
    atoms.set_constraint(FixAtoms([0, 3]))
    atoms.set_velocities(np.ones((8, 3)) * 0.01)
    atoms.set_initial_charges(np.linspace(-0.7, 0.7, 8))
    results = {"energy": -3.0, "forces": 0.1 * np.ones((8, 3)), "stress": np.arange(6) * 0.01}
    atoms.calc = SinglePointCalculator(atoms, **results)
    found = write_structures([atoms], tmp_path / name)
    assert len(found) == bool(lost)
    words = found[0].partition(" does not hold ")[2].split(", ") if found else []
    assert words == list(lost)


def test_a_constraint_that_extxyz_has_no_word_for_is_said(tmp_path):
    atoms = crystal()
    atoms.set_constraint(FixBondLength(0, 1))
    assert write_structures([atoms], tmp_path / "a.extxyz") == [
        f"{tmp_path / 'a.extxyz'} does not hold constraints"
    ]


@pytest.mark.parametrize("name", ["POSCAR", "a.gro"])
def test_several_structures_in_a_format_of_one(tmp_path, name):
    with pytest.raises(StructureError, match="cannot hold the structures"):
        write_structures([crystal(), crystal()], tmp_path / name)


def test_the_command_says_or_refuses(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    slab = crystal()
    slab.pbc = (True, True, False)
    write("slab.extxyz", slab)
    for name in ("POSCAR", "x.cif"):
        assert nnp("convert", "slab.extxyz", name) == 1
        assert "pbc = T T F" in capsys.readouterr().err
        assert not (tmp_path / name).exists()
    atoms = crystal()
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
    write("crystal.extxyz", atoms)
    assert nnp("convert", "crystal.extxyz", "POSCAR") == 0
    assert "POSCAR does not hold energy" in capsys.readouterr().out


def test_names_with_an_at_sign_are_names(tmp_path):
    write_structures([Atoms("H")], tmp_path / "a@1.extxyz")
    assert len(read_structures(tmp_path / "a@1.extxyz")) == 1
