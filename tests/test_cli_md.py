"""``nnp md`` and ``nnp demo``: what they print, draw and refuse; documentation and examples."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write
from runs import crystal, moving_crystal, nnp, write_inputs

from nnp.md import read_log

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with model.nnp and start.extxyz, to work in."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    return tmp_path


INPUTS = ("model.nnp", "start.extxyz")
SHORT = ("--steps", "40", "--log-interval", "4", "--frame-interval", "4")


def is_picture(path):
    return Path(path).read_bytes().startswith(b"\x89PNG") and Path(path).stat().st_size > 5000


def test_a_run_with_everything(capsys):
    options = ("--ensemble", "npt", "--thermostat", "nose-hoover", "--temperature", "350")
    options += ("--pressure", "1000", "--timestep", "2", "--seed", "7")
    assert nnp("md", *INPUTS, *SHORT, *options) == 0
    captured = capsys.readouterr()
    text = "32 atoms, NPT (nose-hoover, 350 K, isotropic, 1000 bar), 40 steps of 2 fs"
    assert text in captured.out
    assert "ns/day" in captured.out
    assert "mean temperature of the second half" in captured.out
    assert "step 40 of 40" in captured.err
    assert is_picture("md.png")
    assert is_picture("md.rdf.png")
    assert len(read("md.extxyz", ":")) == 11
    np.testing.assert_allclose(read_log("md.csv")["time_ps"][-1], 0.08)


def test_names_and_formats(folder, capsys):
    options = ("--output", "a/b/run", "--trajectory", "t.dcd", "--log", "l.csv", "--no-pictures")
    assert nnp("md", *INPUTS, *SHORT, *options) == 0
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    names = ["a/b/run.final.extxyz", "a/b/run.restart", "a/b/run.topology.pdb"]
    assert found == [*names, "l.csv", "model.nnp", "start.extxyz", "t.dcd"]
    assert "picture" not in capsys.readouterr().out


def test_restart_goes_on(capsys):
    assert nnp("md", *INPUTS, *SHORT, "--no-pictures") == 0
    more = ("--steps", "60", "--restart", "md.restart", "--no-pictures")
    assert nnp("md", *INPUTS, *SHORT[2:], *more) == 0
    assert "continuing md.restart\n" in capsys.readouterr().out
    np.testing.assert_array_equal(read_log("md.csv")["step"], np.arange(0, 61, 4))
    assert nnp("md", *INPUTS, *more, "--steps", "59") == 1
    assert "the restart is already at step 60" in capsys.readouterr().err


def test_the_last_frame_and_its_velocities_begin(capsys):
    write("start.extxyz", [crystal(1), moving_crystal()])
    assert nnp("md", *INPUTS, "--steps", "0", "--no-pictures") == 0
    assert "32 atoms" in capsys.readouterr().out
    momenta = read("md.extxyz", 0).get_momenta()
    np.testing.assert_allclose(momenta, moving_crystal().get_momenta(), atol=1e-6)


def test_extrapolation_is_told(capsys):
    atoms = moving_crystal()
    atoms.positions[7] += (0.9, 0.0, 0.0)
    write("start.extxyz", atoms)
    assert nnp("md", *INPUTS, "--steps", "0", "--no-pictures") == 0
    text = capsys.readouterr().out
    assert "extrapolating in 1 of 1 rows, up to " in text
    assert "worst: step 0, atom 7 (Si), function " in text
    assert "(radial Si eta=1" in text
    assert nnp("md", *INPUTS, "--force", "--max-extrapolations", "0") == 1
    assert "1 atom extrapolates, more than max_extrapolations=0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--platform", "Abacus"], "platform='Abacus' is not available: this OpenMM has Reference"),
        (["--route", "scenic"], "route='scenic' is unknown: allowed are auto, "),
        (["--engine", "steam"], "engine='steam' is unknown: allowed are auto, "),
        (["--trajectory", "t.abc"], "trajectory t.abc: its suffix decides the format"),
        (["--timestep", "0"], "timestep=0.0 fs is not allowed"),
        (["--seed", "0"], "seed=0: a whole number from 1"),
        (["--restart", "none"], "none cannot be read as a restart file"),
        (["--output", "model.nnp/run"], "model.nnp is a file, not a folder"),
        (["--dtype", "float16"], "dtype='float16' is unknown: allowed are"),
        (["--temperature", "-5"], "temperature=-5.0: a number from 0 K"),
        (["--temperature", "0"], "temperature=0 with ensemble='nvt': it must be positive; nve"),
        (["--timestep", "20"], "timestep=20 fs: bonds vibrate in 10 to 100 fs"),
        (["--pressure", "5"], "pressure=5.0 needs a barostat"),
        (["--output", "."], "output='.' (--output) is a folder: give the beginning"),
        (["--output", "x/"], "output='x/' (--output) is a folder: give the beginning"),
        (["--trajectory", "start.extxyz", "--force"], "start.extxyz is read by the run and would"),
        (["--ensemble", "npt", "--surface-tension", "3"], "surface_tension=3.0 is of a membrane"),
        (["--ramp-steps", "10"], "ramp_steps=10 is of a ramp: say where it ends"),
        (["--select-above", "1"], "select_above=1.0 is of a selection: say how often"),
        (["--max-energy-drift", "1"], "max_energy_drift=1.0 bounds the energy of nve"),
        (["--hydrogen-mass", "3"], "hydrogen_mass=3 u: the structure has no hydrogen"),
        (["--trajectory", "t.xtc", "every=0"], "trajectory t.xtc: every=0: a whole number"),
        (["--minimize", "1e-9"], "force_tolerance=1e-09: a number from 1e-08 eV/Å"),
        (["--restart", "none.restart"], "none.restart cannot be read as a restart file (there is"),
    ],
)
def test_refusals_write_nothing(folder, capsys, options, message):
    before = sorted(folder.iterdir())
    assert nnp("md", *INPUTS, *SHORT, *options) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith(f"nnp: error: {message}")
    assert all(line.startswith("nnp: warning: route='auto'") for line in lines[:-1])
    assert sorted(folder.iterdir()) == before


def test_wrong_structures(capsys):
    write("gold.extxyz", bulk("Au"))
    assert nnp("md", "model.nnp", "gold.extxyz") == 1
    assert "atom 0 is Au, but the potential knows only Si" in capsys.readouterr().err
    assert nnp("md", "model.nnp", "missing.extxyz") == 1
    assert "missing.extxyz does not exist" in capsys.readouterr().err


def test_existing_output_is_kept_unless_forced(capsys):
    Path("md.csv").write_text("precious")
    assert nnp("md", *INPUTS, *SHORT) == 1
    assert "md.csv exists: choose another --output, continue it" in capsys.readouterr().err
    assert Path("md.csv").read_text() == "precious"
    assert nnp("md", *INPUTS, *SHORT, "--force", "--no-pictures") == 0


def test_demo(capsys):
    assert nnp("demo", "--steps", "60", "--output", "d") == 0
    text = capsys.readouterr().out
    assert "216 silicon atoms, NVT (langevin, 300 K), 60 steps of 2 fs" in text
    assert re.search(r"neural network +[\d.e+]+ ns/day  temperature \d+\.\d ± \d+\.\d K", text)
    assert re.search(r"Stillinger-Weber +[\d.e+]+ ns/day  temperature", text)
    difference, noise = map(float, re.findall(r"(?:differ by|would give) ([\d.]+)", text))
    assert 0 < difference < 5
    assert 0 < noise < 5
    assert is_picture("d/rdf.png")
    assert is_picture("d/temperature-and-energies.png")
    for name in ("neural-network", "stillinger-weber"):
        assert read_log(f"d/{name}.csv")["step"][-1] == 60
        assert read(f"d/{name}.final.extxyz").get_volume() == pytest.approx((3 * 5.431) ** 3)
    assert nnp("demo", "--steps", "60", "--output", "d") == 1
    assert "d/neural-network.csv exists" in capsys.readouterr().err


@pytest.mark.slow
def test_demo_agrees_with_its_teacher(capsys):
    """The two radial distributions differ by no more than chance does."""
    assert nnp("demo", "--steps", "3000") == 0
    text = capsys.readouterr().out
    difference, noise = map(float, re.findall(r"(?:differ by|would give) ([\d.]+)", text))
    assert noise < 0.05
    assert difference < 2 * noise


def test_a_run_begins_minimised(capsys):
    atoms = crystal()
    atoms.rattle(0.15, seed=1)
    write("start.extxyz", atoms)
    assert nnp("md", *INPUTS, "--minimize", "--steps", "0", "--no-pictures") == 0
    assert re.search(r"minimised in \d+ steps: largest force \S+ → 0\.00", capsys.readouterr().out)
    assert np.linalg.norm(read("md.extxyz", 0).get_forces(), axis=1).max() < 0.01


def test_two_atoms_that_overlap_are_no_start(capsys):
    """It warned, and ended with exit code 0."""
    pair = crystal(1)[:2]
    pair.pbc = False
    pair.positions = [(0, 0, 0), (0, 0, 0.5)]
    write("start.extxyz", pair)
    assert nnp("md", *INPUTS, "--steps", "0") == 1
    text = "where the run begins, atoms 0 (Si) and 1 (Si) are 0.500 Å apart, 0.23 of a bond's"
    assert text in capsys.readouterr().err
    assert not Path("md.csv").exists()
    assert nnp("md", *INPUTS, "--steps", "0", "--any-geometry", "--no-pictures") == 0


def write_labelled(folder):
    """A folder as data: crystals with the teacher's labels."""
    from nnp.teachers.ase import StillingerWeber

    frames = []
    for seed in range(8):
        atoms = bulk("Si", a=5.431, cubic=True)
        atoms.rattle(0.05, seed=seed)
        atoms.calc = StillingerWeber()
        atoms.get_forces()
        frames.append(atoms)
    folder.mkdir()
    write(folder / "labelled.extxyz", frames)


@pytest.mark.parametrize("page", ["cli.md", "md.md"])
def test_what_the_documentation_shows_works(page, capsys):
    """The commands of the pages, one after the other in one folder."""
    write("start.extxyz", bulk("Si", a=5.431, cubic=True) * (2, 2, 2))
    write("frames.extxyz", [bulk("Si", a=a, cubic=True) for a in (5.3, 5.4, 5.5)])
    write_labelled(Path("runs"))
    text = (ROOT / "docs" / page).read_text()
    for plan in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        Path("run.toml").write_text(plan)
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if line.startswith("nnp ")]
    assert len(commands) >= 4
    for command in commands:
        words = command[1:]
        if ">" in words:  # what the shell does
            words = words[: words.index(">")]
        if words == ["lammps"] and shutil.which("lmp") is None:
            continue
        if words[0] == "demo":
            words += ["--steps", "40"]
        assert nnp(*words) == 0, (command, capsys.readouterr().err)


# 06 needs libraries of its own: test_openmm_ml_mm.py
@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "examples").glob("0[1-57]*.py")))
def test_examples_run(name):
    deprecated = ["-W", "error::DeprecationWarning", "-W", "error::FutureWarning"]
    done = subprocess.run(
        [sys.executable, *deprecated, ROOT / "examples" / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "md.csv exists"),
        (("--output", "x/y", "--ensemble", "npt"), "ensemble='npt' needs a periodic structure"),
        (("--output", "x/y", "--platform", "NONE"), "NONE"),
        (("--output", "x/y", "--stop-on-spread", "1"), "a single potential cannot disagree"),
    ],
)
def test_what_a_run_refuses_is_refused_before_its_minimisation(
    folder, monkeypatch, capsys, words, message
):
    atoms = crystal()
    atoms.pbc = False
    write("start.extxyz", atoms)
    Path("md.csv").write_text("precious")
    before = set(folder.rglob("*"))
    monkeypatch.setattr("nnp.cli.md.relax_and_say", lambda *_: pytest.fail("minimised"))
    assert nnp("md", *INPUTS, *SHORT, "--minimize", *words) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert set(folder.rglob("*")) == before
