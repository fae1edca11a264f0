"""Restarts remember what the run was told; what is told otherwise begins a segment."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import openmm
import pytest
from ase.io import read
from pair_potential import pair_potential
from runs import crystal, nnp, write_inputs

from nnp.errors import FileFormatError, NNPError, OptionError
from nnp.md import MDSettings, Outputs, Runner, read_log
from nnp.md.restart import _digest, read_restart
from nnp.openmm import create_system

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

INTERVALS = ("--log-interval", "5", "--frame-interval", "5", "--no-pictures")


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """Names of model and structure, here."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    return ("model.nnp", "start.extxyz")


FIRST = ("--ensemble", "nve", "--timestep", "2", "--temperature", "350", "--dtype", "float32")


def test_what_is_forgotten_is_as_it_was(inputs, tmp_path, capsys):
    """Timestep, ensemble, temperature, precision, intervals and number of steps."""
    assert nnp("md", *inputs, *FIRST, *INTERVALS, "--steps", "20") == 0
    assert nnp("md", *inputs, "--restart", "md.restart", "--steps", "40", "--no-pictures") == 0
    text = capsys.readouterr().out
    assert "32 atoms, NVE, 40 steps of 2 fs" in text
    assert "continuing md.restart\n" in text
    assert "segment" not in text
    log = read_log("md.csv")
    np.testing.assert_array_equal(log["step"], np.arange(0, 41, 5))
    np.testing.assert_allclose(log["time_ps"], 0.002 * log["step"])
    np.testing.assert_array_equal(log["segment"], 0)
    whole = ("--steps", "40", "--output", "w")
    assert nnp("md", *inputs, *FIRST, *INTERVALS, *whole) == 0
    other = read_log("w.csv")["potential_energy_eV"]
    np.testing.assert_allclose(log["potential_energy_eV"], other, atol=1e-4)
    machine = read_restart(tmp_path / "md.restart").machine
    assert machine == {"platform": "CPU", "dtype": "float32"}


CHANGES = [
    (("--timestep", "1"), "timestep 2.0 → 1.0"),
    (("--ensemble", "nve"), "ensemble nvt → nve"),
    (("--temperature", "400"), "temperature 350.0 → 400.0"),
    (("--dtype", "float32"), "cpu float64 → "),
    (("--platform", "Reference"), "platform CPU → Reference"),
]


@pytest.mark.parametrize(("words", "change"), CHANGES, ids=str)
@pytest.mark.filterwarnings("ignore:md.restart was written with:RuntimeWarning")
def test_what_is_told_otherwise_begins_a_segment(inputs, capsys, words, change):
    first = ("--timestep", "2", "--temperature", "350", "--steps", "20")
    assert nnp("md", *inputs, *first, *INTERVALS) == 0
    assert nnp("md", *inputs, "--restart", "md.restart", "--steps", "40", *words) == 0
    text = capsys.readouterr().out
    assert "segment 1 begins: " in text
    assert change in text
    log, step = read_log("md.csv"), 1.0 if "--timestep" in words else 2.0
    np.testing.assert_array_equal(log["segment"], [0] * 5 + [1] * 4)
    later = np.maximum(log["step"] - 20, 0)
    np.testing.assert_allclose(log["time_ps"], (2 * (log["step"] - later) + step * later) / 1000)
    found = read("md.extxyz", ":")
    assert [frame.info["segment"] for frame in found] == [0] * 5 + [1] * 4
    np.testing.assert_allclose([f.info["time_fs"] / 1000 for f in found], log["time_ps"])
    assert nnp("md", *inputs, "--restart", "md.restart", "--steps", "50") == 0
    assert "segment" not in capsys.readouterr().out
    np.testing.assert_array_equal(read_log("md.csv")["segment"], [0] * 5 + [1] * 6)


def test_pressure_without_a_barostat_is_refused(inputs, capsys):
    assert nnp("md", *inputs, *INTERVALS, "--steps", "20") == 0
    for option, message in (
        (("--pressure", "7"), "needs a barostat, and ensemble='nvt' has none"),
        (("--barostat", "flexible"), "changes the box, which ensemble='nvt' keeps"),
    ):
        assert nnp("md", *inputs, "--restart", "md.restart", "--steps", "30", *option) == 1
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--timestep", "--frame-interval"])
def test_a_dcd_holds_one_time_between_frames(inputs, capsys, option):
    trajectory = ("--trajectory", "md.dcd")
    assert nnp("md", *inputs, *INTERVALS, *trajectory, "--steps", "20") == 0
    raw = Path("md.dcd").read_bytes()
    words = ("--restart", "md.restart", "--steps", "40", option, "2")
    assert nnp("md", *inputs, *trajectory, *words) == 1
    assert "md.dcd is a DCD, which holds one time between frames" in capsys.readouterr().err
    assert Path("md.dcd").read_bytes() == raw


def test_the_end_after_a_kill(inputs, tmp_path, capsys):
    """Killed between the last restart file and the final state."""
    assert nnp("md", *inputs, *INTERVALS, "--steps", "20") == 0
    final, log = tmp_path / "md.final.extxyz", (tmp_path / "md.csv").read_bytes()
    wanted = final.read_text()
    final.unlink()
    assert nnp("md", *inputs, "--restart", "md.restart", "--no-pictures") == 0
    assert "all 20 steps were made: only the final state is written" in capsys.readouterr().out
    assert read(final).info["step"] == 20
    wanted_positions = read(tmp_path / "md.extxyz", -1).positions
    np.testing.assert_allclose(read(final).positions, wanted_positions, atol=1e-7)
    assert final.read_text().split()[:3] == wanted.split()[:3]
    assert (tmp_path / "md.csv").read_bytes() == log


def test_killed_before_the_first_restart_file(inputs, capsys):
    """What is left is the start: --resume begins anew; a log with steps is another's."""
    words = ("md", *inputs, *INTERVALS, "--steps", "20", "--no-pictures")
    assert nnp(*words) == 0
    header, first, *rest = Path("md.csv").read_text().splitlines(keepends=True)
    Path("md.restart").unlink()
    assert nnp(*words, "--resume") == 1
    assert "md.csv exists: choose another --output" in capsys.readouterr().err
    Path("md.csv").write_text(header + first)
    assert nnp(*words, "--resume") == 0
    assert len(Path("md.csv").read_text().splitlines()) == 2 + len(rest)
    Path("md.restart").unlink()
    Path("md.csv").write_text("")
    assert nnp(*words, "--resume") == 0


SETTINGS = MDSettings(steps=20, timestep=2.0, log_interval=5, frame_interval=10)


def runner(folder, restart=None, steps=20):
    system = create_system(pair_potential(), crystal())
    outputs = Outputs.named(folder / "r", force=restart is None)
    return Runner(system, crystal(), replace(SETTINGS, steps=steps), outputs, "CPU", restart)


def rewrite(path, change, sign=True):
    """A restart file with other members, and a sound checksum."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members.pop("header.json"))
    change(header, members)
    header.pop("sha256", None)
    if sign:
        header["sha256"] = _digest(header, members)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_damaged_checkpoint_does_not_reach_openmm(tmp_path, monkeypatch):
    """The zip is sound, the bytes are not; OpenMM would crash or take them for positions."""
    runner(tmp_path).run()
    path = tmp_path / "r.restart"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    called = []
    monkeypatch.setattr(openmm.Context, "loadCheckpoint", lambda *_: called.append(1))
    for name in ("checkpoint", "state.xml"):
        for at in (3, len(members[name]) // 2):
            damaged = bytearray(members[name])
            damaged[at] ^= 16
            with zipfile.ZipFile(path, "w") as archive:
                for other, data in members.items():
                    archive.writestr(other, bytes(damaged) if other == name else data)
            with pytest.raises(FileFormatError, match=r"r\.restart .*checksum does not match"):
                runner(tmp_path, path, 40)
    assert called == []


def test_version_1_goes_on_from_its_positions(tmp_path):
    """Its checkpoint has no checksum and is not used; its log keeps its columns."""
    runner(tmp_path).run()

    def older(header, members):
        header["version"] = 1
        header["kind"]["dynamics"] = {
            k: v for k, v in header.pop("settings").items() if k not in ("steps", "seed")
        }
        for name in ("time_fs", "segment", "machine", "energy"):
            header.pop(name)
        header["kind"].pop("fixed")
        members["checkpoint"] = b"not for OpenMM"

    log = (tmp_path / "r.csv").read_text().splitlines()
    old = "".join(",".join(line.split(",")[:12]) + "\n" for line in log)
    (tmp_path / "r.csv").write_text(old)
    rewrite(
        tmp_path / "r.restart",
        lambda h, m: (older(h, m), h.update(log=["r.csv", len(old)])),
        sign=False,
    )
    going = runner(tmp_path, tmp_path / "r.restart", 40)
    assert going.seamless is False
    assert going.changes == []
    going.run()
    log = read_log(tmp_path / "r.csv")
    np.testing.assert_array_equal(log["step"], np.arange(0, 41, 5))
    assert "segment" not in log


HEADER = [
    {"step": None},
    {"step": "many"},
    {"step": -3},
    {"symbols": 7},
    {"symbols": ["Si"] * 32},
    {"kind": None},
    {"log": []},
    {"settings": {"timestep": -1}},
    {"settings": []},
    {"time_fs": float("nan")},
    {"version": "2"},
    {"machine": 3},
]
MEMBERS = [b"<System/>", b"<State", b"<State></State>", b"\xff\xfe", b" " * (1 << 26)]


@pytest.mark.parametrize("change", [*HEADER, *MEMBERS], ids=lambda value: repr(value)[:30])
def test_foreign_content_with_a_sound_checksum(tmp_path, change):
    runner(tmp_path).run()
    path = tmp_path / "r.restart"

    def put(header, members):
        header["kind"]["openmm"] = "another"
        if isinstance(change, dict):
            header.update(change)
        else:
            members["state.xml"] = change

    rewrite(path, put)
    with pytest.raises(FileFormatError, match=r"r\.restart"):
        runner(tmp_path, path, 40)


def test_a_member_is_missing(tmp_path):
    runner(tmp_path).run()
    path = tmp_path / "r.restart"
    rewrite(path, lambda _, members: members.pop("checkpoint"))
    with pytest.raises(FileFormatError, match=r"r\.restart cannot be read"):
        runner(tmp_path, path, 40)


def mutations(raw, seed, count):
    rng = np.random.default_rng(seed)
    yield from (b"", b"PK\5\6", raw[:-30], raw[40:], raw.decode("latin-1").encode("utf-16"))
    for _ in range(count):
        damaged = bytearray(raw)
        for at in rng.integers(0, len(raw), rng.integers(1, 8)):
            damaged[at] = rng.integers(0, 256)
        yield bytes(damaged[: rng.integers(1, len(raw))] if rng.random() < 0.2 else damaged)


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_files_are_refused_or_read(tmp_path, count):
    runner(tmp_path).run()
    path = tmp_path / "r.restart"
    raw, refused = path.read_bytes(), 0
    before = read_restart(path)
    for damaged in mutations(raw, 3, count):
        path.write_bytes(damaged)
        try:
            assert read_restart(path) == before
        except NNPError as error:
            refused += 1
            assert str(path) in str(error)  # noqa: PT017
    assert refused > count / 2


def test_fixed_atoms_belong_to_the_run(tmp_path):
    from ase.constraints import FixAtoms

    runner(tmp_path).run()
    atoms = crystal()
    atoms.set_constraint(FixAtoms([0]))
    system = create_system(pair_potential(), atoms)
    with pytest.raises(NNPError, match="with other masses, fixed atoms or kept distances"):
        Runner(
            system, atoms, SETTINGS, Outputs.named(tmp_path / "r"), "CPU", tmp_path / "r.restart"
        )


def test_steps_behind_the_restart(tmp_path):
    runner(tmp_path).run()
    with pytest.raises(OptionError, match="steps=10, but the restart is already at step 20"):
        runner(tmp_path, tmp_path / "r.restart", 10)
