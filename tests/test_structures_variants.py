"""Files of the kinds that were once read wrongly without a word, in the dialects of others."""

from __future__ import annotations

import bz2
import gzip
import re

import pytest
from ase.build import bulk, molecule
from structure_files import pdb, reading

from nnp.errors import FileFormatError, NNPError
from nnp.io.structures import read, write_structures
from nnp.units import METAL

CRYSTAL = "CRYST1   12.000   12.000   12.000  90.00  90.00  90.00 P 1           1\n"
CIF = """data_x
_cell_length_a 8
_cell_length_b 8
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
{formula}
loop_
_atom_site_{column}
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
"""
POSCAR = """{comment}
1.0
5.43 0 0
0 5.43 0
0 0 5.43
{symbols}2
{mode}
0 0 0 {first}
.25 .25 .25 {second}
{rest}
"""
DATA = """title

2 atoms
2 atom types

0 10 xlo xhi
0 10 ylo yhi
0 10 zlo zhi

{before}
Atoms # full

1 7 {first} 1.0 4 5 6
2 7 {second} -1.0 4 5 7
"""
MASSES = "Masses\n\n1 15.999\n2 1.008\n"
INPUT = (
    "begin\nlattice 10 0 0\nlattice 0 10 0\nlattice 0 0 10\natom 0 0 0 Si 0 0 0 0 1\n"
    "atom 2.4 0 0 Si 0 0 0 0 -1\nenergy -1\ncharge 0\nend\n"
)
XSF = "CRYSTAL\nPRIMVEC\n5 0 0\n0 5 0\n0 0 5\nPRIMCOORD\n2 1\nSi 0 0 0\nSi 2.3 0 0\n"


def _cif(sites, column="label", formula=""):
    rows = "".join(f"{site} {0.3 * n} 0 0\n" for n, site in enumerate(sites))
    return CIF.format(column=column, formula=formula) + rows


def _poscar(**parts):
    usual = {"comment": "x", "symbols": "Si\n", "mode": "Direct", "first": "", "second": ""}
    return POSCAR.format(**{**usual, "rest": "", **parts})


def _xyz(comment, rows=("Si 0 0 0", "O 1.7 0 0")):
    return "\n".join([str(len(rows)), comment, *rows]) + "\n"


@pytest.mark.parametrize("ends", [("ENDMDL", "ENDMDL"), ("END", "END"), ("TER\nENDMDL", "")])
def test_models_of_a_pdb_share_its_cell(tmp_path, ends):
    atoms = pdb([("O", "HOH", "O")])
    atoms = "".join(line + "\n" for line in atoms.splitlines() if line.startswith("HETATM"))
    text = CRYSTAL + "".join(f"MODEL {n}\n{atoms}{end}\n" for n, end in enumerate(ends))
    frames = reading(tmp_path / "a.pdb", text).frames
    assert [len(frame) for frame in frames] == [1, 1]
    assert all(frame.pbc.all() and frame.cell.lengths()[0] == 12 for frame in frames)


def test_what_a_pdb_says_of_more_atoms_is_said(tmp_path):
    atoms = pdb([("O", "HOH", "O")]).replace("ATOM  ", "HETATM")
    found = reading(tmp_path / "a.pdb", CRYSTAL.replace("P 1 ", "P 21") + atoms)
    assert any("space group is P 21" in remark for remark in found.remarks)
    at = next(n for n, line in enumerate(atoms.splitlines()) if line.startswith("HETATM"))
    lines = atoms.splitlines()
    lines[at] = lines[at][:16] + "B" + lines[at][17:]
    found = reading(tmp_path / "b.pdb", "\n".join(lines) + "\n")
    assert any("altloc" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("site", "column", "symbol"),
    [
        ("SI4+", "type_symbol", "Si"),
        ("CL", "type_symbol", "Cl"),
        ("Fe3+", "type_symbol", "Fe"),
        ("Cd1", "label", "Cd"),
        ("OW", "label", "O"),
        ("C12", "label", "C"),
        ("D", "type_symbol", "H"),
    ],
)
def test_elements_of_a_cif(tmp_path, site, column, symbol):
    (atoms,) = reading(tmp_path / "a.cif", _cif([site], column)).frames
    assert atoms.get_chemical_symbols() == [symbol]


@pytest.mark.parametrize("site", ["SI1", "CL1", "NA2", "CA1", "HO2", "SE"])
def test_a_label_of_a_cif_that_can_mean_two_things_is_asked_for(tmp_path, site):
    two = site[:2].capitalize()
    with pytest.raises(FileFormatError, match=f"{site} .*can be {two} or {site[0]}"):
        reading(tmp_path / "a.cif", _cif([site]))
    (atoms,) = reading(tmp_path / "a.cif", _cif([site]), types=f"{site}={two}").frames
    assert atoms.get_chemical_symbols() == [two]
    formula = f"_chemical_formula_sum '{two}'"
    (atoms,) = reading(tmp_path / "a.cif", _cif([site], formula=formula)).frames
    assert atoms.get_chemical_symbols() == [two]


def test_a_cif_with_the_mark_of_utf_8(tmp_path):
    (atoms,) = reading(tmp_path / "a.cif", "\ufeff" + _cif(["Si1"])).frames
    assert atoms.get_chemical_symbols() == ["Si"]
    with pytest.raises(FileFormatError, match=r"holds no structure: .*mmCIF"):
        reading(tmp_path / "b.cif", "data_x\n_cell.length_a 3\n")


def test_elements_of_vasp_4_are_said_or_asked_for(tmp_path):
    found = reading(tmp_path / "POSCAR", _poscar(comment="Si", symbols=""))
    assert any("Si are taken from its first line" in remark for remark in found.remarks)
    with pytest.raises(FileFormatError, match="no line of symbols"):
        reading(tmp_path / "POSCAR", _poscar(comment="my test", symbols=""))


def test_velocities_of_a_poscar_in_lattice_vectors_are_not_taken(tmp_path):
    moving = "{}\n0.01 0 0\n-0.01 0 0"
    for symbols in ("Si\n", "K\n", ""):
        parts = {"symbols": symbols, "comment": "Si"}
        (atoms,) = reading(tmp_path / "POSCAR", _poscar(rest=moving.format(""), **parts)).frames
        assert atoms.has("momenta")
        found = reading(tmp_path / "POSCAR", _poscar(rest=moving.format("Direct"), **parts))
        assert not found.frames[0].has("momenta")
        assert any("lattice vectors per time step" in remark for remark in found.remarks)


@pytest.mark.parametrize("no", ["F", "f", ".FALSE.", ".F."])
def test_flags_of_selective_dynamics_in_any_spelling(tmp_path, no):
    flags = {"first": " ".join([no] * 3), "second": "T t .TRUE."}
    text = _poscar(mode="Selective dynamics\nDirect", **flags)
    (atoms,) = reading(tmp_path / "POSCAR", text).frames
    assert [list(held.index) for held in atoms.constraints] == [[0]]


@pytest.mark.parametrize("digits", [3, 4, 6])
def test_a_gro_file_of_more_digits(tmp_path, digits):
    width = digits + 5
    place = "".join(f"{x:{width}.{digits}f}" for x in (0.1234567, 0.2, -0.3))
    velocity = "".join(f"{v:{width}.{digits + 1}f}" for v in (0.1, -0.2, 0.3))
    text = f"t\n1\n    1CL     CL    1{place}{velocity}\n   2.0 2.0 2.0\n"
    (atoms,) = reading(tmp_path / "a.gro", text).frames
    assert atoms.positions[0] == pytest.approx([round(0.1234567, digits) * 10, 2, -3])
    # 1 nm/ps = 0.01 Å/fs = 0.101805 of ASE's
    assert atoms.get_velocities()[0] == pytest.approx([0.0101805, -0.020361, 0.0305415], rel=1e-5)


def test_a_gro_box_that_is_none(tmp_path):
    text = "t\n1\n    1SOL     OW    1   0.100   0.100   0.100\n   2.0 2.0\n"
    with pytest.raises(FileFormatError, match=r"line 4: .* is not a box"):
        reading(tmp_path / "a.gro", text)


@pytest.mark.parametrize("before", ["\ufeff", "# n2p2\n\n", "! by me\n  \n"])
def test_units_are_heard_for_any_input_data(tmp_path, before):

    found = reading(tmp_path / "input.data", before + INPUT, units=METAL)
    assert found.form.name == "input.data"
    assert found.frames[0].cell.lengths()[0] == pytest.approx(10)
    assert found.labels[0].energy == pytest.approx(-1)


def test_packed_files_are_known_by_their_content(tmp_path):
    data = DATA.format(before=MASSES, first=1, second=2).encode()
    (tmp_path / "a.data.gz").write_bytes(gzip.compress(data))
    (tmp_path / "b.lmp.bz2").write_bytes(bz2.compress(data))

    for name in ("a.data.gz", "b.lmp.bz2"):
        assert read(tmp_path / name).frames[0].get_chemical_symbols() == ["O", "H"]
    (tmp_path / "input.data.gz").write_bytes(gzip.compress(INPUT.encode()))
    with pytest.raises(FileFormatError, match="unpack it first"):
        read(tmp_path / "input.data.gz")


@pytest.mark.parametrize("masses", [MASSES, "Masses\n\nOW 15.999\nHW 1.008\n"])
def test_type_labels_among_the_atoms(tmp_path, masses):
    before = f"Atom Type Labels\n\n1 OW\n2 HW\n\n{masses}"
    text = DATA.format(before=before, first="OW", second="HW")
    (atoms,) = reading(tmp_path / "a.data", text).frames
    assert atoms.get_chemical_symbols() == ["O", "H"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2 atoms", "3 atoms", "3 atoms are announced, 2 are listed under"),
        ("\n2 7 ", "\n1 7 ", "atom 1 is there more than once"),
        ("2 7 2", "2 7 5", "5 in the column of types is not one of the 2 types"),
        ("# full\n", "\n", None),
        ("2 7 2 -1.0", "2 1.0 2.5 -1.0", "can mean several styles"),
    ],
)
def test_data_that_contradict_themselves(tmp_path, old, new, message):
    text = DATA.format(before=MASSES, first=1, second=2)
    text = text.replace("# full", "") if message and "styles" in message else text
    assert old in text
    if message is None:
        reading(tmp_path / "a.data", text.replace(old, new))
        return
    with pytest.raises(FileFormatError, match=message):
        reading(tmp_path / "a.data", text.replace(old, new))


@pytest.mark.parametrize(
    ("box", "columns", "message"),
    [
        ("", "id element x y z", "which axes are periodic"),
        ("pp pp pp", "id element x y vz", "have no positions"),
    ],
)
def test_dumps_that_leave_something_open(tmp_path, box, columns, message):
    text = (
        f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS {box}\n0 9\n0 9\n0 9\n"
        f"ITEM: ATOMS {columns}\n1 Si 1 1 1\n"
    )
    with pytest.raises(FileFormatError, match=message):
        reading(tmp_path / "a.dump", text)


@pytest.mark.parametrize("comment", ["# energy = -3.2 eV", "# total energy: -3.2 eV"])
def test_an_energy_of_an_xsf_that_is_not_understood_is_said(tmp_path, comment):
    found = reading(tmp_path / "a.xsf", f"{comment}\n{XSF}")
    assert found.labels[0].energy is None
    assert any("not used: the comment" in remark for remark in found.remarks)


def test_grids_behind_the_atoms_of_an_xsf(tmp_path):
    grid = "BEGIN_BLOCK_DATAGRID_3D\n x\n 1 2 3\nEND_BLOCK_DATAGRID_3D\n"
    assert len(reading(tmp_path / "a.xsf", XSF + grid).frames[0]) == 2


@pytest.mark.parametrize(
    ("comment", "rows", "message"),
    [
        ("a=5.4 b=5.4 c=5.4 alpha=90 beta=90 gamma=90", None, "mentions a cell"),
        ("tv_1: 8 0 0 tv_2: 0 8 0 tv_3: 0 0 8", None, "mentions a cell"),
        ("energy=-3 energy=-4", None, "energy occurs 2 times"),
        ("energy=-3 energy_unit=hartree", None, "energy_unit=hartree, and .* eV"),
        ("units=bohr", None, "units=bohr"),
        ("unit=kcal/mol energy=3", None, "unit=kcal/mol"),
        ('Lattice="8 0 0 0 8 0 0 0 8" stress="1 2 3 0 0 0"', None, "other than nine numbers"),
        (
            "Properties=species:S:1:pos:R:3:Z:I:1",
            ("Si 0 0 0 6", "O 1.7 0 0 8"),
            "line 3: species Si and Z 6",
        ),
    ],
)
def test_xyz_that_contradicts_itself(tmp_path, comment, rows, message):
    with pytest.raises(FileFormatError, match=message):
        reading(tmp_path / "a.xyz", _xyz(comment, rows or ("Si 0 0 0", "O 1.7 0 0")))


@pytest.mark.parametrize(
    ("comment", "rows", "options", "remark"),
    [
        (
            "Properties=species:S:1:pos:R:3:Velo:R:3:momenta:R:3",
            ("Si 0 0 0 1 1 1 2 2 2",),
            {"velocity_unit": "m/s"},
            "Velo is not used, because there are momenta",
        ),
        (
            "Properties=species:S:1:pos:R:3:vx:R:1:vy:R:1:vz:R:1:fx:R:1",
            ("Si 0 0 0 1 1 1 2",),
            {},
            "not used: vx, vy, vz, fx",
        ),
        ("Properties=species:S:1:pos:R:3:grad:R:3 toten=3", ("Si 0 0 0 1 1 1",), {}, "grad, toten"),
        ("Properties=species:S:1:pos:R:3:fixed:L:1", ("Si 0 0 0 T",), {}, "not used: fixed"),
        (
            "Properties=species:S:1:pos:R:3:mass:R:1",
            ("Si 0 0 0 51197",),
            {},
            "mass of atom 0 .* times its element's",
        ),
    ],
)
def test_columns_that_are_not_taken_or_doubtful_are_said(tmp_path, comment, rows, options, remark):
    found = reading(tmp_path / "a.xyz", _xyz(comment, rows), **options)
    assert any(re.search(remark, text) for text in found.remarks)


def test_comments_that_only_look_like_a_cell(tmp_path):
    reading(tmp_path / "a.xyz", _xyz("from cellulose, version 1.2"))
    reading(tmp_path / "a.xyz", _xyz("units=metal energy_unit=eV force_units=eV/A length_unit=Ang"))


def test_motion_of_dl_poly_is_not_taken(tmp_path):
    text = "t\n 2 3\n 10 0 0\n 0 10 0\n 0 0 10\nSi 1\n 0 0 0\n.1 .2 .3\n1 1 1\n"
    found = reading(tmp_path / "CONFIG", text)
    assert not found.frames[0].has("momenta")
    assert found.labels[0].forces is None
    assert any("DL_POLY" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    "name", ["a.xsf.gz", "a.json.gz", "input.data.gz", "a.data.gz", "a.traj.gz"]
)
def test_what_would_not_be_packed_is_not_written_so(tmp_path, name):
    with pytest.raises(NNPError, match="not written packed"):
        write_structures([bulk("Si")], tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.gen", "a.cell", "a.pdb", "a.res"])
def test_what_cannot_be_read_back_is_not_written(tmp_path, name):
    slab = bulk("Si", cubic=True)
    slab.pbc = (True, True, False)
    slab.cell[2] = 0
    with pytest.raises(NNPError, match=f"{name}.*write extxyz"):
        write_structures([slab], tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_lammps_data_and_molecules_in_gro_come_back(tmp_path):
    assert not write_structures([bulk("Si", cubic=True)], tmp_path / "a.lammps-data")
    assert set(read(tmp_path / "a.lammps-data").frames[0].symbols) == {"Si"}
    write_structures([molecule("H2O")], tmp_path / "a.gro")
    found = read(tmp_path / "a.gro").frames[0]
    assert list(found.symbols) == ["O", "H", "H"]
    assert not found.pbc.any()


def test_several_energies_of_zero_among_others_are_no_labels(tmp_path):
    columns = "Properties=species:S:1:pos:R:3:forces:R:3"
    rows = ("Si 0 0 0 0 0 .1", "Si 2.3 0 0 0 0 -.1")
    text = "".join(_xyz(f"{columns} energy={value}", rows) for value in (0.0, -5.0, 0.0))
    atom = _xyz(f"{columns} energy=0.0", ("Si 0 0 0 0 0 0",))  # where atoms are the zero of energy
    found = reading(tmp_path / "a.xyz", text + atom)
    assert [own.energy for own in found.labels] == [None, -5.0, None, 0.0]
    assert any("energy is 0.0 beside forces" in remark for remark in found.remarks)


MMCIF = """data_t
_cell.length_a {edge}
_cell.length_b {edge}
_cell.length_c {edge}
_cell.angle_alpha 90.0
_cell.angle_beta 90.0
_cell.angle_gamma 90.0
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_comp_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.auth_seq_id
_atom_site.auth_asym_id
_atom_site.pdbx_PDB_model_num
HETATM 1 O  O     HOH 1.0 2.0 3.0 7 W 1
HETATM 2 H  "H1'" HOH 1.9 2.0 3.0 7 W 1
HETATM 3 {ion} 5.0 2.0 3.0 8 I 1
HETATM 1 O  O     HOH 1.5 2.0 3.0 7 W 2
HETATM 2 H  "H1'" HOH 2.4 2.0 3.0 7 W 2
HETATM 3 {ion} 5.5 2.0 3.0 8 I 2
#
"""


def test_models_residues_and_chains_of_mmcif(tmp_path):
    frames = reading(tmp_path / "a.cif", MMCIF.format(edge=20.0, ion=". CL CL")).frames
    assert [str(atoms.symbols) for atoms in frames] == ["OHCl", "OHCl"]
    assert frames[1].positions[:, 0].tolist() == [1.5, 2.4, 5.5]
    assert frames[0].cell.lengths().tolist() == [20.0] * 3
    assert frames[0].arrays["atomtypes"].tolist() == ["O", "H1'", "CL"]
    assert frames[0].arrays["residuenumbers"].tolist() == [7, 7, 8]
    assert frames[0].arrays["chainids"].tolist() == ["W", "W", "I"]


def test_mmcif_guesses_neither_elements_nor_cells(tmp_path):
    with pytest.raises(FileFormatError, match="atom 3: the atom CA of LIG can be Ca or C"):
        reading(tmp_path / "a.mmcif", MMCIF.format(edge=20.0, ion=". CA LIG"))
    (atoms, _) = reading(
        tmp_path / "a.mmcif", MMCIF.format(edge=20.0, ion=". CA LIG"), types="CA=Ca"
    ).frames
    assert atoms.symbols[2] == "Ca"
    (atoms, _) = reading(tmp_path / "b.cif", MMCIF.format(edge=1.0, ion="NA NA NA")).frames
    assert str(atoms.symbols) == "OHNa"
    assert not atoms.pbc.any()
    with pytest.raises(FileFormatError, match=r"b.cif, t: .*'xx'"):
        reading(tmp_path / "b.cif", MMCIF.format(edge=20.0, ion="NA NA NA").replace("5.5", "xx"))
