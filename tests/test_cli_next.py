"""The picture of a relaxation, and ``next:``, whose commands work as they are printed."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
from ase.io import write
from PIL import Image
from runs import crystal, moving_crystal, nnp, write_inputs

from nnp.cli.next_step import next_step
from nnp.pictures import figure

PLAN = """\
potential = "model.nnp"
structure = "start.extxyz"
output = "plan"
[[stage]]
name = "warm"
ensemble = "nvt"
temperature = 50
steps = 20
frame_interval = 10
"""


def said(out):
    """The words after ``next:``, as a shell has them."""
    lines = out.rpartition("next: ")[2].splitlines()
    assert lines
    assert max(len(f"next: {lines[0]}"), *map(len, lines)) <= 80
    return shlex.split("\n".join(lines).replace("\\\n", ""))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path, moving_crystal())
    return tmp_path


@pytest.mark.parametrize("output", ["relaxed.extxyz", "POSCAR", "out.data", "a b é.extxyz"])
def test_dynamics_of_what_was_relaxed(folder, capsys, output):
    for _ in range(2):  # the second time there is a run of the usual name
        assert nnp("relax", "model.nnp", "start.extxyz", "--output", output, "--force") == 0
        words = said(capsys.readouterr().out)
        assert words[:4] == ["nnp", "md", "model.nnp", output]
        assert nnp(*words[1:], "--steps", "2") == 0, capsys.readouterr().err
        capsys.readouterr()
    assert len(list(folder.glob("*.csv"))) == 2


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--output", "runs/a b"),
        ("--log", "other.csv"),
        ("--trajectory", "other.traj"),
        ("--trajectory", "other.dcd"),
        ("--trajectory", "md.dcd", "--trajectory", "md2.extxyz"),
    ],
    ids=" ".join,
)
def test_analysis_of_a_run(folder, capsys, words):
    short = ("--steps", "20", "--frame-interval", "10", "--no-pictures")
    assert nnp("md", "model.nnp", "start.extxyz", *short, *words) == 0
    command = said(capsys.readouterr().out)
    assert nnp(*command[1:]) == 0, capsys.readouterr().err
    assert (folder / "analysis" / "analysis.json").exists()


def test_analysis_of_stages(folder, capsys):
    (folder / "plan.toml").write_text(PLAN)
    (folder / "analysis").mkdir()
    assert nnp("md", "plan.toml", "--no-pictures") == 0
    assert nnp(*said(capsys.readouterr().out)[1:]) == 0
    assert not any((folder / "analysis").iterdir())


def test_what_is_not_reached_has_no_next_step(folder, capsys):
    assert nnp("relax", "model.nnp", "start.extxyz", "--steps", "1") == 1
    out = capsys.readouterr().out
    assert "next:" not in out
    assert "picture: relaxed.steps.png" in out
    assert (folder / "relaxed.steps.png").exists()


def test_long_commands_are_wrapped():
    text = next_step(["nnp", "analyse", *(f"file number {n}" for n in range(12))])
    assert "\\\n" in text
    assert said(text)[2:] == [f"file number {n}" for n in range(12)]


@pytest.mark.parametrize("cell", [(), ("--cell",)], ids=str)
def test_picture_of_a_relaxation(folder, capsys, cell):
    words = ("relax", "model.nnp", "start.extxyz", *cell)
    assert nnp(*words) == 0
    assert "picture: relaxed.steps.png" in capsys.readouterr().out
    picture = np.asarray(Image.open("relaxed.steps.png").convert("L"))
    assert (picture < 128).any()
    (folder / "relaxed.extxyz").unlink()
    assert nnp(*words) == 1
    assert "relaxed.steps.png, the picture, exists: choose another" in capsys.readouterr().err
    assert not (folder / "relaxed.extxyz").exists()
    assert nnp(*words, "--no-pictures") == 0
    assert "picture" not in capsys.readouterr().out
    assert nnp(*words, "--force") == 0


def test_no_picture(folder, capsys, monkeypatch):
    write("still.extxyz", crystal())
    assert nnp("relax", "model.nnp", "still.extxyz", "--force-tolerance", "100") == 0
    assert "no picture: no step was needed" in capsys.readouterr().out
    monkeypatch.setattr(figure, "have_matplotlib", lambda: False)
    monkeypatch.setattr("nnp.cli.relax.have_matplotlib", lambda: False)
    assert nnp("relax", "model.nnp", "start.extxyz", "--force") == 0
    assert "no pictures: matplotlib is not installed" in capsys.readouterr().out
    assert not (folder / "relaxed.steps.png").exists()
