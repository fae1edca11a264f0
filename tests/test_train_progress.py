"""What a fit says and when it stops: lines, estimates, --dry-run, Ctrl-C, max_time."""

from __future__ import annotations

import os
import re
import signal

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from train_data import dataset, settings, write_config

import nnp
from nnp.cli import main
from nnp.errors import OptionError
from nnp.train.config.read import read_settings
from nnp.train.data.dataset import Dataset
from nnp.train.fit import progress, run
from nnp.train.fit.choosing import choose
from nnp.train.fit.estimate import survey
from nnp.train.fit.initial import NetworkSettings
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.memory import memory_of
from nnp.train.fit.optimizers import OptimizerSettings
from nnp.train.fit.optimizers.kalman import Kalman
from nnp.train.fit.settings import RunSettings
from nnp.train.fit.task import build
from nnp.train.fit.trainer import INTERRUPTED, OUT_OF_TIME


def configured(folder, text=""):
    config = write_config(folder)
    config.write_text(config.read_text().replace("epochs = 2", "epochs = 3\n" + text))
    return config


def test_a_line_per_epoch_where_there_is_no_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    assert main(["train", str(configured(tmp_path))]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("memory: about 0.")
    number = r"[-+.\de]+"
    errors = rf"{number}, {number} meV/atom, {number} eV/Å"
    for epoch in (1, 2, 3):
        pattern = rf"epoch {epoch}/3: loss {number}; valid {errors}; .* s left"
        assert sum(bool(re.fullmatch(pattern, line)) for line in lines) == 1
    assert any(re.fullmatch(r"epoch 2/3, step 2 of 4; .* s left", line) for line in lines)
    row = (tmp_path / "out" / "log.csv").read_text().splitlines()[-1].split(",")
    assert f": loss {float(row[3]):.2g};" in lines[-1]
    assert max(map(len, lines)) <= 82  # of 80, and what small numbers of bytes need more


def test_nothing_is_said_when_quiet(tmp_path, capsys):
    run.train(read_settings(configured(tmp_path)), quiet=True)
    assert capsys.readouterr().err == ""


def interrupt_at(monkeypatch, step):
    """Ctrl-C while the optimiser makes its n-th step of this process."""
    original, calls = Kalman.step, []

    def stepping(self, *arguments):
        calls.append(1)
        if len(calls) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, *arguments)

    monkeypatch.setattr(Kalman, "step", stepping)
    return calls


def test_interrupted_between_steps_and_resumed_to_the_same_bytes(tmp_path, capsys, monkeypatch):
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    assert main(["train", str(configured(tmp_path / "whole"))]) == 0
    config = configured(tmp_path / "parts")
    calls = interrupt_at(monkeypatch, 6)  # of four an epoch
    assert main(["train", str(config)]) == 130
    assert len(calls) == 6
    out = capsys.readouterr().out
    assert "interrupted: last.nnp is where it stopped; the same command with --res" in out
    assert "best epoch 1 of 1" in out
    errors = [line for line in out.splitlines() if " MAE " in line]
    assert errors
    assert max(map(len, errors)) < 60  # one quantity each: no terminal breaks them
    models = [nnp.load(tmp_path / "parts" / "out" / f"{name}.nnp") for name in ("best", "last")]
    weights = [model.models[0].network.weights[0] for model in models]
    assert np.isfinite(weights).all()
    assert (weights[0] != weights[1]).any()
    assert main(["train", str(config), "--resume"]) == 0
    for name in ("best.nnp", "last.nnp"):
        whole, parts = (tmp_path / part / "out" / name for part in ("whole", "parts"))
        assert whole.read_bytes() == parts.read_bytes()


def test_interrupted_before_an_epoch_is_done(tmp_path, monkeypatch, capsys):
    interrupt_at(monkeypatch, 2)
    result = run.train(read_settings(configured(tmp_path)))
    assert (result.stopped, result.best_epoch, result.rows) == (INTERRUPTED, 0, [])
    saved = nnp.load(tmp_path / "out" / "best.nnp").models[0].network.weights[0]
    np.testing.assert_array_equal(saved, result.last.models[0].network.weights[0])
    capsys.readouterr()


def test_an_interrupted_committee_is_none(tmp_path, monkeypatch, capsys):
    interrupt_at(monkeypatch, 14)  # in the second of two members with 12 steps each
    config = configured(tmp_path)
    assert main(["train", str(config), "--members", "2"]) == 130
    assert not (tmp_path / "out" / "committee.nnp").exists()
    assert "member 1: no epoch was finished" in capsys.readouterr().out
    assert main(["train", str(config), "--members", "2", "--resume"]) == 0
    assert (tmp_path / "out" / "committee.nnp").exists()


def test_an_interrupted_first_member_is_no_committee(tmp_path, monkeypatch, capsys):
    interrupt_at(monkeypatch, 6)  # of twelve
    config = configured(tmp_path)
    assert main(["train", str(config), "--members", "2"]) == 130
    out = capsys.readouterr().out
    assert "1 of 2 members have begun: no committee yet" in out
    assert "run it:" not in out
    assert main(["train", str(config), "--resume"]) == 1
    assert "a committee with 1 members at least, and one should go on" in capsys.readouterr().err
    assert main(["train", str(config), "--members", "2", "--resume"]) == 0
    assert "run it:" in capsys.readouterr().out


def test_time_is_up(tmp_path, capsys):
    config = configured(tmp_path, "max_time = 1e-9")
    assert main(["train", str(config)]) == 0
    assert f"{OUT_OF_TIME}: last.nnp is where it stopped" in capsys.readouterr().out
    config.write_text(config.read_text().replace("max_time = 1e-9", ""))
    assert main(["train", str(config), "--force"]) == 0
    with pytest.raises(OptionError, match="max_time = 0: seconds above 0"):
        RunSettings(max_time=0)


def test_dry_run_says_what_it_takes_and_writes_nothing(tmp_path, capsys):
    before = set(tmp_path.rglob("*")) | {write_config(tmp_path)}
    assert main(["train", str(tmp_path / "fit.toml"), "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "6 structures, 36 atoms of Si; labels: 6 energy, 6 forces, 6 stress" in out
    assert re.search(r"^Si: \d+ functions, network \d+-4-1$", out, re.MULTILINE)
    assert re.search(r"^\d+ weights and biases, 4 steps per epoch$", out, re.MULTILINE)
    assert re.search(r"^memory: about .* MB \(Jacobian ", out, re.MULTILINE)
    assert re.search(r"^time: about .* s, here and now: .*, 2 epochs of", out, re.MULTILINE)
    assert set(tmp_path.rglob("*")) - before <= {tmp_path / "data.extxyz"}


@pytest.mark.parametrize(
    "kind", ["kalman", "levenberg_marquardt", "lbfgs", "adam"], ids=lambda kind: kind
)
@pytest.mark.parametrize("elements", [("Si",), ("H", "O")])
def test_memory_is_what_the_arrays_take(kind, elements):
    """Counted beforehand against the tensors that are made; neighbours are a mean."""
    made = settings(
        optimizer=OptimizerSettings(kind=kind),
        loss=LossSettings(stress=1.0),
        network=NetworkSettings(hidden=(20,)),
    )
    data = dataset(elements)
    task = build(made, data, Dataset(()), quiet=True)
    counted = memory_of(made, choose(made, data, Dataset(()), quiet=True))
    held = [[*s.inputs, *(s.strain or ())] for s in task.train]
    assert counted.inputs == sum(t.nbytes for tensors in held for t in tensors)
    columns = sum(c.values.nbytes for s in task.train for c in s.columns or ())
    assert counted.columns == pytest.approx(columns, rel=0.35)  # they are padded
    if kind == "kalman":
        p = task.model.n_parameters
        assert counted.optimizer == 8 * (p * p + 32 * p)


def test_what_is_tried_leaves_no_trace():
    made = settings()
    chosen = choose(made, dataset(count=6), Dataset(()), quiet=True)
    found = survey(made, chosen)
    assert (found.n_parameters, found.steps) == (build(*_task(made)).model.n_parameters, 6)
    assert found.seconds_epoch > 0
    assert found.seconds_inputs > 0
    assert found.chosen.n_train == 6


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--members", "2"]])
def test_log_level_warning_shows_no_progress(more, tmp_path, capsys):
    """What needs attention and the result stay; the default says more."""
    command = ["train", str(configured(tmp_path)), *more]
    assert main([*command, "--log-level", "warning"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "extended XYZ" not in said.out
    assert ("functions" if "--dry-run" in more else "best epoch") in said.out
    assert main([*command, *([] if "--dry-run" in more else ["--force"])]) == 0
    said = capsys.readouterr()
    assert "extended XYZ" in said.out
    assert "--dry-run" in more or "epoch 3/3" in said.err


def _task(made):
    return made, dataset(count=6), Dataset(()), True
