"""Where somebody stuck who knew the README only, in a fresh environment: each place stays "
"mended."""

from __future__ import annotations

import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write
from nep_files import nep_text
from runs import nnp
from test_aenet import write_folder

import nnp as package
from nnp.io import structures

UNKNOWN = "whether atoms extrapolate is not known: the potential states no training ranges"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A NEP and a molecule, with nothing of nnp's own beside them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nep.txt").write_text(nep_text())
    write(tmp_path / "start.xyz", molecule("H2O"))
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", [("md", "--steps", "20", "--no-pictures"), ("predict",)])
def test_nothing_is_promised_of_ranges_that_a_nep_does_not_state(words, capsys):
    command, *more = words
    assert nnp(command, "nep.txt", "start.xyz", *more) == 0
    out = capsys.readouterr().out
    assert UNKNOWN in out
    assert "no atom extrapolates" not in out
    assert out.startswith("nep.txt: NEP4 in Å and eV\n")


def test_a_bundled_potential_says_its_ranges(folder, capsys):
    write(folder / "si.xyz", bulk("Si", cubic=True))
    assert nnp("predict", "silicon_sw", "si.xyz") == 0
    assert UNKNOWN not in capsys.readouterr().out


def test_what_lammps_and_c_cannot_read_leads_to_what_they_can(folder):
    """``pair_coeff * * nep.txt`` was told that the file does not end as a zip archive does."""
    from ctypes import byref, c_void_p

    from nnp.engines._library import Failure, load_library

    failure, model = Failure(), c_void_p()
    path = str(folder / "nep.txt").encode()
    assert load_library().nnp_model_open(path, byref(model), byref(failure)) != 0
    text = failure.text.decode()
    assert "of n2p2, RuNNer, ænet and NEP the command 'nnp convert POTENTIAL NAME.nnp'" in text


def test_lammps_gets_a_file_that_it_reads(folder, capsys):
    """``nnp lammps nep.txt`` named the NEP itself in ``pair_coeff``."""
    assert nnp("lammps", "nep.txt", "start.xyz") == 0
    assert 'pair_coeff * * "nep.nnp" ' in capsys.readouterr().out
    assert package.load(folder / "nep.nnp").elements == package.load("nep.txt").elements


def test_units_are_assumed_of_n2p2_only(folder, capsys):
    """ænet's files were said to be in units that nothing states."""
    write_folder(folder / "files")
    write(folder / "tio.xyz", Atoms("TiO", [[0, 0, 0], [0, 0, 1.6]]))
    for path in ("files", folder / "files"):
        assert nnp("predict", path, "tio.xyz", "--force") == 0
        assert f"{path}: ænet files in Å and eV\n" in capsys.readouterr().out
    assert nnp("convert", "files", "one.nnp") == 0
    assert nnp("predict", "one.nnp", "tio.xyz", "--force") == 0
    assert "one.nnp: one-file model in Å and eV\n" in capsys.readouterr().out


def test_which_structure_of_a_file_is_taken(tmp_path):
    """An index from 0 beside a number from 1 read as the last but one."""
    path = tmp_path / "three.xyz"
    write(path, [bulk("Si"), bulk("Si"), bulk("Ge")])
    said = [structures.read(path, index=index).line for index in (0, 1, -1, "1:")]
    assert [line.rpartition("; ")[2] for line in said] == [
        "the first of 3 structures",
        "index 1 of 3 structures",
        "the last of 3 structures",
        "2 of 3 structures",
    ]


def test_every_reading_of_the_readme_is_a_potential_or_says_why(folder):
    """What stands in the first table, given as a name that is not there."""
    with pytest.raises(package.NNPError, match="does not exist"):
        package.load(folder / "my-directory")
