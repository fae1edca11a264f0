"""``nnp info``."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from nep_files import nep_text
from pair_potential import pair_potential
from runs import nnp

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import SYMBOLS
from nnp.functions import canonical_order, describe
from nnp.io import n2p2
from nnp.testing import FAMILIES, random_potential


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
            assert any(row[:1] == [str(number)] for row in rows)
            assert any(row[1:2] == [describe(function).split()[0]] for row in rows)


def test_parameters_are_in_their_columns(tmp_path, capsys):
    pair_potential().save(tmp_path / "m.nnp")
    assert nnp("info", tmp_path / "m.nnp") == 0
    lines = capsys.readouterr().out.splitlines()
    header = next(line for line in lines if line.lstrip().startswith("no "))
    names = header.split()
    second = dict(zip(names, lines[lines.index(header) + 2].split(), strict=True))
    assert "  2 radial (type 2)" in lines
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
    first = lines.index("    no  n_1  n_2  l_1")
    assert lines[first - 3] == "  16 moment_pair"
    assert lines[first - 1] == "    their ranges in the training data are not known"
    rows = [line.split() for line in lines[first + 1 : first + 1 + 4 * 4]]
    assert len({tuple(row[1:]) for row in rows}) == 4 * 4
    assert rows[0] == ["1", "0", "0", "1"]
    assert lines.count("    the same 16 rows as H") == 1  # the other element's
    assert not any("1e+100" in line for line in lines)
    shifted = random_potential(("Si",), seed=1, families=("angular_shifted", "radial"))
    shifted.save(tmp_path / "m.nnp")
    assert nnp("info", tmp_path / "m.nnp") == 0
    text = capsys.readouterr().out
    assert "theta_shift/°" in text
    for function in shifted.models[0].functions:
        if function.name == "angular_shifted":
            assert f" {function.theta_shift_deg:g} " in text


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
    assert "crystal, 300 K: RMSE 0.132 meV/atom, RMSE 0.0038 eV/Å" in text
    assert "data: crystals.extxyz, defects.extxyz, melts.extxyz and 1 more" in text
    assert "functions: cutoff 3.77 Å" in text
    assert "optimizer: kalman, 30 epochs" in text
    assert max(map(len, text.splitlines())) <= 80


def test_settings_of_a_fit_are_what_people_ask(tmp_path, capsys):
    """Whatever stands in the file: a later version's, or nonsense."""
    potential = random_potential(("Si",), seed=1)
    tables = {
        "data": {"train": ["OUTCAR"] * 200, "validation": ["v.extxyz"], "later": 1},
        "functions": {"generate": {"family": "moments", "cutoff": 6.0}},
        "loss": {"energy": 100.0, "forces": 1.0, "stress": 0.0},
        "optimizer": {"kind": "adam"},
        "run": {"epochs": 40},
    }
    replace(potential, provenance={"settings": tables}).save(tmp_path / "m.nnp")
    assert nnp("info", tmp_path / "m.nnp") == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    first = lines.index("settings    data: OUTCAR")
    assert lines[first + 1 : first + 5] == [
        "validation: v.extxyz",
        "functions: moments, cutoff 6 Å",
        "loss: energy 100, forces 1",
        "optimizer: adam, 40 epochs",
    ]
    odd = {"data": {"train": 3}, "functions": [], "loss": {"energy": "x"}, "run": {"epochs": []}}
    replace(potential, provenance={"settings": odd}).save(tmp_path / "odd.nnp")
    assert nnp("info", tmp_path / "odd.nnp") == 0


def test_values_stand_in_one_column(capsys):
    """Whatever the entries of a provenance are called: a long name has a line of its own."""
    assert nnp("info", "water_rpbe_d3") == 0
    head = capsys.readouterr().out.partition("\n\n")[0].splitlines()[1:]
    long_name = "  errors of runs that the fit has not seen"
    assert long_name in head
    assert all(line[13] == " " != line[14] for line in head if line != long_name)


def one_cutoff(potential):
    """The same for all functions, as real potentials have it."""

    def of(function):
        has = "cutoff" in asdict(function)
        return replace(function, cutoff=Cutoff(CutoffKind.COSINE, 6.0)) if has else function

    models = [
        replace(m, functions=canonical_order([of(f) for f in m.functions]))
        for m in potential.models
    ]
    return replace(potential, models=models)


@pytest.mark.parametrize("elements", [("Si", "Cl", "Mg"), SYMBOLS[:40]])
def test_tables_fit(tmp_path, capsys, elements):
    """Of each family, with the longest names; cutoffs are all the same in real potentials."""
    families = [family for family in FAMILIES if len(elements) < 4 or "weighted" in family]
    for number, family in enumerate(families):
        path = tmp_path / f"{number}.nnp"
        one_cutoff(random_potential(elements, 4, (family,))).save(path)
        assert nnp("info", path) == 0
        text = capsys.readouterr().out
        rows = [line for line in text.splitlines() if line.startswith("    ")]
        assert max(map(len, rows)) <= 80, family


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
