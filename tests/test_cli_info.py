"""``nnp info``."""

from __future__ import annotations

import pytest
from nep_files import nep_text
from pair_potential import pair_potential
from runs import nnp

from nnp.functions import describe
from nnp.io import n2p2
from nnp.testing import random_potential


def test_report_of_every_family(tmp_path, capsys):
    potential = random_potential(("H", "O"), seed=3)
    potential.save(tmp_path / "m.nnp")
    assert nnp("info", tmp_path / "m.nnp") == 0
    text = capsys.readouterr().out
    assert "elements    H, O" in text
    assert "angstrom, eV in its files" in text
    rows = [line.split() for line in text.splitlines()]
    for model in potential.models:
        sizes = "-".join(map(str, model.network.sizes))
        assert f"network     {sizes} (tanh, logistic, identity)" in text
        for number, function in enumerate(model.functions, start=1):
            kind = describe(function).split()[0]
            assert any(row[:2] == [str(number), kind] for row in rows)


def test_parameters_are_in_their_columns(tmp_path, capsys):
    pair_potential().save(tmp_path / "m.nnp")
    assert nnp("info", tmp_path / "m.nnp") == 0
    lines = capsys.readouterr().out.splitlines()
    header = next(line for line in lines if line.lstrip().startswith("no "))
    names = header.split()
    second = dict(zip(names, lines[lines.index(header) + 2].split(), strict=True))
    assert second["function"] == "radial"
    assert second["r_shift/Å"] == "2.8"
    (shared,) = [line for line in lines if "all have" in line]  # what would make the table wide
    assert "r_c/Å 4.5" in shared
    assert "r_c/Å" not in names
    assert (second["min"], second["max"]) == ("3", "5")
    assert "zeta" not in names


def test_families_without_columns_say_their_parameters(tmp_path, capsys):
    (tmp_path / "nep.txt").write_text(nep_text())
    assert nnp("info", tmp_path / "nep.txt") == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line.split()[1:2] == ["moment_pair"]]
    assert len(rows) == 2 * 4 * 4
    assert len({" ".join(row[3:-3]) for row in rows}) == 4 * 4
    assert rows[0][3:6] == ["n_1=0", "n_2=0", "l_1=1"]
    assert rows[0][-2:] == ["-", "-"]
    assert not any("1e+100" in line for line in lines)
    shifted = random_potential(("Si",), seed=1, families=("angular_shifted", "radial"))
    shifted.save(tmp_path / "m.nnp")
    assert nnp("info", tmp_path / "m.nnp") == 0
    text = capsys.readouterr().out
    for function in shifted.models[0].functions:
        assert (function.parameter_text() in text) == (function.name == "angular_shifted")


def test_units_are_said_and_doubted(tmp_path, capsys):
    n2p2.write(pair_potential(), tmp_path / "potential", "angstrom,eV")
    assert nnp("info", tmp_path / "potential") == 0
    captured = capsys.readouterr()
    assert "bohr, hartree in its files" in captured.out
    assert "WARNING     the files are taken to be in bohr, hartree, but" in captured.out
    assert captured.err == ""
    assert nnp("info", tmp_path / "potential", "--units", "metal") == 0
    captured = capsys.readouterr()
    assert "angstrom, eV in its files" in captured.out
    assert "WARNING" not in captured.out


def test_a_name_stands_for_what_comes_along(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert nnp("info", "silicon_sw") == 0
    text = capsys.readouterr().out
    assert "Stillinger-Weber" in text
    assert "commands    14 entries" in text
    assert all(len(line) < 120 for line in text.splitlines())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing"], "missing does not exist: give a model file, an n2p2 directory, nep.txt"),
        (["empty"], "empty/input.nn is missing"),
        (["empty", "--units", "miles"], "units='miles' is not understood"),
        (["broken.nnp"], "broken.nnp is not a complete nnp model file"),
    ],
)
def test_bad_paths(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.nnp").write_bytes(b"PK")
    assert nnp("info", *words) == 1
    assert f"nnp: error: {message}" in capsys.readouterr().err
