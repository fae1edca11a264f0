"""Fits on top of ZBL repulsion: subtracted from the labels, a term of the finished potential."""

from __future__ import annotations

from dataclasses import replace

import ase.io
import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from train_data import dataset, settings, teacher, write_config

import nnp
from nnp.cli import main
from nnp.errors import OptionError
from nnp.terms import RepulsionTerm
from nnp.train.config.read import read_settings
from nnp.train.data.baseline import BaselineSettings
from nnp.train.data.dataset import Dataset
from nnp.train.data.repulsion import RepulsionSettings
from nnp.train.fit.task import build

ZBL = RepulsionSettings(1.5, 4.0)  # far enough that all labels feel it
TERM = RepulsionTerm.universal(("Si",), 1.5, 4.0)
TABLE = "[baseline]\nzbl = {inner = 1.5, outer = 4.0}\n"


def test_labels_of_a_dressed_teacher_are_recovered():
    """Energies, forces and stresses of networks + ZBL are those of the networks after it."""
    dressed = replace(teacher(("Si",)), terms=(TERM,))
    bare = dataset()
    frames = []
    for frame in bare:
        found = dressed.evaluate(frame.structure, "reference", stress=True)
        assert abs(found.energy - frame.energy) > 1  # else nothing is tested
        assert np.abs(found.stress - frame.stress).max() > 1e-3
        frames.append(replace(frame, energy=found.energy, forces=found.forces, stress=found.stress))
    chosen = settings(baseline=BaselineSettings(zbl=ZBL))
    task = build(chosen, Dataset(tuple(frames[:3])), Dataset(tuple(frames[3:])), quiet=True)
    assert task.model.template.terms == (TERM,)
    assert len(task.frames) == len(bare)
    for found, wanted in zip(task.frames, bare, strict=True):
        assert found.energy == pytest.approx(wanted.energy, abs=1e-10)
        np.testing.assert_allclose(found.forces, wanted.forces, rtol=0, atol=1e-10)
        np.testing.assert_allclose(found.stress, wanted.stress, rtol=0, atol=1e-12)


def test_labels_that_are_not_there_stay_so():
    frames = [replace(f, energy=None, forces=None) for f in dataset(count=1)]
    frames += [replace(f, stress=None) for f in dataset(count=4)]
    chosen = settings(baseline=BaselineSettings(zbl=ZBL))
    found = build(chosen, Dataset(tuple(frames)), Dataset(()), quiet=True).frames
    assert found[0].energy is None
    assert found[0].forces is None
    assert found[0].stress is not None
    assert found[1].stress is None


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Folder of a run by the command line."""
    folder = tmp_path_factory.mktemp("repulsion")
    config = write_config(folder)
    config.write_text(config.read_text() + TABLE)
    assert main(["train", str(config)]) == 0
    return folder


def test_the_model_has_it(fitted, capsys):
    path = fitted / "out" / "best.nnp"
    whole = nnp.load(path)
    assert whole.terms == (TERM,)
    networks = replace(whole, terms=())
    for structure in [frame.structure for frame in Dataset.read(fitted / "data.extxyz")]:
        added = TERM.compute(structure)
        assert abs(added.energies.sum()) > 1
        for engine in ("cpu", "reference"):
            found = whole.evaluate(structure, engine)
            part = networks.evaluate(structure, engine)
            assert found.energy == pytest.approx(part.energy + added.energies.sum(), abs=1e-9)
            np.testing.assert_allclose(found.forces, part.forces + added.forces, atol=1e-9)
    assert main(["info", str(path)]) == 0
    assert "term        ZBL repulsion (Si-Si 1.5..4 Å)" in capsys.readouterr().out


def test_the_fit_is_judged_with_it(fitted):
    """Errors of the log are those of the finished potential against the labels of the file."""
    data = Dataset.read(fitted / "data.extxyz")
    report = nnp.train.evaluate(nnp.load(fitted / "out" / "last.nnp"), data)
    log = (fitted / "out" / "log.csv").read_text().splitlines()
    row = dict(zip(log[0].split(","), map(float, log[-1].split(",")), strict=True))
    of_both = [row["train_force_rmse"], row["valid_force_rmse"]]
    assert min(of_both) <= report.comparisons["forces"].statistics()["rmse"] <= max(of_both)


def test_a_resumed_run_is_the_uninterrupted_one(fitted):
    config = fitted / "short.toml"
    text = (fitted / "fit.toml").read_text().replace('"out"', '"again"')
    config.write_text(text.replace("epochs = 2", "epochs = 1"))
    assert main(["train", str(config)]) == 0
    config.write_text(text)
    assert main(["train", str(config), "--resume"]) == 0
    atoms = ase.io.read(fitted / "data.extxyz")
    again, once = (nnp.load(fitted / folder / "last.nnp") for folder in ("again", "out"))
    assert again.terms == once.terms == (TERM,)
    assert again.evaluate(atoms).energy == once.evaluate(atoms).energy


def test_another_repulsion_is_another_run(fitted):
    config = fitted / "other.toml"
    config.write_text((fitted / "fit.toml").read_text().replace("outer = 4.0", "outer = 3.9"))
    with pytest.raises(OptionError, match="belongs to a run with other settings"):
        nnp.train.train(read_settings(config), resume=True, quiet=True)


def test_committees_add_it_once(fitted):
    config = fitted / "committee.toml"
    text = (fitted / "fit.toml").read_text().replace('"out"', '"members"')
    config.write_text(text)
    assert main(["train", str(config), "--members", "2"]) == 0
    committee = nnp.load(fitted / "members" / "committee.nnp")
    assert committee.terms == (TERM,)
    atoms = ase.io.read(fitted / "data.extxyz")
    members = [
        nnp.load(fitted / "members" / f"member_{n}" / "best.nnp").evaluate(atoms).energy
        for n in range(2)
    ]
    assert members[0] != members[1]
    assert committee.evaluate(atoms).energy == pytest.approx(np.mean(members), abs=1e-9)


def test_single_pairs():
    """They go before the common radii; without common radii there are no others."""
    both = RepulsionSettings(1.0, 2.0, {"Si-O": (0.7, 1.4)}).term(("O", "Si"))
    ends = {pair.symbols: (pair.r_inner, pair.r_outer) for pair in both.pairs}
    assert ends == {("O", "O"): (1, 2), ("O", "Si"): (0.7, 1.4), ("Si", "Si"): (1, 2)}
    alone = RepulsionSettings(pairs={"Si-O": (0.7, 1.4)}).term(("O", "Si"))
    assert [pair.symbols for pair in alone.pairs] == [("O", "Si")]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("{inner = 2.0, outer = 1.0}", "[baseline.zbl]: inner = 2, outer = 1 Å: 0 <= inner"),
        ("{inner = -1.0, outer = 1.0}", "inner = -1, outer = 1 Å: 0 <= inner < outer is expected"),
        ("{inner = 1.0, outer = nan}", "baseline.zbl.outer = nan must be"),
        ("{inner = 1.0}", "inner = 1.0, outer = None: give both"),
        ("{}", 'give both (Å), or pairs = {"Si-O" = [inner, outer], …}'),
        ("{inner = 1.0, outer = 2.0, outr = 3}", "baseline.zbl.outr is unknown: did you mean"),
        ('{pairs = {"Si-Si" = [2.0, 1.0]}}', "r_inner=2 to r_outer=1 Å"),
        ('{pairs = {"Si-Si" = [1.0]}}', "baseline.zbl.pairs.Si-Si must have 2 entries"),
        ('{pairs = {"Si" = [1.0, 2.0]}}', "pairs has 'Si': two elements with a hyphen"),
        ('{pairs = {"Si-Sx" = [1.0, 2.0]}}', "'Sx' is not the symbol of an element"),
        ('{pairs = {"Si-O" = [1, 2], "O-Si" = [1, 2]}}', "'Si-O' and 'O-Si', which is the same"),
        ('{pairs = {"Si-O" = [1.0, 2.0]}}', "zbl.pairs names O, which the training data lacks"),
        ("true", "[baseline.zbl] must be a table"),
    ],
)
def test_what_is_wrong_is_one_message(table, said, tmp_path, capsys):
    config = write_config(tmp_path)
    config.write_text(config.read_text() + f"[baseline]\nzbl = {table}\n")
    assert main(["train", str(config)]) == 1
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "Traceback" not in error
    assert "data: " not in error
