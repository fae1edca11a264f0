"""LAMMPS's dumps and data: elements are said, never types taken for atomic numbers."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from structure_files import DUMP_ROWS, data, dump, masses, reading

from nnp.errors import FileFormatError, OptionError

ASK = r"nothing states which element type 1.*--types"


@pytest.mark.parametrize("name", ["a.lammpstrj", "a.dump", "dump", "a.xyz.1"])
def test_a_dump_of_types_is_refused_and_read_with_types(tmp_path, name):
    with pytest.raises(FileFormatError, match=f"line 10: {ASK}"):
        reading(tmp_path / name, dump())
    found = reading(tmp_path / name, dump(), types="O,H")
    assert [atoms.get_chemical_formula() for atoms in found.frames] == ["H2O", "H2O"]
    assert all(atoms.calc is None for atoms in found.frames)
    assert "(O 2, H 4), periodic cell, no labels, no velocities; LAMMPS dump" in found.line


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("id element x y z", "1 O 1 1 1\n3 H .76 1.93 1\n2 H 1.96 1 1"),
        ("id type mass xu yu zu", "1 1 15.9994 1 1 1\n2 2 1.00794 1.96 1 1\n3 2 1.008 .76 1.93 1"),
        ("id type x y z", "1 O 1 1 1\n2 H 1.96 1 1\n3 H .76 1.93 1"),
    ],
)
def test_elements_of_a_dump(tmp_path, columns, rows):
    found = reading(tmp_path / "a.dump", dump(columns, rows, z="ff"))
    assert found.frames[0].get_chemical_symbols() == ["O", "H", "H"]
    assert found.frames[0].pbc.tolist() == [True, True, False]
    np.testing.assert_allclose(found.frames[0].positions[2], [0.76, 1.93, 1])


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("id mass x y z", "1 12.0 1 1 1\n2 3.0 1.96 1 1\n3 3.0 .76 1.93 1"),
        ("id type mass x y z", "1 1 9.95 1 1 1\n2 2 4.0 1.96 1 1\n3 2 4.0 .76 1.93 1"),
        ("id x y z", "1 1 1 1\n2 1.96 1 1\n3 .76 1.93 1"),
    ],
)
def test_masses_of_no_element_are_asked_for(tmp_path, columns, rows):
    with pytest.raises(FileFormatError, match=r"nothing states which element .*--types"):
        reading(tmp_path / "a.dump", dump(columns, rows))


def test_lammps_own_default_of_the_element_is_none(tmp_path):
    rows = "1 1 C 1 1 1\n2 2 C 1.96 1 1\n3 2 C .76 1.93 1"
    with pytest.raises(FileFormatError, match="all types have the element C"):
        reading(tmp_path / "a.dump", dump("id type element x y z", rows))
    found = reading(tmp_path / "a.dump", dump("id type element x y z", rows), types="O,H")
    assert found.frames[0].get_chemical_formula() == "H2O"


@pytest.mark.parametrize(("said", "factor"), [("metal", 1e-3), ("real", 1.0)])
def test_forces_and_velocities_of_a_dump_need_units(tmp_path, said, factor):
    rows = "\n".join(f"{row} .1 .2 .3 .5 .5 .5" for row in DUMP_ROWS.splitlines())
    text = dump("id type x y z fx fy fz vx vy vz", rows)
    bare = reading(tmp_path / "a.dump", text, types="O,H")
    assert not bare.frames[0].has("momenta")
    assert any("fx, fy, fz, vx, vy, vz are not used" in remark for remark in bare.remarks)
    for found in (
        reading(tmp_path / "a.dump", text, types="O,H", lammps_units=said),
        reading(tmp_path / "b.dump", f"ITEM: UNITS\n{said}\n{text}", types="O,H"),
    ):
        velocity = found.frames[0].get_velocities()[0, 0] * units.fs
        assert velocity == pytest.approx(0.5 * factor)
        assert "energy" not in found.labels[0].results()  # ASE has 0.0 here
    with pytest.raises(FileFormatError, match="its units are lj"):
        reading(tmp_path / "c.dump", f"ITEM: UNITS\nlj\n{text}", types="O,H")


@pytest.mark.parametrize("name", ["water.data", "water", "data.water", "water.lmp", "input.data"])
def test_a_data_file_is_known_by_its_content(tmp_path, name):
    found = reading(tmp_path / name, data(masses("15.9994", "1.008")))
    assert found.frames[0].get_chemical_symbols() == ["O", "H", "H"]
    assert found.form.title == "LAMMPS data"
    assert "charges" in found.line


@pytest.mark.parametrize(
    "section",
    [
        "",
        masses("12.0", "3.0"),
        masses("9.95", "4.03"),
        masses("12.0 # O", "3.0 # H"),
        masses("12.0", "4.0"),
        masses("40.0", "1.008"),
    ],
)
def test_types_of_a_data_file_without_an_elements_mass(tmp_path, section):
    with pytest.raises(FileFormatError, match=r"nothing states which element type .*--types"):
        reading(tmp_path / "x.data", data(section))
    found = reading(tmp_path / "x.data", data(section), types="O,H")
    assert found.frames[0].get_chemical_symbols() == ["O", "H", "H"]


def test_repartitioned_masses_stay_the_atoms_masses(tmp_path):
    found = reading(tmp_path / "x.data", data(masses("12.0", "3.0")), types="1=O,2=H")
    assert found.frames[0].get_masses() == pytest.approx([12, 3, 3])


@pytest.mark.parametrize(
    "section", ["Atom Type Labels\n\n1 O\n2 H\n\n", masses("15.999 # O", "3.024 # H")]
)
def test_labels_and_comments_that_are_symbols_say_the_elements(tmp_path, section):
    found = reading(tmp_path / "x.data", data(section))
    assert found.frames[0].get_chemical_symbols() == ["O", "H", "H"]


def test_types_that_do_not_fit(tmp_path):
    with pytest.raises(FileFormatError, match="types O,H,C are 3, it has 2"):
        reading(tmp_path / "x.data", data(), types="O,H,C")
    with pytest.raises(FileFormatError, match="type 2"):
        reading(tmp_path / "x.data", data(), types="O")
    with pytest.raises(OptionError, match="'Xx' is not the symbol"):
        reading(tmp_path / "x.data", data(), types="O,Xx")


def test_velocities_of_a_data_file(tmp_path):
    text = data(masses("15.9994", "1.008")) + "\nVelocities\n\n1 .01 0 0\n2 0 0 0\n3 0 0 0\n"
    assert any("velocities are not used" in r for r in reading(tmp_path / "x", text).remarks)
    said = text.replace("water", "made by write_data, units = real", 1)
    velocities = reading(tmp_path / "x", said).frames[0].get_velocities()
    assert velocities[0, 0] * units.fs == pytest.approx(0.01)


def test_columns_of_atoms_that_can_mean_two_styles_are_asked_for(tmp_path):
    text = data(masses("15.9994", "1.008")).replace(" 1 -0.8 ", " 1 ").replace(" 2 0.4 ", " 2 ")
    with pytest.raises(FileFormatError, match="6 columns of Atoms can mean several styles"):
        reading(tmp_path / "x", text)
    found = reading(tmp_path / "x", text.replace("Atoms", "Atoms # molecular"))
    assert found.frames[0].get_chemical_symbols() == ["O", "H", "H"]
