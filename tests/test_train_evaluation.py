"""Errors of a potential per group: known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from train_data import dataset, teacher

from nnp.errors import StructureError
from nnp.train.dataset import Dataset
from nnp.train.evaluation import Comparison, evaluate


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
