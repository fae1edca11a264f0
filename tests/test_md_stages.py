"""Stages in one file: what they do, and that they go on wherever they were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from runs import moving_crystal, nnp, start_nnp, write_inputs

from nnp.errors import NNPError, OptionError
from nnp.md import read_log
from nnp.md.relax_settings import RelaxSettings
from nnp.md.stages import read_plan

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

PLAN = """
potential = "model.nnp"
structure = "start.extxyz"
output = "run/si"
timestep = 2
log_interval = 10
frame_interval = 20
restart_interval = 20

[[stage]]
name = "minimise"
minimize = 0.02

[[stage]]
name = "heat"
temperature = [10, 300]
time_ps = 0.2

[[stage]]
name = "hold"
temperature = 300
steps = 60
trajectory = ["xtc every=5", "extxyz"]
"""
TEXTS = ("si.2-heat.csv", "si.2-heat.extxyz", "si.3-hold.csv", "si.3-hold.extxyz")


@pytest.fixture(scope="module")
def folder_with_inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    atoms = moving_crystal()
    atoms.arrays.pop("momenta")
    write_inputs(folder, atoms)
    (folder / "run.toml").write_text(PLAN)
    return folder


def work_in(folder, inputs, monkeypatch, plan=PLAN):
    for name in ("model.nnp", "start.extxyz"):
        (folder / name).write_bytes((inputs / name).read_bytes())
    (folder / "run.toml").write_text(plan)
    monkeypatch.chdir(folder)


def command(*words):
    return nnp("md", "run.toml", "--no-pictures", *words)


@pytest.fixture(scope="module")
def whole(folder_with_inputs, tmp_path_factory):
    """All stages, uninterrupted: the folder of their files."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, folder_with_inputs, patch)
        assert command() == 0
    return folder / "run"


def test_each_stage_does_its_own(whole):
    minimum = read(whole / "si.1-minimise.final.extxyz")
    heated = read(whole / "si.2-heat.extxyz", ":")
    np.testing.assert_allclose(heated[0].positions, minimum.positions, atol=1e-7)
    assert np.linalg.norm(heated[0].get_forces(), axis=1).max() < 0.021
    log = read_log(whole / "si.2-heat.csv")
    np.testing.assert_allclose(log["step"], np.arange(0, 101, 10))
    np.testing.assert_allclose(log["target_temperature_K"], 10 + 2.9 * log["step"])
    held = read(whole / "si.3-hold.extxyz", ":")
    np.testing.assert_allclose(held[0].positions, heated[-1].positions, atol=1e-7)
    np.testing.assert_allclose(held[0].get_momenta(), heated[-1].get_momenta(), atol=1e-7)
    assert [frame.info["step"] for frame in held] == [0, 20, 40, 60]
    assert (whole / "si.3-hold.xtc").exists()


def same(one, other):
    for name in TEXTS:
        if name.endswith("csv"):
            a, b = read_log(one / name), read_log(other / name)
            for column in ("step", "potential_energy_eV", "kinetic_energy_eV"):
                np.testing.assert_allclose(a[column], b[column], atol=1e-6)
        else:
            a, b = read(one / name, ":"), read(other / name, ":")
            assert len(a) == len(b)
            np.testing.assert_allclose(a[-1].positions, b[-1].positions, atol=1e-6)


@pytest.mark.parametrize(
    "when", ["si.2-heat.csv", pytest.param("si.3-hold.csv", marks=pytest.mark.exhaustive)]
)
def test_one_command_goes_on_wherever_it_was_killed(
    tmp_path, folder_with_inputs, whole, monkeypatch, when
):
    work_in(tmp_path, folder_with_inputs, monkeypatch)
    process = start_nnp("md", "run.toml", "--no-pictures", "--resume")
    log, end = tmp_path / "run" / when, time.monotonic() + 120
    while time.monotonic() < end and not (log.exists() and log.read_text().count("\n") > 3):
        assert process.poll() is None or log.exists()
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert command("--resume") == 0
    same(tmp_path / "run", whole)


@pytest.mark.exhaustive
def test_killed_again_and_again(tmp_path, folder_with_inputs, whole, monkeypatch):
    """At moments that nobody chose: every file is whole or can be gone on from."""
    work_in(tmp_path, folder_with_inputs, monkeypatch)
    rng = np.random.default_rng(7)
    for _ in range(4):
        process = start_nnp("md", "run.toml", "--no-pictures", "--resume")
        try:
            process.communicate(timeout=rng.uniform(1.0, 3.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    assert command("--resume") == 0
    same(tmp_path / "run", whole)


def test_interrupted_and_resumed(tmp_path, folder_with_inputs, monkeypatch):
    work_in(tmp_path, folder_with_inputs, monkeypatch, PLAN.replace("time_ps = 0.2", "steps = 1e6"))
    with pytest.raises(
        OptionError, match=r"run\.toml: stage 2 \(heat\): steps=1000000\.0: a whole"
    ):
        read_plan("run.toml")
    plan = PLAN.replace("time_ps = 0.2", "steps = 1000000")
    Path("run.toml").write_text(plan)
    process = start_nnp("md", "run.toml", "--no-pictures")
    log, end = tmp_path / "run" / "si.2-heat.csv", time.monotonic() + 120
    while time.monotonic() < end and not log.exists():
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same command with --resume continues" in out


def test_what_is_complete_stays(tmp_path, folder_with_inputs, monkeypatch, capsys):
    work_in(tmp_path, folder_with_inputs, monkeypatch)
    assert command() == 0
    capsys.readouterr()
    before = {p.name: p.stat().st_mtime_ns for p in Path("run").iterdir()}
    assert command("--resume") == 0
    assert capsys.readouterr().out.count("is complete") == 3
    assert {p.name: p.stat().st_mtime_ns for p in Path("run").iterdir()} == before
    assert command() == 1
    assert "exists: continue with --resume" in capsys.readouterr().err
    Path("run.toml").write_text(PLAN.replace("[10, 300]", "[10, 400]"))
    assert command("--resume") == 1
    error = capsys.readouterr().err
    assert "stage 2 (heat) is complete, and was run with temperature_end 300" in error
    Path("run.toml").write_text(PLAN.replace("time_ps = 0.2", "time_ps = 0.4"))
    assert command("--resume") == 1
    assert "stage 2 (heat) is not complete, but run/si.3-hold." in capsys.readouterr().err
    Path("run.toml").write_text(PLAN.replace("minimize = 0.02", "minimize = 0.01"))
    assert command("--resume") == 1
    error = capsys.readouterr().err
    assert "stage 1 (minimise) is complete, and was run with minimize 0.02, not 0.01" in error


def test_begun_anew_and_killed(tmp_path, folder_with_inputs, whole, monkeypatch):
    """--force takes all that an earlier run left, later stages too."""
    work_in(tmp_path, folder_with_inputs, monkeypatch)
    Path("run").mkdir()
    for path in whole.iterdir():
        (Path("run") / path.name).write_bytes(path.read_bytes())

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nnp.cli.md_stages.relax_and_say", killed)
        assert command("--force") == 130
    assert list(Path("run").iterdir()) == []
    assert command("--resume") == 0
    same(tmp_path / "run", whole)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('potential = "model.nnp"', "", "potential: the name of a file is expected"),
        ("timestep = 2", "timestp = 2", "timestp is unknown; did you mean timestep?"),
        ("steps = 60", "", r"stage 3 \(hold\): how long\? Give steps or time_ps"),
        ("steps = 60", "steps = 60\ntime_ps = 1", "time_ps and steps both give the length"),
        ("[10, 300]", "[10, 300, 20]", r"stage 2 \(heat\): temperature = .*: a number, or two of"),
        ("temperature = 300", "pressure = 5", r"stage 3 \(hold\): pressure=5 needs a barostat"),
        ("minimize = 0.02", "minimize = -1", r"stage 1 \(minimise\): force_tolerance=-1: a number"),
        ("xtc every=5", "xyz5 every=5", r"trajectory x\.xyz5: its suffix decides the format"),
        ('name = "hold"', 'name = "a/b"', "its name is part of files' names"),
        ("timestep = 2", "timestep = ", r"run\.toml cannot be read as TOML"),
        ("[[stage]]", "[[stages]]", "stages is unknown; did you mean stage?"),
        ("time_ps = 0.2", 'time_ps = "1 ps"', r"stage 2 \(heat\): time_ps='1 ps': a number from 0"),
        ("time_ps = 0.2", "time_ps = 0.0019", r"time_ps=0\.0019 is shorter than a step of 2 fs"),
        ("timestep = 2", 'timestep = "2 fs"', r"stage 2 \(heat\): timestep='2 fs': a number"),
        ("timestep = 2", "timestep = 0", r"time_ps=0\.2 is shorter than a step of 0 fs"),
        ("timestep = 2", "timestep = 2\nseed = 1.5", r"seed=1\.5: a whole number from 1"),
        (
            "timestep = 2",
            "timestep = 2\npressure = 7",
            "no stage uses pressure=7: it needs a baros",
        ),
        ("timestep = 2", "timestep = 2\nrepeat = [1, 2, 0]", "repeat=0: a whole number from 1"),
        ('output = "run/si"', 'output = "run/"', r"output='run/' \(--output\) is a folder"),
    ],
)
def test_bad_plans(tmp_path, old, new, message):
    (tmp_path / "run.toml").write_text(PLAN.replace(old, new))
    with pytest.raises(NNPError, match=message):
        read_plan(tmp_path / "run.toml")


def test_defaults_of_all_stages(tmp_path):
    plan = PLAN.replace("timestep = 2", "timestep = 2\npressure = 7") + NPT
    (tmp_path / "run.toml").write_text(plan)
    first, heat, hold, last = (stage.settings for stage in read_plan(tmp_path / "run.toml").stages)
    assert first == RelaxSettings(0.02)
    assert (heat.timestep, heat.steps, heat.temperature, heat.temperature_end) == (2, 100, 10, 300)
    assert (heat.seed, hold.seed) == (2, 3)
    assert (hold.pressure, last.pressure) == (1.0, 7)


def test_options_beside_a_file_of_stages(tmp_path, folder_with_inputs, monkeypatch, capsys):
    work_in(tmp_path, folder_with_inputs, monkeypatch)
    assert command("--temperature", "5") == 1
    assert "write temperature = … into run.toml" in capsys.readouterr().err
    assert nnp("md", "run.toml", "start.extxyz") == 1
    assert "run.toml is a file of stages, which names its structure" in capsys.readouterr().err
    assert nnp("md", "model.nnp") == 1
    assert "STRUCTURE is missing" in capsys.readouterr().err


NPT = """
[[stage]]
name = "last"
ensemble = "npt"
steps = 10
"""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (NPT, "stage 4 (last): ensemble='npt' needs a periodic structure"),
        (NPT + "stop_on_spread = 1", "stage 4 (last): ensemble='npt' needs a periodic"),
        (
            NPT.replace("npt", "nvt") + "stop_on_spread = 1",
            "stage 4 (last): stop_on_spread=1 eV/Å: a single potential cannot",
        ),
        (
            NPT.replace("npt", "nvt") + 'trajectory = ["xtc", "xtc every=2"]',
            "stage 4 (last): two outputs of the run have one name",
        ),
        ('\nplatform = "NONE"', "platform='NONE' is not available"),
    ],
)
def test_what_a_later_stage_would_refuse_is_refused_before_the_first(
    tmp_path, folder_with_inputs, monkeypatch, capsys, more, message
):
    """And --force removes nothing then."""
    plan = more + PLAN if more.startswith("\nplatform") else PLAN + more
    work_in(tmp_path, folder_with_inputs, monkeypatch, plan)
    atoms = read("start.extxyz")
    atoms.pbc = False
    atoms.write("start.extxyz")
    Path("run").mkdir()
    Path("run/si.2-heat.csv").write_text("precious")
    assert command("--force") == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in Path("run").iterdir()] == ["si.2-heat.csv"]


def test_a_rectangular_barostat_behind_a_flexible_one(
    tmp_path, folder_with_inputs, monkeypatch, capsys
):
    both = NPT + 'barostat = "flexible"' + NPT.replace("last", "end") + 'barostat = "membrane"'
    work_in(tmp_path, folder_with_inputs, monkeypatch, PLAN + both)
    assert command() == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "stage 5 (end): barostat='membrane' needs a rectangular box, and 'flexible' of " in error
    assert "stage 4 (last) changes its angles" in error
    assert not Path("run").exists()


def test_what_kills_leave_beside_complete_stages_goes(
    tmp_path, folder_with_inputs, whole, monkeypatch
):
    """Scratch of the last writing, and pictures that were not drawn."""
    pytest.importorskip("matplotlib")
    work_in(tmp_path, folder_with_inputs, monkeypatch)
    Path("run").mkdir()
    for path in whole.iterdir():
        (Path("run") / path.name).write_bytes(path.read_bytes())
    left = (".si.1-minimise.final.extxyz.a1.nnp-tmp", ".si.3-hold.rdf.png.b2.nnp-tmp")
    for name in left:
        (Path("run") / name).mkdir()
    assert nnp("md", "run.toml", "--resume") == 0
    names = {path.name for path in Path("run").iterdir()}
    assert not any(name.startswith(".") for name in names)
    assert names >= {"si.2-heat.png", "si.3-hold.png", "si.3-hold.rdf.png"}
