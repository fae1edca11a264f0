"""n2p2's input.data: units, labels, what is refused, and through ASE's Atoms."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.cli import main
from nnp.errors import FileFormatError, OptionError, OutputExistsError, StructureError
from nnp.io.n2p2.data import read_data, write_data
from nnp.io.structures import read_structures, to_frame, write_structures
from nnp.units import ATOMIC, BOHR, HARTREE, METAL

WATER = """\
begin set=test
comment two words
lattice 10 0 0
lattice 0 20 0
lattice 0 0 30
atom 0 0 0 O -0.8 0 0.1 0.2 0.3
atom 1 0 0 H 0.4 0 -0.1 -0.2 -0.3
energy -1.5
charge -0.4
end
"""
ATOM = "atom 0 0 0 Si 0 0 0 0 1\n"


@pytest.fixture
def write(tmp_path):
    def write_text(text):
        path = tmp_path / "input.data"
        path.write_text(text)
        return path

    return write_text


def labelled(pbc=True):
    atoms = Atoms("SiO", [(0.1, 0.2, 0.3), (1.5, 0.4, -0.6)], cell=[5, 6, 7], pbc=pbc)
    atoms.calc = SinglePointCalculator(
        atoms, energy=-3.25, forces=[[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]]
    )
    return atoms


def test_values_in_bohr_and_hartree(write):
    (frame,) = read_data(write(WATER))
    assert frame.structure.symbols == ["O", "H"]
    np.testing.assert_allclose(frame.structure.positions[1], [BOHR, 0, 0], rtol=1e-15)
    np.testing.assert_allclose(np.diag(frame.structure.cell), np.array([10, 20, 30]) * BOHR)
    assert frame.structure.pbc.all()
    assert frame.energy == pytest.approx(-1.5 * HARTREE, rel=1e-15)
    np.testing.assert_allclose(frame.forces[0], np.array([0.1, 0.2, 0.3]) * HARTREE / BOHR)
    np.testing.assert_allclose(frame.charges, [-0.8, 0.4])
    assert (frame.charge, frame.comment, frame.part) == (-0.4, "two words", "set=test")


def test_other_units_are_taken(write):
    (frame,) = read_data(write(WATER), METAL)
    assert frame.energy == -1.5
    assert frame.structure.positions[1, 0] == 1.0


def test_zero_energy_and_forces_mean_no_labels(write):
    (frame,) = read_data(write("begin\natom 0 0 0 Si 0 0 0 0 0\nenergy 0\nend\n"))
    assert frame.energy is None
    assert frame.forces is None
    (atoms,) = read_structures(write("begin\natom 0 0 0 Si 0 0 0 0 0\nenergy 0\nend\n"))
    assert atoms.calc is None


def test_zero_energy_with_forces_is_a_label(write):
    (frame,) = read_data(write(f"begin\n{ATOM}energy 0\nend\n"))
    assert frame.energy == 0.0


@pytest.mark.parametrize("units", [ATOMIC, METAL])
@pytest.mark.parametrize("pbc", [True, False])
def test_writing_and_reading_gives_the_same(tmp_path, units, pbc):
    atoms = labelled(pbc)
    atoms.info["comment"] = "a  comment\nof two lines"
    write_data([to_frame(atoms)] * 2, tmp_path / "input.data", units)
    again, _ = read_structures(tmp_path / "input.data", units)
    np.testing.assert_allclose(again.positions, atoms.positions, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(again.pbc, atoms.pbc)
    if pbc:
        np.testing.assert_allclose(again.cell, atoms.cell, rtol=0, atol=1e-14)
    assert again.get_potential_energy() == pytest.approx(-3.25, rel=1e-15)
    np.testing.assert_allclose(again.get_forces(), atoms.get_forces(), rtol=1e-14)
    assert again.info["comment"] == "a comment of two lines"


def test_charges_and_part_survive_the_way_through_ase(write, tmp_path):
    atoms = read_structures(write(WATER))
    assert atoms[0].info["set"] == "test"
    write_structures(atoms, tmp_path / "again.data", ATOMIC)
    (frame,) = read_data(tmp_path / "again.data")
    np.testing.assert_allclose(frame.charges, [-0.8, 0.4])
    assert (frame.charge, frame.part) == (-0.4, "set=test")


def test_extxyz_keeps_the_labels(tmp_path):
    write_structures([labelled()], tmp_path / "a.extxyz")
    (again,) = read_structures(tmp_path / "a.extxyz")
    assert again.get_potential_energy() == -3.25
    np.testing.assert_allclose(again.get_forces(), labelled().get_forces())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no structure"),
        ("atom 0 0 0 Si 0 0 0 0 0\n", r"input.data, line 1: 'atom' stands outside of begin"),
        (f"begin\n{ATOM}", r"the begin of line 1 has no end"),
        (f"begin\n{ATOM}begin\n", r"line 3: begin before the end of line 1's begin"),
        (
            "begin\natom 0 0 0 Si\nend\n",
            r"line 2: atom has 4 columns, 9 are expected: x y z symbol",
        ),
        ("begin\natom 0 0 x Si 0 0 0 0 0\nend\n", r"line 2: 'x' is not a number"),
        ("begin\natom 0 0 nan Si 0 0 0 0 0\nend\n", r"line 2: the value nan is not finite"),
        ("begin\natom 0 0 0 Si 0 0 0 0 inf\nend\n", r"line 2: the value inf is not finite"),
        ("begin\natom 0 0 0 Xx 0 0 0 0 0\nend\n", r"line 2: 'Xx' is not the symbol"),
        (f"begin\nlattice 1 0 0\n{ATOM}end\n", r"line 1: 1 lattice rows, 0 or 3 are expected"),
        (f"begin\nlattice 1 0\n{ATOM}end\n", r"line 2: lattice has 2 columns, 3 are expected"),
        ("begin\n" + "lattice 1 0 0\n" * 3 + ATOM + "end\n", r"line 1: .*span no volume"),
        (f"begin\n{ATOM}energy 1\nenergy 2\nend\n", r"line 4: energy is given twice"),
        (f"begin\n{ATOM}energie 1\nend\n", r"line 3: unknown keyword 'energie': allowed are"),
    ],
)
def test_broken_files_are_refused(write, text, message):
    with pytest.raises(FileFormatError, match=message):
        read_data(write(text))


def test_mixed_periodicity_cannot_be_written(tmp_path):
    with pytest.raises(StructureError, match=r"structure 0 has pbc=\[True, True, False\]"):
        write_data([to_frame(labelled((True, True, False)))], tmp_path / "input.data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("label", "message"),
    [("energy", "1 has an energy but not forces"), ("forces", "1 has forces but not an energy")],
)
def test_half_a_label_is_not_written_as_zeros(tmp_path, label, message):
    half = labelled()
    half.calc.results = {label: half.calc.results[label]}
    write_structures([labelled(), half], tmp_path / "half.extxyz")
    assert main(["convert", str(tmp_path / "half.extxyz"), str(tmp_path / "half.data")]) == 1
    assert not (tmp_path / "half.data").exists()
    with pytest.raises(StructureError, match=f"structure {message}"):
        write_structures([labelled(), half], tmp_path / "half.data")


def test_the_energy_of_one_atom_needs_no_forces(tmp_path):
    atom = Atoms("Si")
    atom.calc = SinglePointCalculator(atom, energy=-3.0)
    write_structures([atom], tmp_path / "input.data", METAL)
    (again,) = read_structures(tmp_path / "input.data", METAL)
    assert again.calc.results["energy"] == -3.0
    assert not again.calc.results["forces"].any()


def test_existing_file_is_kept_unless_forced(write):
    path = write(WATER)
    with pytest.raises(OutputExistsError, match="--force"):
        write_data([to_frame(labelled())], path)
    assert path.read_text() == WATER
    write_data([to_frame(labelled())], path, force=True)
    assert path.read_text() != WATER


def test_index_chooses_structures(write):
    path = write(WATER * 3)
    assert len(read_structures(path)) == 3
    assert len(read_structures(path, index="1:")) == 2
    assert len(read_structures(path, index=-1)) == 1
    with pytest.raises(OptionError, match="it has 3 structures, 0 to 2"):
        read_structures(path, index=7)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("missing.xyz", None, "does not exist"),
        ("a.extxyz", "2\n\nSi 0 0 0\n", "line 1: 2 atoms are announced and 1 lines follow"),
        ("a.extxyz", "1\n\nSi 0 0 nan\n", "structure 0: position of atom 0 .* not finite"),
        ("a.unknown", "what is this", "the format is unknown"),
        ("a.pdb", "", r"a\.pdb holds no structure: it is empty"),
        ("POSCAR", "", r"POSCAR holds no structure: it is empty"),
        (
            "a.extxyz",
            '1\nProperties=species:S:1:pos:R:3 energy=nan pbc="F F F"\nSi 0 0 0\n',
            "structure 0: its energy is not finite",
        ),
        (
            "a.extxyz",
            '1\nLattice="5 0 0 0 5 0 5 0 0" Properties=species:S:1:pos:R:3\nSi 0 0 0\n',
            "structure 0: .*span no volume",
        ),
    ],
)
def test_unreadable_structures_are_refused(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_structures(tmp_path / name)


def test_directory_is_no_file_of_structures(tmp_path):
    with pytest.raises(FileFormatError, match="is a directory"):
        read_structures(tmp_path)


def test_unknown_target_format_is_refused(tmp_path):
    with pytest.raises(OptionError, match="no format belongs to this name"):
        write_structures([labelled()], tmp_path / "a.unknown")
    assert list(tmp_path.iterdir()) == []


def test_real_files(reference_data):
    water = read_structures(reference_data / "n2p2/H2O_RPBE-D3/input.data")
    assert [len(atoms) for atoms in water] == [1080]
    assert water[0].calc is None
    dimers = read_structures(reference_data / "n2p2/LJ_dimers/input.data", METAL)
    assert len(dimers) == 101
    np.testing.assert_allclose(dimers[0].get_forces()[1], 13.8564065, rtol=1e-8)
    assert dimers[0].get_distance(0, 1) == pytest.approx(1.0, rel=1e-8)
