"""``nnp lammps``: what it reports, and the inputs it writes."""

import shutil

import ase.build
import ase.io
import numpy as np
import pytest
from lammps_nnp import environment, run_input

import nnp
from nnp.bench import lammps_plugin
from nnp.cli import main
from nnp.io import load
from nnp.io.lammps import boxed, in_our_axes, write_data
from nnp.structure import as_structure
from nnp.testing import structures


@pytest.fixture
def start(tmp_path, monkeypatch):
    """A folder with a model file and a structure in a skewed cell."""
    monkeypatch.chdir(tmp_path)
    load("silicon_sw").save(tmp_path / "si.nnp")
    atoms = ase.build.bulk("Si") * (3, 3, 3)
    atoms.rattle(0.05, seed=3)
    ase.io.write("start.extxyz", atoms)
    return atoms


def test_report(capsys):
    """It runs the pair style, and compares."""
    environment()
    assert main(["lammps"]) == 0
    printed = capsys.readouterr().out
    assert "nnpplugin.so" in printed
    assert "libnnp.so.3" in printed
    assert "runs            yes: 8 atoms of silicon_sw within" in printed


def test_report_without_plugin_or_lammps(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("nnp.cli.lammps.find_plugin", lambda: None)
    assert main(["lammps", "--lammps", "lmp"]) == 1
    assert "not installed: pip install ./lammps" in capsys.readouterr().out
    monkeypatch.undo()
    environment()
    assert main(["lammps", "--lammps", str(tmp_path / "none")]) == 1
    assert "runs            no: " in capsys.readouterr().out


@pytest.mark.parametrize("potential", ["si.nnp", "silicon_sw", "directory"])
def test_the_input_runs(start, tmp_path, capsys, potential):
    """What is printed, LAMMPS takes as it is; its first energy is ours."""
    if potential == "directory":
        nnp.io.n2p2.write(nnp.load("si.nnp"), tmp_path / "directory", "metal")
    command = ["lammps", potential, "start.extxyz", "--steps", "2", "--temperature", "1e-3"]
    units = ["--units", "metal"] if potential == "directory" else []
    assert main([*command, *units]) == 0
    script = capsys.readouterr().out
    assert "pair_coeff * * " in script
    assert (tmp_path / "start.data").is_file()
    done = run_input(script, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["0"]]
    found = float(rows[0][3])
    right = nnp.load("si.nnp").evaluate(start).energy
    assert found == pytest.approx(right, rel=1e-7)
    assert main([*command, *units]) == 1
    assert "exists: choose another name" in capsys.readouterr().err
    assert main([*command, *units, "--force"]) == 0


@pytest.mark.usefixtures("start")
def test_what_is_refused(tmp_path, capsys):
    ase.io.write("water.xyz", ase.build.molecule("H2O"))
    for words, message in {
        ("si.nnp",): "the structure is missing",
        ("si.nnp", "water.xyz"): "knows only Si",
        ("nowhere.nnp", "start.extxyz"): "nowhere.nnp",
        ("si.nnp", "nowhere.xyz"): "nowhere.xyz",
    }.items():
        assert main(["lammps", *words]) == 1
        assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*.data"))


@pytest.mark.parametrize("name", sorted(structures()))
def test_data_files_hold_the_same_atoms(name, tmp_path):
    """Distances, the cell's volume and which axes are periodic; vectors turn back."""
    structure = structures()[name]
    write_data(structure, ("Si",), tmp_path / "a.data")
    text = (tmp_path / "a.data").read_text()
    assert f"{len(structure)} atoms" in text
    again = ase.io.read(tmp_path / "a.data", format="lammps-data")
    again.pbc = structure.pbc
    kept = boxed(structure)
    assert again.get_volume() == pytest.approx(kept.get_volume(), rel=1e-12)
    turned = in_our_axes(structure, again.positions)
    shift = turned - kept.positions
    fractional = (shift - shift[0]) @ np.linalg.inv(kept.cell.array)
    assert np.abs(fractional - np.round(fractional)).max() < 1e-9
    assert as_structure(again).pbc.tolist() == structure.pbc.tolist()


def test_a_plugin_that_is_not_there(monkeypatch, tmp_path):
    """An entry point whose file has gone is as no plugin."""
    if lammps_plugin.find_plugin() is None:
        pytest.skip("nnp-lammps is not installed: pip install ./lammps")
    monkeypatch.delenv("LAMMPS_PLUGIN_PATH", raising=False)
    monkeypatch.setattr("nnp_lammps.plugin_folder", lambda: str(tmp_path))
    assert lammps_plugin.find_plugin() is None
    assert lammps_plugin.plugin_environment() == {}
    shutil.copy("/dev/null", tmp_path / "nnpplugin.so")
    assert lammps_plugin.plugin_environment()["LAMMPS_PLUGIN_PATH"].startswith(str(tmp_path))


def test_a_plugin_built_by_hand(monkeypatch, tmp_path):
    """LAMMPS looks there first, so does the report."""
    (tmp_path / "nnpplugin.so").touch()
    monkeypatch.setenv("LAMMPS_PLUGIN_PATH", f"/nowhere:{tmp_path}")
    assert lammps_plugin.find_plugin() == tmp_path / "nnpplugin.so"
