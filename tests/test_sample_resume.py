"""``nnp sample`` after a kill: the same snapshots, whenever it came; what blows up stops."""

from __future__ import annotations

import os
import signal
import time

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from nnp.cli import main
from nnp.errors import NumericalError
from nnp.teachers.ase import StillingerWeber
from nnp.train.data.sampling import SampleSettings, sample

GRID = ("--temperatures", "300", "600", "--volumes", "0.98", "1.02", "--snapshots", "4")
GRID += ("--interval", "3", "--equilibration", "3")


@pytest.fixture
def start(tmp_path, monkeypatch):
    """The name of a file with two structures, here."""
    monkeypatch.chdir(tmp_path)
    frames = [bulk("Si", cubic=True) for _ in range(2)]
    for number, atoms in enumerate(frames):
        atoms.rattle(0.02, seed=number)
    ase.io.write("start.extxyz", frames)
    return "start.extxyz"


class Killed(BaseException):
    """At a moment that a test chooses."""


def dies_after(monkeypatch, calls):
    """Let the teacher die in its so manieth computation."""
    calculate = StillingerWeber.calculate
    left = [calls]

    def dying(self, *words, **more):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        calculate(self, *words, **more)

    monkeypatch.setattr(StillingerWeber, "calculate", dying)


@pytest.mark.parametrize("static", [True, False])
def test_a_resumed_run_draws_the_same(start, tmp_path, monkeypatch, capsys, static):
    grid = ("--static",) if static else GRID
    assert main(["sample", start, "whole.extxyz", *grid]) == 0
    words = ["sample", start, "parts.extxyz", *grid, "--resume"]
    for calls in (1,) if static else (40, 2, 55, 17):
        with monkeypatch.context() as patch:
            dies_after(patch, calls)
            with pytest.raises(Killed):
                main(words)
        assert not (tmp_path / "parts.extxyz").exists()
    capsys.readouterr()
    assert main(words) == 0
    assert "continuing after " in capsys.readouterr().out
    whole, parts = (ase.io.read(name, ":") for name in ("whole.extxyz", "parts.extxyz"))
    assert len(whole) == len(parts) == (2 if static else 32)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.positions, other.positions, atol=2e-8)
        np.testing.assert_allclose(one.get_forces(), other.get_forces(), atol=1e-6)
        assert one.info == other.info
    assert {path.name for path in tmp_path.iterdir()} == {start, "whole.extxyz", "parts.extxyz"}


@pytest.mark.parametrize("times", [4, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_killed_at_any_moment(start, tmp_path, capsys, times):
    rng = np.random.default_rng(7)
    words = ["sample", start, "parts.extxyz", *GRID, "--resume"]
    for _ in range(times):
        child = os.fork()
        if child == 0:
            try:
                main(words)
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0.02, 0.3))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if (tmp_path / "parts.extxyz").exists():
            (tmp_path / "parts.extxyz").unlink()
    assert main(words) == 0
    assert len(ase.io.read("parts.extxyz", ":")) == 32
    assert main(["sample", start, "whole.extxyz", *GRID]) == 0
    for one, other in zip(ase.io.read("whole.extxyz", ":"), ase.io.read("parts.extxyz", ":")):  # noqa: B905
        np.testing.assert_allclose(one.positions, other.positions, atol=2e-8)
    capsys.readouterr()
    assert {path.name for path in tmp_path.iterdir()} == {start, "whole.extxyz", "parts.extxyz"}


def interrupted(start, monkeypatch):
    with monkeypatch.context() as patch:
        dies_after(patch, 40)
        with pytest.raises(Killed):
            main(["sample", start, "s.extxyz", *GRID])


def test_what_is_not_continued_is_refused(start, tmp_path, monkeypatch, capsys):
    interrupted(start, monkeypatch)
    assert main(["sample", start, "s.extxyz", *GRID]) == 1
    assert "continue it with --resume" in capsys.readouterr().err
    assert main(["sample", start, "s.extxyz", *GRID, "--resume", "--seed", "3"]) == 1
    assert "belongs to a run with other structures, teacher or settings" in capsys.readouterr().err
    state, frames = tmp_path / "s.partial.npz", tmp_path / "s.partial.extxyz"
    raw, text = state.read_bytes(), frames.read_bytes()
    for path, damaged in ((state, raw[:-50]), (state, b"PK"), (state, b""), (frames, text[:900])):
        state.write_bytes(raw)
        frames.write_bytes(text)
        path.write_bytes(damaged)
        assert main(["sample", start, "s.extxyz", *GRID, "--resume"]) == 1
        error = capsys.readouterr().err
        assert error.startswith("nnp: error: s.partial")
        assert error.count("\n") == 1
    assert main(["sample", start, "s.extxyz", *GRID, "--force"]) == 0


def test_dynamics_that_blows_up_stops():
    hot = SampleSettings(temperatures=(300.0,), timestep_fs=1.0, max_temperature=100.0, snapshots=2)
    text = r"the dynamics blew up: the temperature is \d+ K, more than max_temperature=100 K; atom"
    with pytest.raises(NumericalError, match=text):
        sample([bulk("Si", cubic=True)], StillingerWeber, hot)
    fast = SampleSettings(max_speed=1e-4, snapshots=2)
    with pytest.raises(NumericalError, match=r"atom \d \(Si\) moves at .* max_speed=0.0001 Å/fs"):
        sample([bulk("Si", cubic=True)], StillingerWeber, fast)
    going = SampleSettings(max_speed=1e-4, snapshots=2, keep_going=True)
    with pytest.warns(RuntimeWarning, match="it continues, as keep_going asks"):
        assert len(sample([bulk("Si", cubic=True)], StillingerWeber, going)) == 2
