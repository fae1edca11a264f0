"""XYZ: rows that break their format, cells in comments, velocities without a unit."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import write
from runs import nnp
from structure_files import WATER_ROWS, extended, reading, xyz

from nnp.errors import FileFormatError
from nnp.io.structures import ReadOptions, read_structures
from nnp.units import BOHR, METAL

CUBE = "12.0 12.0 12.0 90.0 90.0 90.0"


@pytest.mark.parametrize(
    ("comment", "lengths", "scale"),
    [
        (f"# CELL(abcABC): {CUBE} Step: 0 Bead: 0 positions{{angstrom}} cell{{angstrom}}", 12, 1),
        (f"# CELL[abcABC]: {CUBE} cell{{atomic_unit}} positions{{angstrom}}", 12 * BOHR, 1),
        (f"# bead: 3 CELL{{abcABC}}: {CUBE} positions{{atomic_unit}} cell{{angstrom}}", 12, BOHR),
        ("# CELL(GENH): 12 0 0 0 12 0 0 0 12 positions{angstrom} cell{angstrom}", 12, 1),
        ("# CELL(H): 1.2 0 0 0 1.2 0 0 0 1.2 positions{angstrom} cell{nanometer}", 12, 1),
    ],
)
def test_cells_of_i_pi(tmp_path, comment, lengths, scale):
    found = reading(tmp_path / "a.xyz", 2 * xyz(comment), any_geometry=True)
    for atoms in found.frames:
        assert atoms.pbc.all()
        np.testing.assert_allclose(atoms.cell.lengths(), lengths)
        np.testing.assert_allclose(atoms.positions[1], scale * np.array([1.96, 1, 1]))


def test_the_columns_of_a_matrix_are_the_vectors(tmp_path):
    comment = "# CELL(H): 12 3 0 0 11 0 0 0 10 positions{angstrom} cell{angstrom}"
    (atoms,) = reading(tmp_path / "a.xyz", xyz(comment)).frames
    np.testing.assert_allclose(atoms.cell.array, [[12, 0, 0], [3, 11, 0], [0, 0, 10]])


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        (f"# CELL(abcABC): {CUBE} Step: 0", "not its unit.*--units"),
        (f"# CELL(abcABC): {CUBE} positions{{angstrom}}", "not its unit"),
        (f"# CELL(abcABC): {CUBE} positions{{furlong}} cell{{angstrom}}", "'furlong' is not"),
        (f"# CELL(abcABC): {CUBE} forces{{ev/ang}} cell{{angstrom}}", "the columns are forces"),
        ("# CELL(H): 12 0 0 positions{angstrom} cell{angstrom}", r"CELL\(H\) has 3 numbers"),
        ("i = 0, time = 0.0, E = -17.1, cell = 12 12 12 90 90 90", "mentions a cell"),
        ("Box: 12 12 12", "mentions a cell"),
        ("unit cell: a=12 b=12 c=12", "mentions a cell"),
        ("%PBC 12.0 12.0 12.0", "mentions a cell"),
        ("water in a 12.0 A box", "mentions a cell"),
        ("12.0 12.0 12.0", "mentions a cell"),
        ('cell="12 12 12" Properties=species:S:1:pos:R:3', "mentions a cell"),
    ],
)
def test_a_cell_that_is_not_understood_is_refused(tmp_path, comment, message):
    with pytest.raises(FileFormatError, match=f"a.xyz, line 2: .*{message}"):
        reading(tmp_path / "a.xyz", xyz(comment))


@pytest.mark.parametrize(
    "comment", ["", "a box of 64 waters", "i = 0, time = 0.5, E = -17.1", "frame 3", "-17.25"]
)
def test_other_comments_are_comments(tmp_path, comment):
    assert not reading(tmp_path / "a.xyz", xyz(comment)).frames[0].pbc.any()


def test_a_cell_without_its_unit_takes_that_of_the_options(tmp_path):
    (atoms,) = reading(tmp_path / "a.xyz", xyz(f"# CELL(abcABC): {CUBE}"), units=METAL).frames
    np.testing.assert_allclose(atoms.cell.lengths(), 12)


def test_what_ase_writes_of_a_cluster_is_read(tmp_path):
    write(tmp_path / "a.extxyz", Atoms("OH", [[0, 0, 0], [0.97, 0, 0]]))
    (atoms,) = read_structures(tmp_path / "a.extxyz")
    assert not atoms.pbc.any()


def test_keys_in_another_case(tmp_path):
    text = extended(":forces:R:3", "energy=-1.5", "0 0 .1")
    other = text.replace("Lattice", "lattice").replace("Properties", "properties")
    found = reading(tmp_path / "a.xyz", other.replace("energy", "Energy"))
    assert found.frames[0].pbc.all()
    assert found.labels[0].energy == -1.5
    assert found.labels[0].forces[0, 2] == 0.1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("O 0 0 0 0.1", "5 columns, 4 are named"),
        ("O 0 0", "3 columns, 4 are named"),
        ("O 0 zero 0", "'zero' in the column pos is not a number"),
        ("D 0 0 0", "deuterium.*--types D=H"),
        ("OW1 0 0 0", "'OW1' is not the symbol.*--types"),
        ("8 0 0 0", "8 is a type or an atomic number"),
    ],
)
@pytest.mark.parametrize("comment", ["plain", "Properties=species:S:1:pos:R:3 energy=-1.0"])
def test_rows_that_break_the_format(tmp_path, row, message, comment):
    with pytest.raises(FileFormatError, match=f"a.xyz, line 9: .*{message}"):
        reading(tmp_path / "a.xyz", xyz("first") + xyz(comment, f"H 0 0 5\n{row}\n"))


@pytest.mark.parametrize(("types", "row"), [("D=H", "D"), ("OW1=H", "OW1"), ("O,H", "2")])
def test_names_are_what_types_say(tmp_path, types, row):
    (atoms,) = reading(tmp_path / "a.xyz", xyz("", f"{row} 0 0 0\n"), types=types).frames
    assert atoms.get_chemical_symbols() == ["H"]


@pytest.mark.parametrize("name", ["velocities", "vel", "velo", "velocity", "Velocities"])
def test_velocities_have_no_unit_until_it_is_said(tmp_path, name):
    text = extended(f":{name}:R:3", "", ".004 0 0")
    found = reading(tmp_path / "a.extxyz", text)
    assert not found.frames[0].has("momenta")
    assert "no velocities" in found.line
    assert any(f"column {name} is not used" in remark for remark in found.remarks)
    found = reading(tmp_path / "a.extxyz", text, velocity_unit="angstrom/fs")
    assert found.frames[0].get_velocities()[0, 0] * units.fs == pytest.approx(0.004)
    assert f"the column {name} is taken as velocities in angstrom/fs" in found.remarks
    assert ", velocities;" in found.line


def test_a_file_name_with_an_at_sign(tmp_path):
    found = reading(tmp_path / "frames@1.extxyz", 2 * extended())
    assert len(found.frames) == 2
    write(str(tmp_path / "b.traj"), found.frames)
    (tmp_path / "b.traj").rename(tmp_path / "b@0.traj")
    assert len(read_structures(tmp_path / "b@0.traj")) == 2


def test_several_structures_and_a_part_of_them(tmp_path):
    found = reading(tmp_path / "a.xyz", 4 * xyz("x"), index="1:3")
    assert found.line.endswith("; 2 of 4 structures")
    assert "2 structures, 6 atoms (O 2, H 4), no cell" in found.line


def test_blanks_at_the_end_and_crlf(tmp_path):
    (atoms,) = reading(tmp_path / "a.xyz", xyz("x").replace("\n", "\r\n") + "\r\n\r\n").frames
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    assert WATER_ROWS.startswith("O")


def test_a_column_of_masses(tmp_path):
    found = reading(tmp_path / "a.extxyz", extended(":mass:R:1", "", "30"))
    assert found.frames[0].get_masses() == pytest.approx([30, 30, 30])


@pytest.mark.parametrize("unit", ["angstrom", "atomic_unit"])
def test_a_file_of_i_pi_is_converted_and_read_again(tmp_path, monkeypatch, capsys, unit):
    monkeypatch.chdir(tmp_path)
    comment = f"# CELL(abcABC): {CUBE} Step: 7 positions{{{unit}}} cell{{{unit}}}"
    rows = "O 11.8 6 6\nH 0.55 6.6 6\nH 0.55 5.4 6\n"
    (tmp_path / "a.xyz").write_text(xyz(comment, rows))
    assert nnp("convert", "a.xyz", "b.extxyz", "--any-geometry") == 0
    (first,), (again,) = (
        read_structures(name, options=ReadOptions(any_geometry=True))
        for name in ("a.xyz", "b.extxyz")
    )
    np.testing.assert_allclose(again.positions, first.positions, atol=1e-8)
    np.testing.assert_allclose(again.cell.array, first.cell.array, atol=1e-8)
    assert "CELL" not in (tmp_path / "b.extxyz").read_text()
    assert "does not hold" not in capsys.readouterr().out
