"""Whole runs: resuming bit for bit, stopping, what is written, the command line."""

from __future__ import annotations

import csv
from dataclasses import replace

import ase.io
import numpy as np
import pytest
import torch
from train_data import dataset, settings, write_config

import nnp
from nnp.cli import main
from nnp.errors import (
    FileFormatError,
    NNPError,
    NumericalError,
    OptionError,
    OutputExistsError,
    UnavailableError,
)
from nnp.train.data.dataset import Dataset
from nnp.train.fit import run
from nnp.train.fit.checkpoint import read_checkpoint
from nnp.train.fit.machine import Ranks
from nnp.train.fit.optimizers import KINDS, OptimizerSettings
from nnp.train.fit.optimizers.first_order import GradientSettings, LbfgsSettings
from nnp.train.fit.optimizers.levenberg_marquardt import (
    LevenbergMarquardt,
    LevenbergMarquardtSettings,
)
from nnp.train.fit.settings import RunSettings, TargetSettings
from nnp.train.fit.task import build
from nnp.train.fit.trainer import CHECKPOINT, ON_TARGET, Trainer, fingerprint


def trainer(folder, epochs, kind="kalman", **changes):
    chosen = settings(
        folder,
        optimizer=OptimizerSettings(kind, batch=2, lbfgs=LbfgsSettings(3, history=5)),
        run=RunSettings(epochs=epochs, seed=3, output=str(folder), **changes),
    )
    data = dataset(count=5)
    task = build(chosen, data.subset(range(4)), data.subset([4]), quiet=True)
    return chosen, task, Trainer(chosen, task, quiet=True)


@pytest.mark.parametrize("kind", KINDS)
def test_resumed_run_is_the_same_bit_for_bit(tmp_path, kind):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    trainer(whole, 6, kind)[2].run()
    trainer(halves, 3, kind)[2].run()
    chosen, task, second = trainer(halves, 6, kind)
    second.run(resume=True)
    key = fingerprint(chosen, task)
    once, twice = (read_checkpoint(folder / CHECKPOINT, key) for folder in (whole, halves))
    assert once.epoch == twice.epoch == 6
    assert torch.equal(once.theta, twice.theta)
    assert not torch.equal(once.theta, task.theta)
    assert (once.best_loss, once.best_epoch) == (twice.best_loss, twice.best_epoch)
    assert once.optimizer.keys() == twice.optimizer.keys()
    for name, array in once.optimizer.items():
        np.testing.assert_array_equal(array, twice.optimizer[name])
    for row_1, row_2 in zip(once.rows, twice.rows, strict=True):
        assert {**row_1, "seconds": 0} == pytest.approx({**row_2, "seconds": 0}, rel=0, nan_ok=True)
    assert (whole / "best.nnp").read_bytes() == (halves / "best.nnp").read_bytes()


def test_seed_decides(tmp_path):
    results = []
    for seed in (0, 0, 1):
        chosen, _, _ = trainer(tmp_path, 2)
        chosen = replace(chosen, run=replace(chosen.run, seed=seed))
        task = build(chosen, dataset(), Dataset(()), quiet=True)
        results.append(Trainer(chosen, task, quiet=True).run().rows[-1]["train_loss"])
    assert results[0] == results[1] != results[2]


def test_diverging_run_keeps_the_last_good_model(tmp_path):
    chosen, task, _ = trainer(tmp_path, 30)
    gradient = GradientSettings(rate=1e200)
    chosen = replace(chosen, optimizer=OptimizerSettings("sgd", gradient=gradient))
    with pytest.raises(NumericalError, match=r"epoch \d+: .*kept in .*smaller.*rate"):
        Trainer(chosen, task, quiet=True).run()
    for name in ("best.nnp", "last.nnp"):
        energy = nnp.load(tmp_path / name).evaluate(task.train[0].frame.structure).energy
        assert np.isfinite(energy)


def test_patience_stops_early(tmp_path):
    chosen, task, _ = trainer(tmp_path, 500, patience=3)
    gradient = GradientSettings(rate=1e-300)  # nothing improves
    chosen = replace(chosen, optimizer=OptimizerSettings("sgd", gradient=gradient))
    result = Trainer(chosen, task, quiet=True).run()
    assert (result.best_epoch, len(result.rows)) == (1, 4)


def test_levenberg_marquardt_by_minibatches(tmp_path, monkeypatch):
    chosen, task, _ = trainer(tmp_path, 2)
    own = LevenbergMarquardtSettings(batch=3)
    chosen = replace(
        chosen, optimizer=OptimizerSettings("levenberg_marquardt", levenberg_marquardt=own)
    )
    taken, step = [], LevenbergMarquardt.step

    def noted(self, theta, aim, batch):
        moved = step(self, theta, aim, batch)
        taken.append((len(batch), aim.value(moved, batch) <= aim.value(theta, batch)))
        return moved

    monkeypatch.setattr(LevenbergMarquardt, "step", noted)
    rows = Trainer(chosen, task, quiet=True).run().rows
    assert taken == [(3, True), (1, True)] * 2  # of four structures, twice
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    with pytest.raises(OptionError, match="batch = 0: 1 structure per step or more"):
        LevenbergMarquardtSettings(batch=0)


def test_target_stops(tmp_path):
    free = trainer(tmp_path / "free", 12)[2].run()
    errors = [(r["valid_energy_rmse_mev"] / 1e3, r["valid_force_rmse"]) for r in free.rows]
    energy, forces = (value * (1 + 1e-9) for value in errors[5])
    first = next(k for k, e in enumerate(errors, 1) if e[0] <= energy and e[1] <= forces)
    stopped = trainer(tmp_path / "on", 12, target=TargetSettings(energy, forces))[2].run()
    assert (len(stopped.rows), stopped.stopped) == (first, ON_TARGET)
    first = next(k for k, e in enumerate(errors, 1) if e[1] <= forces)
    stopped = trainer(tmp_path / "forces", 12, target=TargetSettings(forces=forces))[2].run()
    assert len(stopped.rows) == first
    never = trainer(tmp_path / "never", 3, target=TargetSettings(1e-9))[2].run()
    assert (len(never.rows), never.stopped) == (3, "")
    with pytest.raises(OptionError, match=r"target energy = 0: an RMSE above 0"):
        TargetSettings(0)


def test_checkpoint_of_other_settings_is_refused(tmp_path):
    trainer(tmp_path, 1)[2].run()
    chosen, task, _ = trainer(tmp_path, 2)
    other = replace(chosen, loss=replace(chosen.loss, energy=7.0))
    with pytest.raises(OptionError, match=r"other settings or data \(loss.energy was .*, is 7.0\)"):
        Trainer(other, task, quiet=True).run(resume=True)


@pytest.mark.parametrize("name", ["weight", "cell", "forces"])
def test_checkpoint_of_other_structures_is_refused(tmp_path, name):
    chosen, task, first = trainer(tmp_path, 1)
    first.run()
    frame = task.frames[0]
    other = {
        "weight": replace(frame, weight=9.0),
        "cell": replace(frame, structure=replace(frame.structure, cell=2 * frame.structure.cell)),
        "forces": replace(frame, forces=2 * frame.forces),
    }
    changed = replace(task.frames, frames=(other[name], *task.frames.frames[1:]))
    with pytest.raises(OptionError, match=r"\(other structures, labels or weights\): only epochs"):
        Trainer(chosen, replace(task, frames=changed), quiet=True).run(resume=True)


def test_tensorboard_is_asked_for_politely(tmp_path):
    pytest.importorskip("torch")
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(UnavailableError, match="pip install tensorboard"):
            trainer(tmp_path, 1, tensorboard=True)[2].run()
    else:
        trainer(tmp_path, 1, tensorboard=True)[2].run()
        assert list((tmp_path / "tensorboard").iterdir())


@pytest.fixture
def config(tmp_path):
    """A data file and a configuration for the command line."""
    return write_config(tmp_path)


def test_command_line(config, tmp_path, capsys):
    assert main(["train", str(config)]) == 0
    assert "best epoch" in capsys.readouterr().out
    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["epoch"]) for row in rows] == [1, 2]
    assert main(["train", str(config)]) == 1
    assert "--resume" in capsys.readouterr().err
    config.write_text(config.read_text().replace("epochs = 2", "epochs = 3"))
    assert main(["train", str(config), "--resume"]) == 0
    arguments = ["evaluate", str(tmp_path / "out" / "best.nnp"), str(tmp_path / "data.extxyz")]
    report = tmp_path / "report"
    log = ["--log", str(tmp_path / "out" / "log.csv")]
    capsys.readouterr()
    assert main([*arguments, "--output", str(report), *log]) == 0
    out = capsys.readouterr().out
    for word in ("all", "even", "odd", "energy", "forces", "stress", "Pearson"):
        assert word in out
    pytest.importorskip("matplotlib")
    assert {p.name for p in report.iterdir()} == {
        "parity.png",
        "errors.png",
        "inputs.png",
        "magnitude.png",
        "learning.png",
        "report.html",
        "metrics.json",
        "worst.extxyz",
    }
    assert "<td>odd</td>" in (report / "report.html").read_text()
    assert main([*arguments, "--output", str(report)]) == 1


def test_networks_of_elements_that_the_data_lack_are_listed(config, capsys):
    config.write_text(config.read_text() + "[network.elements.Ag]\nhidden = [3]\n")
    assert main(["train", str(config), "--dry-run"]) == 0
    assert "network.elements.Ag has no effect: the data has" in capsys.readouterr().out


def test_findings_are_listed(config, tmp_path, capsys):
    frames = ase.io.read(tmp_path / "data.extxyz", ":")
    ase.io.write(tmp_path / "data.extxyz", [*frames, *[frames[1]] * 7])
    assert main(["train", str(config)]) == 0
    out = capsys.readouterr().out
    assert out.count("data.extxyz, structure") >= 5
    assert "the same atoms as" in out
    assert "more in findings.txt" in out


def test_committee(config, tmp_path, capsys):
    assert main(["train", str(config), "--members", "2"]) == 0
    out = tmp_path / "out"
    last = [nnp.load(out / f"member_{k}" / "last.nnp") for k in range(2)]
    assert not np.array_equal(*(m.models[0].network.weights[0] for m in last))
    structure = dataset(count=1)[0].structure
    best = [nnp.load(p).evaluate(structure).energy for p in out.glob("*/best.nnp")]
    for path in (out, out / "committee.nnp"):
        found = nnp.load(path).evaluate(structure)
        assert found.energy == pytest.approx(np.mean(best), rel=1e-12)
        assert found.energy_deviation == pytest.approx(np.std(best), rel=1e-6)
    assert "member 1" in capsys.readouterr().out
    words = ["evaluate", str(out / "committee.nnp"), str(tmp_path / "data.extxyz")]
    assert main([*words, "--output", str(tmp_path / "report")]) == 0
    with pytest.raises(OptionError, match="members = 1"):
        nnp.train.train_committee(nnp.train.read_settings(config), 1)


def test_committee_of_several_architectures(config, tmp_path):
    config.write_text(config.read_text() + "[committee]\nhidden = [[4], [6], [5]]\n")
    assert main(["train", str(config)]) == 0
    committee = nnp.load(tmp_path / "out" / "committee.nnp")
    assert [m.models[0].network.sizes[1] for m in committee.members] == [4, 6, 5]
    with pytest.raises(OptionError, match="members = 2 with hidden layers for 3"):
        nnp.train.train_committee(nnp.train.read_settings(config), 2)


def test_run_is_not_overwritten(config):
    chosen = nnp.train.read_settings(config)
    nnp.train.train(chosen, quiet=True)
    with pytest.raises(OutputExistsError, match="holds a training run"):
        nnp.train.train(chosen, quiet=True)
    nnp.train.train(chosen, force=True, quiet=True)


def test_nothing_of_an_earlier_run_is_taken_for_a_part_of_this_one(config, tmp_path, capsys):
    """Members beyond the new ones, models of epochs beyond the last one."""
    config.write_text(config.read_text().replace("[run]", "[run]\nkeep_every = 1"))
    words, out = ["train", str(config)], tmp_path / "out"
    assert main([*words, "--members", "3"]) == 0
    assert len(nnp.load(out).members) == 3
    for asked in ([], ["--members", "2"]):
        assert main([*words, *asked, "--resume"]) == 1
        assert "a committee with 3 members at least, and " in capsys.readouterr().err
    assert main([*words, "--members", "2", "--force"]) == 0
    assert len(nnp.load(out).members) == len(nnp.load(out / "committee.nnp").members) == 2
    assert main(words) == 1
    assert "holds a training run" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0
    assert not list(out.glob("member_*/best.nnp"))
    assert not (out / "committee.nnp").exists()
    epochs = sorted(path.name for path in out.glob("epoch_*.nnp"))
    assert main([*words, "--members", "2", "--resume"]) == 1
    assert "holds one fit, and 2 members should go on" in capsys.readouterr().err
    config.write_text(config.read_text().replace("epochs = 2", "epochs = 1"))
    assert main([*words, "--force"]) == 0
    assert sorted(path.name for path in out.glob("epoch_*.nnp")) == epochs[:1] != epochs


def test_checkpoint_of_other_inputs_is_refused(tmp_path):
    """An eigenvector with another sign: the weights' meaning is gone, no other check would see."""
    trainer(tmp_path, 1)[2].run()
    _, task, second = trainer(tmp_path, 2)
    task.model.maker.transforms[0].matrix[:, 0] *= -1
    with pytest.raises(OptionError, match="round differently"):
        second.run(resume=True)


def test_processes_that_read_other_checkpoints_are_refused(tmp_path):
    """A folder that is not the same everywhere: their weights would be mixed."""
    trainer(tmp_path, 1)[2].run()
    _, task, second = trainer(tmp_path, 2)
    second._task = replace(task, ranks=BehindOne())
    with pytest.raises(FileFormatError, match=r"after epochs 0, 1: .* one folder"):
        second.run(resume=True)


class BehindOne(Ranks):
    """This process, and one that has read the checkpoint before the last."""

    def gather(self, value):
        return [value, value - 1]


def test_members_share_what_does_not_depend_on_their_seed(config, tmp_path, monkeypatch):
    """Data are read and functions computed once; a member is what it would be by itself."""
    calls = []
    for name in ("read_data", "prepare"):
        work = getattr(run, name)
        noted = lambda *a, name=name, work=work, **k: calls.append(name) or work(*a, **k)  # noqa: E731
        monkeypatch.setattr(run, name, noted)
    chosen = nnp.train.read_settings(config)
    nnp.train.train_committee(chosen, 2, quiet=True)
    assert calls == ["read_data", "prepare"]
    alone = replace(chosen.run, seed=chosen.run.seed + 1, output=str(tmp_path / "alone"))
    nnp.train.train(replace(chosen, run=alone), quiet=True)
    one, two = (nnp.load(tmp_path / f / "best.nnp") for f in ("out/member_1", "alone"))
    for a, b in zip(one.models[0].network.weights, two.models[0].network.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_resume_before_the_first_checkpoint_begins(tmp_path, monkeypatch):
    """A run killed in its first epochs has a folder and no checkpoint."""
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path)
    assert main(["train", str(config), "--resume"]) == 0
    (folder,) = (path.parent for path in tmp_path.rglob(CHECKPOINT))
    wanted = (folder / "best.nnp").read_bytes()
    for path in folder.iterdir():
        path.unlink()
    assert main(["train", str(config), "--resume"]) == 0
    assert (folder / "best.nnp").read_bytes() == wanted


def mutations(raw, seed, count):
    """Bit flips, cuts, other members, huge numbers, nothing."""
    rng = np.random.default_rng(seed)
    yield from (b"", b"PK", raw[:-30], raw + raw, raw.decode("latin-1").encode("utf-16"))
    for _ in range(count):
        damaged = bytearray(raw)
        for at in rng.integers(0, len(raw), rng.integers(1, 8)):
            damaged[at] = rng.integers(0, 256)
        yield bytes(damaged[: rng.integers(1, len(raw))] if rng.random() < 0.2 else damaged)


def rewritten(path, changes):
    """The same archive with sound checksums and other members."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, value in changes.items():
        if value is None:
            arrays.pop(name)
        else:
            arrays[name] = value
    np.savez(path, **arrays)


@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.slow)])
def test_damaged_checkpoints_are_refused(tmp_path, count):
    _, _, first = trainer(tmp_path, 2)
    first.run()
    path = tmp_path / CHECKPOINT
    raw = path.read_bytes()
    _, _, second = trainer(tmp_path, 2)
    for damaged in mutations(raw, 1, count):
        path.write_bytes(damaged)
        try:
            second.run(resume=True)
        except NNPError as error:
            assert str(path) in str(error)  # noqa: PT017  some are refused, none is a traceback


MEMBERS = [
    {"header": None},
    {"header": np.array("{}")},
    {"header": np.array("[" * 100_000)},
    {"theta": np.zeros(3)},
    {"theta": np.zeros((2, 2)), "best_theta": np.zeros((2, 2))},
    {"best_theta": None},
    {"optimizer/lower": np.zeros((2, 2))},
    {"optimizer/scalars": np.zeros(7)},
]


@pytest.mark.parametrize("changes", MEMBERS, ids=str)
def test_foreign_members_are_refused(tmp_path, changes):
    trainer(tmp_path, 2)[2].run()
    rewritten(tmp_path / CHECKPOINT, changes)
    with pytest.raises(FileFormatError, match=r"checkpoint\.npz is (not a checkpoint|damaged)"):
        trainer(tmp_path, 4)[2].run(resume=True)
