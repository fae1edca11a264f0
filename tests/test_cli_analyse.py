"""``nnp analyse``: files, tables, comparisons, and what it says where something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write
from runs import nnp

from nnp.analysis import read_analysis
from nnp.analysis.compare import read_reference
from nnp.analysis.writing import CURVES
from nnp.errors import FileFormatError

START = ("md", "silicon_sw", "start.extxyz", "--timestep", 2, "--temperature", 600)
RUN = ("--steps", 240, "--frame-interval", 2, "--log-interval", 4)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two short runs of silicon, one of them with a DCD."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write("start.extxyz", bulk("Si", a=5.431, cubic=True) * (2, 2, 2))
        assert nnp(*START, *RUN, "--output", "a") == 0
        assert nnp(*START, *RUN, "--output", "b", "--trajectory", "b.dcd", "--seed", 2) == 0
    return folder


@pytest.fixture
def folder(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in runs.iterdir():
        if path.is_file():
            (tmp_path / path.name).symlink_to(path)
    return tmp_path


def test_one_run(folder, capsys):
    assert nnp("analyse", "a.extxyz", "--r-max", 6, "--skip", 0.1) == 0
    out = capsys.readouterr().out
    assert "frames taken, 4 fs apart" in out
    assert "ensemble: nvt, as the log says" in out
    assert "mean temperature" in out
    names = {path.name for path in (folder / "analysis").iterdir()}
    assert names >= {"analysis.json", "numbers.csv", "report.png", "rdf.csv", "msd.csv"}
    found = read_analysis("analysis")
    assert found["coordination total"].value == pytest.approx(4.0, abs=0.05)
    numbers = (folder / "analysis" / "numbers.csv").read_text().splitlines()
    assert numbers[0] == "quantity,value,error,unit,how"
    assert len(numbers) == 1 + len(found.quantities)
    rdf = np.genfromtxt("analysis/rdf.csv", delimiter=",", names=True)
    np.testing.assert_allclose(rdf["total"], found.curves["rdf"].values["total"], rtol=1e-6)
    json.loads((folder / "analysis" / "analysis.json").read_text(), parse_constant=pytest.fail)
    assert nnp("analyse", "a.extxyz") == 1
    assert "holds an analysis: choose another --output" in capsys.readouterr().err


def test_two_runs_and_a_reference(folder, capsys):
    """An extxyz and a DCD of equal runs agree; a reference of one curve is drawn beside."""
    (folder / "experiment.csv").write_text("r_A,total\n2.0,0\n2.35,9\n3.0,0\n")
    words = ("--names", "one", "two", "--reference", "experiment.csv", "--skip", 0.2)
    words += ("--topology", "start.extxyz")  # for the DCD
    assert nnp("analyse", "a.extxyz", "b.dcd", *words, "--r-max", 6) == 0
    out = capsys.readouterr().out
    assert "σ apart" in out
    assert "root mean square differences from one" in out
    assert "experiment  rdf" in out
    assert "the frames hold no velocities" in out
    one, two = (read_analysis(f"analysis/{name}") for name in ("one", "two"))
    assert two["mean temperature"].unit == "K"  # of b.csv
    apart = one["g(r) peak total"].value - two["g(r) peak total"].value
    assert abs(apart) < 0.05
    assert (folder / "analysis" / "report.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.extxyz", "a.extxyz"), "two trajectories are called a, a: tell them apart by --names"),
        (("a.extxyz", "--names", "x", "y"), "--names: 2 for 1 trajectories"),
        (("a.extxyz", "--skip", "1"), "skip=1.0: must be a fraction of the frames"),
        (("a.extxyz", "--bond", "Si=2"), "give ELEMENT-ELEMENT"),
        (("a.extxyz", "--bond", "Si-Si"), "--bond Si-Si: ELEMENT-ELEMENT=DISTANCE"),
        (("a.extxyz", "--blocks", "1"), "blocks=1"),
        (("a.extxyz", "--bond", "Si-O=2"), "bond Si-O=2: a.extxyz has no O, only Si"),
        (("a.extxyz", "--bin-width", "1e-9"), "are 1e+10 bins: allowed are 100,000"),
        (("a.extxyz", "--log", "none.csv"), "as the log of a run: there is no such file"),
        (("none.dcd",), "none.dcd does not exist"),
        (("a.extxyz", "--log", "a.extxyz"), "log of a run"),
        (("a.extxyz", "--reference", "a.csv"), "its first column is 'step'"),
        (("a.extxyz", "--topology", "start.extxyz"), "has elements of its own; leave it out"),
        (("a.extxyz", "none.extxyz"), "none.extxyz does not exist"),
        (("a.extxyz", "b.dcd", "--topology", "none.pdb"), "none.pdb"),
        (("a.extxyz", "b.dcd", "--log", "a.csv", "none.csv"), "none.csv cannot be read as the log"),
        (("a.extxyz", "--ensemble", "nvt", "--pressure", "5"), "pressure_bar=5 (--pressure) bel"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_refusals(words, message, capsys):
    assert nnp("analyse", *words, "--output", "x/y") == 1
    assert message in capsys.readouterr().err
    assert not Path("x").exists()


def test_an_analysis_that_was_killed(folder, capsys, monkeypatch):
    """Its folder is told before anything is computed, and holds no curve of another analysis."""
    Path("analysis").mkdir()
    for name in ("msd.csv", "elastic.csv"):
        (folder / "analysis" / name).write_text("r_A,total\n")
    assert nnp("analyse", "a.extxyz") == 1
    assert (
        "analysis holds an analysis, or a part of one (msd.csv): choose" in capsys.readouterr().err
    )
    write("one.extxyz", read("start.extxyz"))
    assert nnp("analyse", "one.extxyz", "--r-max", 6, "--force") == 0
    names = {path.stem for path in Path("analysis").iterdir()}
    assert names == {"analysis", "numbers", "rdf", "structure_factor", "angles", "report"}

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nnp.analysis.writing._table", killed)
    assert nnp("analyse", "one.extxyz", "--r-max", 6, "--force") == 130
    assert read_analysis("analysis").curves


@pytest.mark.usefixtures("folder")
def test_every_curve_is_known():
    assert nnp("analyse", "a.extxyz", "--r-max", 6, "--skip", 0.1) == 0
    assert set(read_analysis("analysis").curves) <= set(CURVES)


@pytest.mark.usefixtures("folder")
def test_references_that_are_none():
    with pytest.raises(FileFormatError, match="cannot be read as an analysis"):
        read_reference(".")


@pytest.mark.usefixtures("folder")
def test_one_frame(capsys):
    write("one.extxyz", read("start.extxyz"))
    assert nnp("analyse", "one.extxyz", "--r-max", 6) == 0
    out = capsys.readouterr().out
    assert "has 1 frame here, at least 10 are expected" in out
    assert "coordination total" in out


@pytest.mark.usefixtures("folder")
def test_options_that_nothing_uses_are_told(capsys):
    words = ("--pressure", 5, "--viscosity", 1, "--r-max", 6, "--skip", 0.1)
    assert nnp("analyse", "a.extxyz", *words) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "--pressure 5 is not used: it enters the fluctuations of npt only" in out
    assert "the ensemble is nvt, as the log says" in out
    assert "--viscosity 1 is not used: it corrects diffusion coefficients" in out
    assert nnp("analyse", "a.extxyz", *words, "--ensemble", "npt", "--force") == 0
    assert "--pressure 5 is not used" not in " ".join(capsys.readouterr().out.split())


def test_a_page_of_somebody_else_stays(folder, capsys):
    (folder / "report.png").write_text("precious")
    assert nnp("analyse", "a.extxyz", "--output", ".", "--r-max", 6) == 1
    assert "or a part of one (report.png)" in capsys.readouterr().err
    assert nnp("analyse", "a.extxyz", "b.dcd", "--output", ".", "--r-max", 6) == 1
    assert (folder / "report.png").read_text() == "precious"
    assert not (folder / "a").exists()


def test_nothing_to_compute(folder, capsys):
    molecule = read("start.extxyz")
    molecule.pbc, molecule.cell = False, None
    write("molecule.extxyz", molecule)
    assert nnp("analyse", "molecule.extxyz") == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "nothing can be computed from molecule.extxyz: no displacements" in error
    assert "no g(r), S(k) and densities" in error
    assert not (folder / "analysis").exists()
