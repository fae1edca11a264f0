"""Labels: named keys win, contradictions are said, predictions never become references."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from runs import nnp
from structure_files import XSF, extended, reading

from nnp.errors import FileFormatError, StructureError
from nnp.io import load
from nnp.io.structures import LabelKeys, read_structures, write_structures
from nnp.io.structures import read as read_and_report
from nnp.units import METAL

VIRIAL = 'virial="0.3 0.01 0 0.01 0.2 0 0 0 0.1" stress="-3051 -12 0 -12 -2040 0 0 0 -1020"'


def crystals(count=3, **labels):
    found = []
    for number in range(count):
        atoms = bulk("Si", cubic=True)
        atoms.rattle(0.05, seed=number)
        forces = 0.1 * (atoms.positions - atoms.positions.mean(axis=0))
        results = {"energy": -30.0 - number, "forces": forces, "stress": np.arange(6) * 0.01}
        atoms.calc = SinglePointCalculator(atoms, **(results | labels))
        found.append(atoms)
    return found


@pytest.mark.parametrize("energy", ["# total energy = -3.25 eV", "# total energy = -3.25", ""])
@pytest.mark.parametrize("kind", ["CRYSTAL", "MOLECULE", ""])
@pytest.mark.parametrize("symbols", [("O ", "H "), ("8 ", "1 ")])
def test_forces_of_an_xsf_are_as_they_are_written(tmp_path, energy, kind, symbols):
    text = XSF.format(energy=energy, kind=kind).replace("\nO ", f"\n{symbols[0]}")
    found = reading(tmp_path / "a.xsf", text.replace("\nH ", f"\n{symbols[1]}"))
    np.testing.assert_allclose(found.labels[0].forces[0], [0.25, -0.5, 0.75])
    assert found.labels[0].energy == (-3.25 if energy else None)
    assert found.frames[0].pbc.all()


def test_an_xsf_in_other_dialects(tmp_path):
    text = XSF.format(energy="# cohesive energy = -0.325d1 eV", kind="SLAB")
    found = reading(tmp_path / "a.XSF", text.replace("9.0", "9.D0"))
    assert found.labels[0].energy == -3.25
    assert found.frames[0].pbc.tolist() == [True, True, False]
    assert "energies are cohesive ones, as the comments say" in found.remarks
    for broken, message in (("0.75", "0.x5"), ("  0.25 -0.50 0.75", "")):
        with pytest.raises(FileFormatError, match=r"a\.xsf, line"):
            reading(tmp_path / "a.xsf", text.replace(broken, message, 1))
    with pytest.raises(FileFormatError, match="an energy in Ha"):
        reading(tmp_path / "a.xsf", text.replace("eV", "Ha"))


def test_an_xsf_as_aenet_reads_it(tmp_path):
    """PRIMVEC behind the atoms, words behind its numbers, comments between atoms, more columns."""
    text = XSF.format(energy="", kind="CRYSTAL")
    usual = reading(tmp_path / "a.xsf", text).frames[0]
    cell, atoms = text.split("PRIMCOORD")
    lines = ["PRIMCOORD", *atoms.strip().splitlines()]
    lines[3:3] = ["# total energy = -2.5 eV"]
    lines[-1] += " 1 2"
    other = "\n".join([*lines, "", cell.replace("9.0 0.0 0.0", "9.0 0.0 0.0 first")])
    found = reading(tmp_path / "b.xsf", other)
    assert len(found.frames) == 1
    assert found.frames[0] == usual
    assert found.frames[0].pbc.all()
    assert found.labels[0].energy == -2.5
    assert "columns beyond the seventh are not used" in found.remarks


@pytest.mark.parametrize("count", [1, 3])
def test_an_xsf_goes_round(tmp_path, count):
    write_structures(crystals(count), tmp_path / "a.xsf")
    for atoms, again in zip(crystals(count), read_structures(tmp_path / "a.xsf"), strict=True):
        np.testing.assert_allclose(again.get_forces(), atoms.get_forces(), atol=1e-12)
        assert again.get_potential_energy() == atoms.get_potential_energy()


def test_every_command_has_the_forces_of_an_xsf(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = "Si 0.0 0.0 0.0 0.1 -0.2 0.3\nSi 2.3 0.0 0.0 -0.1 0.2 -0.3\n"
    (tmp_path / "a.xsf").write_text(f"ATOMS\n{rows}")
    assert nnp("convert", "a.xsf", "b.extxyz") == 0
    assert nnp("predict", "silicon_sw", "a.xsf", "--output", "c.extxyz") == 0
    assert nnp("evaluate", "silicon_sw", "a.xsf", "--output", "report") == 0
    np.testing.assert_allclose(read("b.extxyz").get_forces()[0], [0.1, -0.2, 0.3])
    np.testing.assert_allclose(read("c.extxyz").arrays["ref_forces"][0], [0.1, -0.2, 0.3])
    out = capsys.readouterr().out
    assert out.count("a.xsf: 2 atoms (Si 2), no cell, labels forces, no velocities") == 3
    assert "nan" not in out.replace("report", "")


def test_a_named_key_wins_and_contradictions_are_said(tmp_path):
    text = extended(":forces:R:3", f"energy=-8.0 {VIRIAL}", "0 0 .1")
    found = reading(tmp_path / "a.extxyz", text)
    assert found.labels[0].stress is None
    assert any("contradict each other" in remark for remark in found.remarks)
    named = reading(tmp_path / "a.extxyz", text, keys=LabelKeys(virial="virial")).labels[0]
    np.testing.assert_allclose(named.stress[:3], -np.array([0.3, 0.2, 0.1]) / 14**3)
    named = reading(tmp_path / "a.extxyz", text, keys=LabelKeys(stress="stress")).labels[0]
    assert named.stress[0] == -3051
    with pytest.raises(FileFormatError, match=r"structure 0: its stress .*contradict"):
        reading(tmp_path / "a.extxyz", text, keys=LabelKeys(stress="stress", virial="virial"))


def test_stress_and_virial_that_agree_are_a_stress(tmp_path):
    stress = "-1e-4 0 0 0 -1e-4 0 0 0 -1e-4"
    keys = f'virial="{1e-4 * 14**3} 0 0 0 {1e-4 * 14**3} 0 0 0 {1e-4 * 14**3}" stress="{stress}"'
    found = reading(tmp_path / "a.extxyz", extended("", keys))
    assert found.labels[0].stress[0] == -1e-4
    assert found.remarks == ()


@pytest.mark.parametrize("option", ["--virial-key", "--stress-key"])
def test_keys_on_the_command_line(tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.extxyz").write_text(extended("", VIRIAL))
    assert nnp("convert", "a.extxyz", "b.extxyz", option, option[2:8].replace("-", "")) == 0
    wanted = -0.3 / 14**3 if option == "--virial-key" else -3051
    assert read("b.extxyz").get_stress()[0] == pytest.approx(wanted)


def test_zeros_beside_forces_are_no_energies(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write("zero.extxyz", crystals(energy=0.0))
    none = crystals()
    for atoms in none:
        del atoms.calc.results["energy"]
    write("none.extxyz", none)
    for name in ("zero.extxyz", "none.extxyz"):
        assert nnp("predict", "silicon_sw", name, "--force") == 0
        output = capsys.readouterr()
        assert "forces  MAE" in output.out
        assert "energy  MAE" not in output.out
        assert "nan" not in output.out
        assert "ref_energy" not in read("predicted.extxyz").info
        assert ("energy is 0.0 beside forces" in output.err) == (name == "zero.extxyz")
    assert "structures 0, 1, 2" in reading_of("zero.extxyz")


def reading_of(name):
    return " ".join(read_and_report(name).remarks)


@pytest.mark.parametrize(
    ("columns", "keys", "named"),
    [
        (":dft_forces:R:3", "REF_energy=-1.0", ("dft_forces", "REF_energy")),
        (":f:R:3", "E=-1.0 dipole=0.5", ("f", "E", "dipole")),
        (":Force:R:3", 'virials="1 0 0"', ("Force", "virials")),
    ],
)
def test_names_that_say_what_they_are_are_listed_once(tmp_path, columns, keys, named):
    found = reading(tmp_path / "a.extxyz", 3 * extended(columns, keys, "0 0 .1"))
    (line,) = (remark for remark in found.remarks if remark.startswith("not used: "))
    assert set(named) <= set(line.removeprefix("not used: ").partition(" (")[0].split(", "))
    assert "no labels" in found.line


def test_a_column_called_force_is_taken_and_said(tmp_path):
    found = reading(tmp_path / "a.extxyz", extended(":force:R:3", "energy=-1.0", "0 0 .1"))
    assert found.labels[0].forces[0, 2] == 0.1
    assert "labels energy and forces (force)" in found.line


@pytest.mark.parametrize("between", ["a.extxyz", "a.traj", "a.json", "a.db"])
def test_references_stay_those_of_the_first_file(tmp_path, monkeypatch, capsys, between):
    """Predicted, converted, predicted by another potential: the labels are the first file's."""
    monkeypatch.chdir(tmp_path)
    write("dft.extxyz", crystals())
    assert nnp("convert", "silicon_sw", "other.nnp") == 0
    assert nnp("predict", "silicon_sw", "dft.extxyz", "--output", "1.extxyz", "--stress") == 0
    first = [line for line in capsys.readouterr().out.splitlines() if " MAE " in line]
    assert [line.split()[0] for line in first] == ["energy", "forces", "stress"]
    assert nnp("convert", "1.extxyz", between) == 0
    assert nnp("predict", "other.nnp", between, "--output", "2.extxyz", "--stress") == 0
    assert nnp("predict", "silicon_sw", "2.extxyz", "--output", "3.extxyz", "--stress") == 0
    again = [line for line in capsys.readouterr().out.splitlines() if " MAE " in line]
    assert again == 2 * first
    for atoms, dft in zip(read("3.extxyz", ":"), crystals(), strict=True):
        assert atoms.info["ref_energy"] == dft.get_potential_energy()
        np.testing.assert_allclose(atoms.arrays["ref_forces"], dft.get_forces(), atol=1e-7)
        assert atoms.info["predicted_by"] == "silicon_sw"
        assert atoms.get_potential_energy() != dft.get_potential_energy()
    assert nnp("convert", "3.extxyz", "input.data") == 0
    (data, *_) = read_structures("input.data")
    assert data.get_potential_energy() == pytest.approx(-30.0)
    assert "does not hold" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["p.extxyz", "p.data", "p.traj"])
def test_predictions_without_references_never_become_them(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    bare = crystals()
    for atoms in bare:
        atoms.calc = None
    write("bare.extxyz", bare)
    assert nnp("predict", "silicon_sw", "bare.extxyz", "--output", name) == 0
    assert nnp("predict", "silicon_sw", name, "--output", "again.extxyz") == 0
    assert capsys.readouterr().out.count("no references in the file") == 2
    assert nnp("evaluate", "silicon_sw", name, "--output", "report") == 1
    assert "has an energy" in capsys.readouterr().err


def test_a_key_takes_the_prediction_where_that_is_wanted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write("dft.extxyz", crystals())
    assert nnp("predict", "silicon_sw", "dft.extxyz") == 0
    words = ("--energy-key", "energy", "--forces-key", "forces", "--output", "b.extxyz")
    capsys.readouterr()
    assert nnp("predict", "silicon_sw", "predicted.extxyz", *words) == 0
    assert "energy  MAE 0.000" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("--units", "metal"), ()])
def test_units_beside_a_one_file_model_are_those_of_the_structures(
    tmp_path, monkeypatch, capsys, words
):
    monkeypatch.chdir(tmp_path)
    write_structures(crystals(1), "x.data", METAL)
    assert nnp("predict", "silicon_sw", "x.data", *words) == 0
    assert "n2p2 input.data, angstrom, eV" in capsys.readouterr().out
    write("x.extxyz", crystals(1))
    assert nnp("predict", "silicon_sw", "x.extxyz", "--units", "metal", "--force") == 1
    assert "carries its own units" in capsys.readouterr().err


@pytest.mark.parametrize("factor", [1 / 27.2114, 51.4221, 23.06])
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_labels_in_another_unit_than_the_potential(tmp_path, monkeypatch, capsys, factor, command):
    monkeypatch.chdir(tmp_path)
    potential = load("silicon_sw")
    for scale in (1.0, factor):
        frames = crystals()
        for atoms in frames:
            forces = scale * potential.evaluate(atoms).forces
            atoms.calc = SinglePointCalculator(atoms, energy=-30.0, forces=forces)
        write("a.extxyz", frames)
        assert nnp(command, "silicon_sw", "a.extxyz", "--force") == 0
        assert ("units look wrong: the labels' forces" in capsys.readouterr().err) == (scale != 1.0)


def test_a_single_energy_of_zero_may_be_true(tmp_path):
    text = extended(":forces:R:3", "energy=0.0", "0 0 .1")
    found = reading(tmp_path / "a.extxyz", text + text.replace("energy=0.0", "energy=-1.0"))
    assert [own.energy for own in found.labels] == [0.0, -1.0]
    assert any("exactly 0.0" in remark for remark in found.remarks)
    found = reading(tmp_path / "a.extxyz", 2 * text)
    assert [own.energy for own in found.labels] == [None, None]
    with pytest.raises(StructureError, match="has forces but not an energy"):
        write_structures(found.frames, tmp_path / "input.data")


def test_a_teachers_labels_are_labels_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("dft.extxyz", crystals(1))
    assert nnp("predict", "silicon_sw", "dft.extxyz", "--output", "p.extxyz") == 0
    assert nnp("sample", "p.extxyz", "t.extxyz", "--static", "--teacher", "stillinger-weber") == 0
    (taught,) = read_and_report("t.extxyz").labels
    assert taught.names == {"energy": "energy", "forces": "forces", "stress": "stress"}


def test_a_run_says_whose_velocities_it_begins_with(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lattice = 'Lattice="20 0 0 0 20 0 0 0 20"'
    (tmp_path / "hot.extxyz").write_text(
        f"2\n{lattice} Properties=species:S:1:pos:R:3:velo:R:3\n"
        "Si 0 0 0 .004 0 0\nSi 2.4 0 0 -.004 0 0\n"
    )
    words = ("md", "silicon_sw", "hot.extxyz", "--steps", "1", "--no-pictures", "--ensemble", "nve")
    assert nnp(*words) == 0
    output = capsys.readouterr()
    assert "the column velo is not used" in output.err
    assert "velocities are drawn at 300 K" in output.out
    assert nnp(*words, "--velocity-unit", "angstrom/fs", "--force") == 0
    output = capsys.readouterr()
    assert "the column velo is taken as velocities in angstrom/fs" in output.err
    assert "are drawn" not in output.out
