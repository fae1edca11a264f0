"""Options and words that would make no difference are refused by every command that takes them."""

from __future__ import annotations

import pytest
from ase.build import bulk
from ase.io import write
from runs import nnp

from nnp.errors import OptionError
from nnp.train.fit.settings import RunSettings

DUMP = """\
ITEM: UNITS
metal
ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
1
ITEM: BOX BOUNDS pp pp pp
0 5
0 5
0 5
ITEM: ATOMS id type x y z
1 1 0 0 0
"""

COMMANDS = [
    ["predict", "silicon_sw", "a.extxyz"],
    ["relax", "silicon_sw", "a.extxyz"],
    ["md", "silicon_sw", "a.extxyz"],
    ["eos", "silicon_sw", "a.extxyz"],
    ["analyse", "a.extxyz"],
    ["augment", "a.extxyz", "b.extxyz"],
    ["sample", "a.extxyz", "b.extxyz"],
    ["convert", "a.extxyz", "b.extxyz"],
    ["evaluate", "silicon_sw", "a.extxyz"],
    ["doctor", "a.extxyz"],
    ["train", "a.extxyz"],
    ["lammps", "silicon_sw", "a.extxyz"],
    ["bench", "silicon_sw", "a.extxyz"],
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.extxyz", [bulk("Si", cubic=True)] * 2)
    return tmp_path


def refused(capsys, folder, words, message):
    assert nnp(*words) == 1, words
    assert message in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["a.extxyz"]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("option", ["--types Si,O", "--lammps-units metal"])
def test_what_the_file_does_not_need(folder, capsys, words, option):
    refused(capsys, folder, [*words, *option.split()], f"{option}: a.extxyz")


@pytest.mark.parametrize("words", [["augment"], ["sample"]], ids=str)
def test_units_of_neither_file(folder, capsys, words):
    refused(capsys, folder, [*words, "a.extxyz", "b.extxyz", "--units", "metal"], "--units: a.ext")


def test_velocity_unit(folder, capsys):
    words = ["relax", "silicon_sw", "a.extxyz", "--velocity-unit", "nm/ps"]
    refused(capsys, folder, words, "--velocity-unit nm/ps: a.extxyz")


def test_units_that_a_dump_states_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.dump").write_text(DUMP)
    words = ("convert", "a.dump", "--any-geometry", "--types", "Si", "--lammps-units")
    assert nnp(*words, "real", "b.extxyz") == 1
    assert "--lammps-units real: a.dump" in capsys.readouterr().err
    assert nnp(*words, "metal", "c.extxyz") == 0


def test_one_of_several_files_is_enough(folder):
    (folder / "b.xyz").write_text("1\nx\nOW 0 0 0\n")
    assert nnp("augment", "a.extxyz", "c.extxyz", "--mix", "b.xyz", "--types", "OW=O") == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", COMMANDS[:4], ids=lambda words: words[0])
@pytest.mark.parametrize("word", ["", "  "])
def test_an_empty_name(capsys, words, word):
    assert nnp(*words, "--output", word) == 2
    assert "--output: an empty word: give a value" in capsys.readouterr().err
    assert nnp(*words[:2], word) == 2


def test_an_empty_name_in_a_file():
    with pytest.raises(OptionError, match="output = '': the name of a folder"):
        RunSettings(output="")


WRONG = [
    ("analyse a.extxyz --bin-width 100", 1, "bin_width=100 Å: at most half of r_max=10 Å"),
    ("analyse a.extxyz b.extxyz --names ../x y", 1, "--names ../x: it is the name of a folder"),
    ("analyse plain.extxyz.gz", 1, "plain.extxyz.gz: its name says that it is packed, and it is"),
    ("relax silicon_sw plain.extxyz.gz", 1, "take .gz out of the name"),
    (
        "relax silicon_sw a.extxyz --output x.png",
        1,
        "this format (png) cannot be read again",
    ),
    ("relax silicon_sw a.extxyz --trajectory a.extxyz --force", 1, "is the structure to relax"),
    (
        "predict silicon_sw a.extxyz --index 100:",
        1,
        "index='100:' of a.extxyz: it has 2",
    ),
    (
        "bench silicon_sw --types Si",
        1,
        "--types: no file of structures is read: give STRUCTURE",
    ),
    ("info silicon_sw --types Si", 1, "--types: no file of structures is read: give --cost"),
    ("augment a.extxyz x.png", 1, "this format (png) cannot be read again"),
    ("md silicon_sw a.extxyz --steps 1e99", 1, "steps=1e+99: at most 1e+12"),
    ("md silicon_sw a.extxyz --steps 1ps", 2, "'1ps' is not a finite number, without a unit"),
    ("md silicon_sw a.extxyz --frame-interval -1", 2, "-1 is not a whole number from 1"),
    ("md silicon_sw a.extxyz --seed 99999999999999999999", 1, "seed=99999999999999999999 is not"),
]


@pytest.mark.parametrize(("words", "code", "message"), WRONG, ids=[words for words, _, _ in WRONG])
def test_wrong_words(folder, capsys, words, code, message):
    """One line says what to change, and nothing is written."""
    (folder / "plain.extxyz.gz").write_bytes((folder / "a.extxyz").read_bytes())
    write("b.extxyz", bulk("Si"))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert nnp(*words.split()) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("error:") == 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
