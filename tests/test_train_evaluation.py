"""Errors of a potential per group: known answers."""

from __future__ import annotations

from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase import Atoms
from train_data import dataset, teacher, write_config

import nnp
from nnp.cli import main
from nnp.errors import StructureError
from nnp.pictures.report import read_learning
from nnp.train.data.dataset import Dataset
from nnp.train.data.evaluation import Comparison, evaluate


def shifted(data, energy, forces, stress):
    """The teacher's labels, off by constants."""
    frames = []
    for frame in data:
        sign = 1 if frame.group == "even" else -1
        frames.append(
            replace(
                frame,
                energy=frame.energy + sign * energy * len(frame),
                forces=frame.forces + forces,
                stress=frame.stress - stress,
            )
        )
    return Dataset(tuple(frames))


def test_the_teacher_has_no_error():
    report = evaluate(teacher(), dataset(), "reference")
    for name in ("energy", "forces", "stress"):
        statistics = report.comparisons[name].statistics()
        assert statistics["max"] < 1e-12
        assert statistics["pearson"] == pytest.approx(1)


def test_known_errors():
    report = evaluate(teacher(), shifted(dataset(), 0.25, 0.5, 0.125), "reference")
    wanted = {"energy": 0.25, "forces": 0.5, "stress": 0.125}
    for name, size in wanted.items():
        statistics = report.comparisons[name].statistics()
        assert [statistics[k] for k in ("mae", "rmse", "max")] == pytest.approx([size] * 3)
    assert list(report.groups) == ["all", "even", "odd"]
    even = report.comparisons["energy"].of(report.groups["even"])
    np.testing.assert_allclose(even.error, -0.25)
    header, rows = report.table()
    assert len(rows) == 9
    assert rows[0][:5] == ["all", "energy", "meV/atom", "4", "250.0000"]
    assert len(header) == len(rows[0])


def test_pearson():
    index = np.zeros(4, np.int64)
    x = np.array([1.0, 2.0, 3.0, 5.0])
    y = np.array([2.0, 1.0, 4.0, 4.0])
    found = Comparison(x, y, index).statistics()["pearson"]
    assert found == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert np.isnan(Comparison(np.ones(4), y, index).statistics()["pearson"])


def test_structures_without_labels_and_with_unknown_elements():
    bare = Dataset(tuple(replace(f, energy=None, stress=None) for f in dataset()))
    report = evaluate(teacher(), bare, "reference")
    assert [len(report.comparisons[n].error) for n in ("energy", "forces", "stress")] == [0, 72, 0]
    with pytest.raises(StructureError, match="teacher, structure 0: atom 0 is"):
        evaluate(teacher(), dataset(("H", "O")), "reference")
    none = Dataset(tuple(replace(f, forces=None) for f in bare))
    with pytest.raises(StructureError, match="none of the 4 structures has an energy"):
        evaluate(teacher(), none, "reference")


def test_command_checks_outputs_before_it_works(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("nnp.cli.evaluate.evaluate", None)
    ase.io.write(tmp_path / "a.extxyz", Atoms("H"))
    teacher(("H",)).save(tmp_path / "h.nnp")
    words = ["evaluate", str(tmp_path / "h.nnp"), str(tmp_path / "a.extxyz"), "--output"]
    for output in ("a.extxyz", "a.extxyz/report"):
        assert main([*words, str(tmp_path / output)]) == 1
        assert "is a file, not a folder: choose another name" in capsys.readouterr().err
    for log in ("nothere", "a.extxyz"):
        assert main([*words, str(tmp_path / "report"), "--log", str(tmp_path / log)]) == 1
        assert f"{log} is not a log of a training run" in capsys.readouterr().err


def test_models_of_all_epochs(tmp_path, capsys):
    config = write_config(tmp_path)
    config.write_text(config.read_text().replace("epochs = 2", "epochs = 3\nkeep_every = 2"))
    assert main(["train", str(config), "--log-level", "warning"]) == 0
    folder, data = tmp_path / "out", tmp_path / "data.extxyz"
    last = nnp.load(folder / "last.nnp")
    last.save(folder / "epoch_00003.nnp")
    words = ["evaluate", str(folder / "last.nnp"), str(data), "--output", str(tmp_path / "report")]
    assert main([*words, "--epochs", str(folder)]) == 0
    rows = read_learning(tmp_path / "report" / "epochs.csv")
    assert rows["epoch"].tolist() == [2, 3]
    log = read_learning(folder / "log.csv")
    np.testing.assert_array_equal(rows["valid_force_rmse"], log["valid_force_rmse"][1:])
    wanted = evaluate(last, Dataset.read([data]))
    energy, forces = (wanted.comparisons[n].statistics()["rmse"] for n in ("energy", "forces"))
    assert rows["data_energy_rmse_mev"][1] == pytest.approx(1e3 * energy, rel=1e-8)
    assert rows["data_force_rmse"][1] == pytest.approx(forces, rel=1e-8)
    assert rows["data_force_rmse"][0] != rows["data_force_rmse"][1]
    assert (tmp_path / "report" / "learning.png").is_file()
    assert main([*words, "--epochs", str(tmp_path), "--force"]) == 1
    assert "it has no epoch_*.nnp: a fit keeps them with keep_every = 1" in capsys.readouterr().err


def test_command_with_keys_that_are_not_there(tmp_path, capsys):
    made = Atoms("H2", positions=[[0, 0, 0], [0.8, 0, 0]])
    made.info["dft_energy"] = -1.0
    ase.io.write(tmp_path / "a.extxyz", made)
    teacher(("H",)).save(tmp_path / "h.nnp")
    words = ["evaluate", str(tmp_path / "h.nnp"), str(tmp_path / "a.extxyz")]
    words += ["--output", str(tmp_path / "report")]
    assert main([*words, "--virial-key", "nope"]) == 1
    assert "'nope', named as the key of virial; there are: dft_energy" in capsys.readouterr().err
    assert main(words) == 1
    assert "none of the 1 structures has an energy" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
    assert main([*words, "--energy-key", "dft_energy"]) == 0
    assert "energy" in capsys.readouterr().out
