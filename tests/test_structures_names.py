"""PDB and GRO: what a name means, and a cell that is none."""

from __future__ import annotations

import pytest
from ase.build import molecule
from structure_files import gro, pdb, reading, xyz

from nnp.errors import FileFormatError, StructureError


@pytest.mark.parametrize(
    ("residue", "name", "symbol"),
    [
        ("NACL", "NA", "Na"),
        ("NACL", "CL", "Cl"),
        ("SIO2", "SI", "Si"),
        ("SIO2", "O", "O"),
        ("CL", "CL", "Cl"),
        ("CL-", "CL-", "Cl"),
        ("NA+", "NA", "Na"),
        ("SOD", "SOD", "Na"),
        ("SE", "SE", "Se"),
        ("SOL", "OW", "O"),
        ("SOL", "HW1", "H"),
        ("ALA", "CA", "C"),
        ("VAL", "HG11", "H"),
        ("ZN", "ZN", "Zn"),
    ],
)
def test_a_name_in_its_residue(tmp_path, residue, name, symbol):
    (atoms,) = reading(tmp_path / "a.gro", gro([(residue, name)])).frames
    assert atoms.get_chemical_symbols() == [symbol]
    if len(residue) <= 3 and len(name) <= 4:
        (atoms,) = reading(tmp_path / "a.pdb", pdb([(name, residue, "")])).frames
        assert atoms.get_chemical_symbols() == [symbol]


@pytest.mark.parametrize(
    ("residue", "name", "message"),
    [
        ("LIG", "CA", "Ca or C"),
        ("LIG", "CL1", "Cl or C"),
        ("MSE", "SE", "Se or S"),
        ("HEM", "FE", "Fe or F"),
        ("LIG", "SI", "Si or S"),
        ("CAS", "CA", "Ca or C"),  # with C1 beside it no calcium sulphide
        ("SOL", "MW", "virtual site"),
        ("WAT", "EP", "virtual site"),
    ],
)
def test_a_name_that_can_mean_two_things_is_asked_for(tmp_path, residue, name, message):
    atoms = [(residue, name), (residue, "H1")]
    where = "line 3|line 1"
    with pytest.raises(FileFormatError, match=f"({where}): the atom {name} .*{message}"):
        reading(tmp_path / "a.gro", gro(atoms))
    with pytest.raises(FileFormatError, match=f"({where}): the atom {name} .*{message}"):
        reading(tmp_path / "a.pdb", pdb([(n, r, "") for r, n in atoms]))
    (found,) = reading(tmp_path / "a.gro", gro(atoms), types=f"{name}=Kr").frames
    assert found.get_chemical_symbols() == ["Kr", "H"]


def test_elements_that_there_are_decide(tmp_path):
    atoms = [("LIG", "CA"), ("LIG", "NA")]
    (found,) = reading(tmp_path / "a.gro", gro(atoms), types="C,N").frames
    assert found.get_chemical_symbols() == ["C", "N"]
    (found,) = reading(tmp_path / "a.gro", gro(atoms), types="Ca,Na").frames
    assert found.get_chemical_symbols() == ["Ca", "Na"]


def test_the_element_column_goes_before_the_name(tmp_path):
    (found,) = reading(
        tmp_path / "a.pdb", pdb([(" CA ", "LIG", "CA"), (" CA ", "LIG", "C")])
    ).frames
    assert found.get_chemical_symbols() == ["Ca", "C"]


def test_names_in_a_gro_of_ase_are_symbols(tmp_path):
    atoms = molecule("SiH4", vacuum=3.0, pbc=True)
    atoms.write(tmp_path / "a.gro")
    (found,) = reading(tmp_path / "b.gro", (tmp_path / "a.gro").read_text()).frames
    assert found.get_chemical_symbols() == atoms.get_chemical_symbols()


@pytest.mark.parametrize("edge", ["    1.000", "    0.000"])
def test_a_placeholder_is_no_cell(tmp_path, edge):
    cell = f"{3 * edge}  90.00  90.00  90.00 P 1           1"
    found = reading(tmp_path / "a.pdb", pdb([(" O  ", "HOH", "O"), (" O  ", "HOH", "O")], cell))
    assert not found.frames[0].pbc.any()
    assert "2 atoms (O 2), no cell, no labels, no velocities; PDB" in found.line
    assert any("placeholder" in remark for remark in found.remarks)


def test_a_cell_is_a_cell_and_a_box_of_zeros_is_none(tmp_path):
    cell = "   12.000   12.000   12.000  90.00  90.00  90.00 P 1           1"
    assert reading(tmp_path / "a.pdb", pdb([(" O  ", "HOH", "O")], cell)).frames[0].pbc.all()
    box = "   0.00000   0.00000   0.00000"
    assert not reading(tmp_path / "a.gro", gro([("SOL", "OW")], box)).frames[0].pbc.any()


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1.2 0 0 0 1.2 0 0 0 1.2", "density is .* g/cm³"),
        ("14 0 0 0 14 0 0 0 14", "atoms 0 .O. and 1 .O. are 0.200 Å apart"),
    ],
)
def test_what_no_matter_has_stops(tmp_path, cell, message):
    text = xyz(
        f'Lattice="{cell}" Properties=species:S:1:pos:R:3', "O 0 0 0\nO .2 0 0\nO .6 .6 .6\n"
    )
    with pytest.raises(StructureError, match=f"a.extxyz, structure 0: .*{message}"):
        reading(tmp_path / "a.extxyz", text)
    assert len(reading(tmp_path / "a.extxyz", text, any_geometry=True).frames) == 1


@pytest.mark.parametrize(("scale", "warns"), [(0.529, True), (1.0, False), (1.89, True)])
def test_lengths_in_another_unit_are_warned_about(tmp_path, scale, warns):
    rows = "".join(f"Si {scale * 2.35 * i} 0 0\n" for i in range(4))
    found = reading(tmp_path / "a.xyz", xyz("chain", rows))
    assert any("units look wrong" in remark for remark in found.remarks) == warns
