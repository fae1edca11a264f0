"""Continuing a run: to the bit, after a kill, with other settings; what is refused."""

from __future__ import annotations

import os
import signal
import time
import zipfile
from dataclasses import replace

import numpy as np
import openmm
import pytest
from ase.io import read
from pair_potential import pair_potential
from plugin_systems import need_plugin
from runs import crystal, frames, nnp, start_nnp, write_inputs

from nnp.errors import FileFormatError, OptionError, OutputExistsError, StructureError
from nnp.md import MDSettings, Outputs, Runner, read_log
from nnp.openmm import create_empty_system, create_system

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

SETTINGS = MDSettings(
    steps=60, timestep=2.0, log_interval=5, frame_interval=10, restart_interval=20
)


def begin(folder, settings=SETTINGS, name="r", restart=None, atoms=None, force=None, **names):
    atoms = crystal() if atoms is None else atoms
    outputs = Outputs.named(folder / name, **names)
    system = create_system(**{"potential": pair_potential(), "atoms": atoms} | (force or {}))
    return Runner(system, atoms, settings, outputs, "CPU", restart)


@pytest.mark.parametrize("suffix", ["extxyz", "dcd"])
@pytest.mark.parametrize(
    "changes",
    [
        {"ensemble": "nve"},
        {"thermostat": "langevin"},
        {"thermostat": "nose-hoover"},
        {"thermostat": "andersen"},
        {"temperature": 50.0, "temperature_end": 400.0, "ramp_steps": 47},
        {"ensemble": "npt", "barostat_interval": 4},
    ],
    ids=str,
)
def test_a_continued_run_is_the_uninterrupted_one(tmp_path, changes, suffix):
    settings = replace(SETTINGS, **changes)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trajectory = f"r.{suffix}"
    begin(whole, settings, trajectory=whole / trajectory).run()
    half = replace(settings, steps=30)
    begin(parts, half, trajectory=parts / trajectory).run()
    runner = begin(parts, settings, trajectory=parts / trajectory, restart=parts / "r.restart")
    assert runner.seamless == (settings.ensemble != "npt")
    runner.run()
    one, other = read_log(whole / "r.csv"), read_log(parts / "r.csv")
    np.testing.assert_array_equal(one["step"], other["step"])
    # The engine's neighbour lists have a history: the sums' last digits are not the same. A
    # barostat draws other numbers.
    atol = 1e-6 if runner.seamless else 0.3
    for name in ("potential_energy_eV", "kinetic_energy_eV"):
        np.testing.assert_allclose(one[name], other[name], rtol=0, atol=atol)
    one, other = (frames(folder / trajectory) for folder in (whole, parts))
    atol = 1e-5 if runner.seamless else 0.2
    np.testing.assert_allclose(one, other, rtol=0, atol=atol)
    assert len(one) == 7


def test_what_is_behind_the_restart_is_cut(tmp_path):
    """A killed run has written more than its last restart knows."""
    begin(tmp_path, replace(SETTINGS, steps=20)).run()
    kept = (tmp_path / "r.csv").read_bytes(), (tmp_path / "r.extxyz").read_bytes()
    with (tmp_path / "r.csv").open("a") as log, (tmp_path / "r.extxyz").open("a") as frames:
        log.write("25,0.05,1,1,2,3,4,5,6,7,8,9\n" * 1000 + "30,0.06")
        frames.write('32\nLattice="1 0' * 10_000)
    begin(tmp_path, restart=tmp_path / "r.restart").run()
    assert (tmp_path / "r.csv").read_bytes().startswith(kept[0])
    assert (tmp_path / "r.extxyz").read_bytes().startswith(kept[1])
    np.testing.assert_array_equal(read_log(tmp_path / "r.csv")["step"], np.arange(0, 61, 5))
    assert len(read(tmp_path / "r.extxyz", ":")) == 7


def test_other_dynamics_continue_from_positions(tmp_path):
    begin(tmp_path, replace(SETTINGS, steps=20)).run()
    settings = replace(SETTINGS, ensemble="nve")
    runner = begin(tmp_path, settings, restart=tmp_path / "r.restart")
    assert runner.seamless is False
    runner.run()
    log = read_log(tmp_path / "r.csv")
    np.testing.assert_array_equal(log["step"], np.arange(0, 61, 5))
    assert abs(log["potential_energy_eV"][5] - log["potential_energy_eV"][4]) < 0.5


def other_potential():
    """The pair potential with forces 1 % larger."""
    found = pair_potential()
    return replace(found, energy_scale=1.01 * found.energy_scale)


@pytest.mark.parametrize("route", ["python", "native"])
def test_another_potential_is_no_continuation(tmp_path, route):
    if route == "native":
        need_plugin()
    begin(tmp_path, replace(SETTINGS, steps=20), force={"route": route}).run()
    log, restart = (tmp_path / "r.csv").read_bytes(), tmp_path / "r.restart"
    other = {"potential": other_potential(), "route": route}
    with pytest.raises(OptionError, match=r"r\.restart was written with other forces .* --output"):
        begin(tmp_path, restart=restart, force=other)
    assert (tmp_path / "r.csv").read_bytes() == log
    with pytest.warns(RuntimeWarning, match="with other forces .*: the run goes on from its pos"):
        runner = begin(tmp_path, name="s", restart=restart, force=other)
    assert runner.seamless is False
    scaled = {"route": route, "scale_parameter": "lambda", "scale": 0.5}
    if route == "native":
        with pytest.raises(OptionError, match="with other forces"):
            begin(tmp_path, restart=restart, force=scaled)


def test_another_precision_or_route_is_said(tmp_path):
    begin(tmp_path, replace(SETTINGS, steps=20), force={"route": "python"}).run()
    restart = tmp_path / "r.restart"
    text = "PythonForce cpu float64, not PythonForce cpu float32: the run goes on from its"
    with pytest.warns(RuntimeWarning, match=text):
        runner = begin(tmp_path, restart=restart, force={"route": "python", "dtype": "float32"})
    assert runner.seamless is False
    need_plugin()
    with pytest.warns(RuntimeWarning, match="PythonForce cpu float64, not NNPForce cpu float64"):
        begin(tmp_path, restart=restart, force={"route": "native"})
    assert begin(tmp_path, restart=restart, force={"route": "python", "threads": 1}).seamless


def test_forces_of_others_are_compared_too(tmp_path):
    """A spring instead of a potential, once with another constant."""

    def runner(constant, restart=None, steps=20):
        system = create_empty_system(crystal())
        force = openmm.CustomExternalForce(f"{constant} * x^2")
        force.addParticle(0)
        system.addForce(force)
        settings = replace(SETTINGS, steps=steps)
        return Runner(system, crystal(), settings, Outputs.named(tmp_path / "r"), "CPU", restart)

    runner(1.0).run()
    assert runner(1.0, tmp_path / "r.restart", 40).seamless
    with pytest.raises(OptionError, match="with other forces"):
        runner(2.0, tmp_path / "r.restart", 40)


def test_another_prefix_begins_new_files(tmp_path):
    begin(tmp_path, replace(SETTINGS, steps=20)).run()
    before = (tmp_path / "r.csv").read_bytes()
    begin(tmp_path, name="s", restart=tmp_path / "r.restart").run()
    assert (tmp_path / "r.csv").read_bytes() == before
    np.testing.assert_array_equal(read_log(tmp_path / "s.csv")["step"], np.arange(20, 61, 5))
    steps = [frame.info["step"] for frame in read(tmp_path / "s.extxyz", ":")]
    assert steps == [20, 30, 40, 50, 60]


def test_another_prefix_does_not_overwrite(tmp_path):
    begin(tmp_path, replace(SETTINGS, steps=20)).run()
    (tmp_path / "s.csv").write_text("precious")
    with pytest.raises(OutputExistsError, match=r"s\.csv exists"):
        begin(tmp_path, name="s", restart=tmp_path / "r.restart")
    assert (tmp_path / "s.csv").read_text() == "precious"


def test_bad_restarts_are_refused(tmp_path):
    begin(tmp_path, replace(SETTINGS, steps=20)).run()
    restart = tmp_path / "r.restart"
    with pytest.raises(OptionError, match="steps=19, but the restart is already at step 20"):
        begin(tmp_path, replace(SETTINGS, steps=19), restart=restart)
    with pytest.raises(StructureError, match="continues a run of 32 atoms, the structure has 4"):
        begin(tmp_path, atoms=crystal(1), restart=restart)
    with pytest.raises(FileFormatError, match="missing cannot be read as a restart file"):
        begin(tmp_path, restart=tmp_path / "missing")
    (tmp_path / "cut.restart").write_bytes(restart.read_bytes()[:-200])
    with pytest.raises(FileFormatError, match=r"cut\.restart cannot be read as a restart file"):
        begin(tmp_path, restart=tmp_path / "cut.restart")
    pair_potential().save(tmp_path / "m.nnp")
    with pytest.raises(FileFormatError, match=r"m.nnp is not a restart file"):
        begin(tmp_path, restart=tmp_path / "m.nnp")
    (tmp_path / "r.csv").write_text("step\n")
    with pytest.raises(FileFormatError, match=r"r.csv has 5 bytes, the run to be continued had"):
        begin(tmp_path, restart=restart).run()


def test_newer_restart_is_refused(tmp_path):
    begin(tmp_path, replace(SETTINGS, steps=20)).run()
    path = tmp_path / "r.restart"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["header.json"] = members["header.json"].replace(b'"version": 2', b'"version": 9')
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(FileFormatError, match="format version 9, this nnp reads up to 2: upgrade"):
        begin(tmp_path, restart=path)


def wait_for_rows(log, rows):
    """Until a log has so many rows."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if log.exists() and log.read_text().count("\n") > rows:
            return
        time.sleep(0.02)
    raise TimeoutError(log)


OPTIONS = ("--steps", "100000000", "--log-interval", "5", "--frame-interval", "10")
OPTIONS += ("--restart-interval", "20", "--no-pictures")


def test_a_killed_run_is_readable_and_continues(tmp_path, capsys):
    inputs = write_inputs(tmp_path)
    prefix = tmp_path / "run"
    process = start_nnp("md", *inputs, "--output", prefix, *OPTIONS)
    wait_for_rows(tmp_path / "run.csv", 30)
    process.kill()
    process.communicate()
    rows = len(read_log(tmp_path / "run.csv")["step"])
    assert rows >= 30
    assert len(read(tmp_path / "run.extxyz", ":-1")) > 0
    total = 5 * rows + 40
    words = ("--output", prefix, *OPTIONS, "--restart", tmp_path / "run.restart")
    assert nnp("md", *inputs, *words, "--steps", total) == 0
    log = read_log(tmp_path / "run.csv")
    np.testing.assert_array_equal(log["step"], np.arange(0, total + 1, 5))
    frames = read(tmp_path / "run.extxyz", ":")
    assert [frame.info["step"] for frame in frames] == list(range(0, total + 1, 10))
    assert "continuing" in capsys.readouterr().out


def test_resume_and_another_restart_file_are_refused(tmp_path, capsys):
    inputs, prefix = write_inputs(tmp_path), tmp_path / "run"
    words = ["md", *inputs, "--output", prefix, "--steps", 10, "--resume", "--restart"]
    assert nnp(*words, tmp_path / "other.restart") == 1
    said = capsys.readouterr().err
    assert f"--resume continues from {prefix}.restart, --restart from" in said
    assert "give one of them" in said
    assert nnp(*words, f"{prefix}.restart") == 1
    assert "cannot be read as a restart file" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_runs_end_cleanly(tmp_path, number):
    inputs = write_inputs(tmp_path)
    process = start_nnp("md", *inputs, "--output", tmp_path / "run", *OPTIONS)
    wait_for_rows(tmp_path / "run.csv", 10)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert f"with --restart {tmp_path / 'run.restart'} continues" in out
    last = read(tmp_path / "run.final.extxyz").info["step"]
    assert last >= read_log(tmp_path / "run.csv")["step"][-1] >= 50
