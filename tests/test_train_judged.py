"""How many structures of the training set are judged after an epoch, and that the log says so."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from train_data import dataset, settings, write_config  # noqa: E402

from nnp.cli import main  # noqa: E402
from nnp.errors import OptionError  # noqa: E402
from nnp.train.data.dataset import Dataset  # noqa: E402
from nnp.train.fit.log import TrainingLog, set_errors  # noqa: E402
from nnp.train.fit.objective import Objective  # noqa: E402
from nnp.train.fit.recipe import n_judged  # noqa: E402
from nnp.train.fit.samples import Samples  # noqa: E402
from nnp.train.fit.settings import RunSettings  # noqa: E402
from nnp.train.fit.task import build  # noqa: E402
from nnp.train.fit.trainer import Trainer  # noqa: E402


def fit(folder, judged, held_out=2):
    run = RunSettings(epochs=2, output=str(folder), train_judged=judged)
    chosen, data = settings(run=run), dataset(count=8)
    validation = data.subset(range(8 - held_out, 8)) if held_out else Dataset(())
    task = build(chosen, data.subset(range(8 - held_out)), validation, quiet=True)
    return task, chosen, Trainer(chosen, task, quiet=True).run()


def test_a_drawn_part_of_the_training_set_is_judged(tmp_path):
    task, chosen, result = fit(tmp_path, 3)
    row = result.rows[-1]
    assert (row["train_structures"], row["valid_structures"]) == (3, 2)
    assert n_judged(chosen, task) == 5
    drawn = sorted(np.random.default_rng((chosen.run.seed, 3)).permutation(6)[:3].tolist())
    errors = [
        result.last.evaluate(frame.structure).energy - frame.energy
        for frame in (task.frames[n] for n in drawn)
    ]
    per_atom = np.array(errors) / [len(task.frames[n]) for n in drawn]
    assert row["train_energy_rmse_mev"] == pytest.approx(1e3 * np.sqrt(np.mean(per_atom**2)))


@pytest.mark.parametrize(("judged", "held_out", "expected"), [(None, 2, 6), (9, 2, 6), (3, 0, 8)])
def test_all_of_it_where_asked_and_where_it_decides(tmp_path, judged, held_out, expected):
    task, chosen, result = fit(tmp_path, judged, held_out)
    assert result.rows[-1]["train_structures"] == expected
    assert n_judged(chosen, task) == expected + held_out


def test_parts_are_read_where_they_are_not_kept():
    task = build(settings(), dataset(count=4), Dataset(()), quiet=True)
    part = task.train.part([1, 3])
    objective = Objective(task.model, settings().loss, task.ranks)
    once = set_errors(objective, task.theta, part)
    again = set_errors(objective, task.theta, [task.train[1], task.train[3]])
    assert (len(part), part.kept, once.structures) == (2, 0, 2)
    assert once.row("train") == again.row("train")


def test_a_process_has_its_own_of_the_drawn_ones():
    """Of structures 0, 2 and 4 of five those that are drawn, in the order of the data."""
    whole = build(settings(), dataset(count=5), Dataset(()), quiet=True).train
    frames = [whole.frames[n] for n in (0, 2, 4)]
    mine = Samples(frames, [0, 2, 4], lambda place, _: whole[2 * place])
    part = mine.part([1, 2, 4])
    assert [sample.frame.where for sample in part] == [whole.frames[n].where for n in (2, 4)]
    assert list(part.of([4])) == [part[1]]


def test_rows_of_earlier_versions_go_on(tmp_path):
    log = TrainingLog(tmp_path)
    log.restore([{"epoch": 1.0}])
    log.add({"epoch": 2.0, "train_structures": 200.0})
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["train_structures"] for row in rows] == ["nan", "200"]


def test_what_the_command_prints(tmp_path, capsys):
    path = write_config(tmp_path)
    text = path.read_text().replace("epochs = 2", "epochs = 2\ntrain_judged = 3")
    path.write_text(text)
    assert main(["train", str(path)]) == 0
    assert "(of 3 structures, drawn from 4)" in capsys.readouterr().out


def test_none_is_too_few():
    with pytest.raises(OptionError, match="train_judged = 0: 1 or more"):
        replace(RunSettings(), train_judged=0)
