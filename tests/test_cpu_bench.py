"""``nnp bench``: what it measures and writes, and what bad input gets."""

from __future__ import annotations

import json
from argparse import Namespace

import numpy as np
import pytest
from lammps_stand_in import stand_in

from nnp.bench import default_structure, from_times, measure, replicated
from nnp.cli import main
from nnp.cli.bench import _variants
from nnp.errors import OptionError, StructureError
from nnp.testing import random_potential, structures


def test_command_writes_numbers_and_picture(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="the picture needs it")
    numbers, picture = tmp_path / "speed.json", tmp_path / "speed.png"
    words = ["bench", "silicon_sw", "--atoms", "64", "--steps", "5"]
    words += ["--dtype", "float32", "--threads", "1", "2"]
    outputs = ["--json", str(numbers), "--plot", str(picture)]
    assert main([*words, *outputs]) == 0
    assert "cpu float32 2 threads" in capsys.readouterr().out
    record = json.loads(numbers.read_text())
    assert {"processor", "commit", "date", "cores"} <= set(record["machine"])
    first, second = record["measurements"]
    assert (first["n_atoms"], first["steps"]) == (64, 5)
    assert 0 < first["slow"] <= first["rate"] <= first["fast"] <= first["best"]
    assert second["details"]["threads"] == 2
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main([*words, *outputs]) == 1
    assert "speed.json exists: choose another name, or add --force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("engine", "dtypes", "wanted"),
    [
        ("cpu", None, [("float64", 1), ("float64", 2), ("float32", 1), ("float32", 2)]),
        ("cpu", ["float32"], [("float32", 1), ("float32", 2)]),
        ("opencl", ["single", "float32"], [("single", None), ("float32", None)]),
        ("gpu", None, [("float64", None)]),
        ("reference", ["float32", "float64"], [(None, None)]),
    ],
)
def test_engines_get_the_options_they_take(engine, dtypes, wanted):
    arguments = Namespace(dtype=dtypes, threads=[1, 2])
    found = [(v.get("dtype"), v.get("threads")) for v in _variants(engine, arguments)]
    assert found == wanted


def test_dtype_that_an_engine_lacks(capsys):
    words = ["bench", "silicon_sw", "--engine", "reference", "--dtype", "float32"]
    assert main(words) == 1
    assert "'reference' computes in float64 only" in capsys.readouterr().err


def test_dynamics_move_atoms_and_keep_the_structure():
    potential = random_potential(("Si",), 2, ("radial",))
    box = structures()["rattled"]
    before = box.positions.copy()
    found = measure(potential, box, steps=6, threads=1)
    assert (box.positions == before).all()
    assert found.steps == 6
    assert found.details["evaluations"] == 9  # three to warm up


def test_rates_of_times():
    found = from_times("x", 100, [0.1, 0.2, 0.4], {})
    assert found.rate == pytest.approx(500)
    assert found.best == pytest.approx(1000)
    assert found.slow < found.rate < found.fast < found.best


def test_replicas_have_the_density():
    box = structures()["triclinic"]
    large = replicated(box, 100)
    assert len(large) >= 100
    assert len(large) / large.volume == pytest.approx(len(box) / box.volume)
    potential = random_potential(("Si",), 3, ("radial", "angular_wide"))
    small_energy = potential.evaluate(box, "cpu").energy / len(box)
    np.testing.assert_allclose(
        potential.evaluate(large, "cpu").energy / len(large), small_energy, rtol=1e-12
    )


def test_structures_that_cannot_be_had():
    with pytest.raises(OptionError, match="no crystal to measure for H, O: name a STRUCTURE"):
        default_structure(random_potential(("H", "O"), 1, ("radial",)))
    with pytest.raises(StructureError, match="no periodic axis to repeat it along"):
        replicated(structures()["molecule"], 100)


def test_lammps_beside_the_engines(tmp_path, capsys):
    """Its energies and forces are compared before it is timed; what cannot run is said."""
    words = ["bench", "silicon_sw", "--atoms", "8", "--steps", "5", "--dtype", "float64"]
    other = stand_in(tmp_path, 1.0 + 1e-6).rename(tmp_path / "another")
    good, record = stand_in(tmp_path), tmp_path / "bench.json"
    commands = [str(good), str(other), str(tmp_path / "missing")]
    assert main([*words, "--json", str(record), "--lammps", *commands]) == 0
    printed = capsys.readouterr().out
    assert "LAMMPS hdnnp, 8 atoms: not measured, it is another potential" in printed
    assert "missing: LAMMPS does not start" in printed
    engine, lammps = json.loads(record.read_text())["measurements"]
    assert engine["subject"] == "cpu float64 1 thread"
    assert lammps["subject"] == "LAMMPS hdnnp"
    assert lammps["n_atoms"] == 8
    assert lammps["details"]["version"] == "1 Jan 2030"
    assert f"{lammps['rate'] / 1e3:.4g}" in printed
