"""`nnp train DATA`: settings from data alone, and the report at the end."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from runs import nnp as command
from test_doctor import silicon
from vasp_files import outcar

import nnp
from nnp.pictures.report import Background, write_report
from nnp.structure import as_structure
from nnp.train.config.defaults import FAMILIES, MOST_INPUTS, Wishes, choose_settings
from nnp.train.config.read import read_settings
from nnp.train.config.write import write_settings
from nnp.train.data.dataset import Dataset
from nnp.train.data.evaluation import Comparison, EvaluationReport
from nnp.train.data.facts import facts
from nnp.train.data.inputs_seen import inputs_seen
from nnp.train.data.judge import advice, metrics, spread_correlation, worst
from nnp.train.data.sets import DataSettings
from nnp.train.fit.settings import to_table

ELEMENTS = ("H", "C", "N", "O", "Si", "Cl", "Cu", "Mo")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder of runs of VASP, trained on by defaults as far as seconds allow; and its output."""
    folder = tmp_path_factory.mktemp("fit")
    for number in range(2):
        run = folder / "runs" / str(number)
        run.mkdir(parents=True)
        (run / "OUTCAR").write_text(outcar(silicon(7, number)))
        (run / "KPOINTS").write_text("not structures\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert command("train", "runs", "--cutoff", "4", "--epochs", "2") == 0
    return folder


def test_a_folder_is_all_that_is_needed(fitted):
    output = fitted / "training"
    assert (output / "best.nnp").exists()
    page = (output / "report.html").read_text()
    for heading in ("What next", "Learning curves", "Force errors over forces", "worst structures"):
        assert heading in page
    assert "src=" not in page.replace('src="data:image/png;base64,', "")
    found = json.loads((output / "metrics.json").read_text())
    assert found["structures"] == 1
    assert found["groups"]["all"]["forces"]["labels"] == 24
    assert found["training"]["structures"] == 13
    assert found["next"]
    (bad,) = read(output / "worst.extxyz", ":")
    assert bad.info["where"].startswith("runs/")
    assert bad.arrays["model_forces"].shape == (8, 3)
    best = nnp.load(output / "best.nnp")
    assert {f.radius for f in best.models[0].functions} == {4.0}


def test_the_settings_are_written_and_say_the_same(fitted, monkeypatch, capsys):
    monkeypatch.chdir(fitted)
    written = read_settings("fit.toml")
    known = facts(Dataset.read(["runs"]))
    wishes = Wishes(cutoff=4.0, epochs=2)
    data = DataSettings(("runs",), drop=("unlabelled", "duplicate"))
    chosen = choose_settings(data, known, wishes, learn_stress=True)
    assert to_table(written) == to_table(chosen.settings)
    assert "# moments: as" not in (fitted / "fit.toml").read_text()
    assert "# cutoff: 4 Å: as asked" in (fitted / "fit.toml").read_text()
    assert command("train", "runs", "--output", "other") == 1
    assert "fit.toml exists: train with it (nnp train fit.toml)" in capsys.readouterr().err
    assert command("train", "fit.toml", "--cutoff", "5") == 1
    assert "--cutoff is for data: write functions.generate.cutoff" in capsys.readouterr().err
    assert command("train", "runs", "--settings", "b.toml") == 1
    assert "training holds a training run" in capsys.readouterr().err
    assert not (fitted / "b.toml").exists()
    assert command("train", "fit.toml", "--dry-run") == 0
    assert "network 7" in capsys.readouterr().out


def test_every_default_can_be_written_and_read(tmp_path):
    known = facts(Dataset.from_atoms(silicon()))
    for family in FAMILIES:
        elements = {key: {} for key in ELEMENTS[:3]}
        chosen = choose_settings(
            DataSettings((str(tmp_path / "a"),)),
            replace(known, elements=elements),
            Wishes(family=family, output=str(tmp_path / "out")),
        )
        write_settings(chosen.settings, tmp_path / f"{family}.toml", ["why"])
        assert to_table(read_settings(tmp_path / f"{family}.toml")) == to_table(chosen.settings)
    close = replace(known, shortest={"Si-Si": 1.2})
    offered = choose_settings(DataSettings(("a",)), close)
    assert "Si-Si come as close as 1.20 Å, 0.54 of a bond: --zbl" in offered.reasons["repulsion"]
    assert "repulsion" not in choose_settings(DataSettings(("a",)), known).reasons
    taken = choose_settings(DataSettings((str(tmp_path / "a"),)), close, Wishes(zbl=True)).settings
    assert taken.baseline.zbl.pairs == {"Si-Si": (0.888, 1.776)}  # 0.4 and 0.8 of 2.22 Å
    write_settings(taken, tmp_path / "zbl.toml", ["why"])
    assert read_settings(tmp_path / "zbl.toml").baseline == taken.baseline
    with pytest.raises(nnp.NNPError, match="family = 'x': allowed are moments, behler"):
        choose_settings(DataSettings(("a",)), known, Wishes(family="x"))


@pytest.mark.parametrize("family", FAMILIES)
def test_inputs_do_not_grow_with_the_elements(family):
    known = facts(Dataset.from_atoms(silicon()))
    for count in range(1, 9):
        elements = ELEMENTS[:count]
        chosen = choose_settings(
            DataSettings(("a",)),
            replace(known, elements={key: {} for key in elements}),
            Wishes(family=family),
        )
        found = chosen.settings.functions.generate.for_elements(elements)
        assert max(map(len, found.values())) <= MOST_INPUTS


def test_labels_decide_the_network_and_neighbours_the_cutoff():
    known = facts(Dataset.from_atoms(silicon()))
    data = DataSettings(("a",))
    few = choose_settings(data, known)
    many = choose_settings(data, replace(known, atoms=1_000_000, structures=10_000))
    assert few.settings.network.hidden < many.settings.network.hidden
    wishes = Wishes(epochs=7, time=90.0)
    run = choose_settings(data, known, wishes).settings.run
    assert (few.settings.run.epochs, run.epochs, run.max_time) == (None, 7, 90.0)
    crowded = {r: (3 * mean, most) for r, (mean, most) in known.neighbors.items()}
    assert choose_settings(data, known).settings.functions.generate.cutoff == 6.5
    crowded_fit = choose_settings(data, replace(known, neighbors=crowded))
    assert crowded_fit.settings.functions.generate.cutoff < 6.5
    assert few.settings.data.split.fraction == 0.1
    assert choose_settings(data, replace(known, structures=6)).settings.data.split.fraction == 0


def bare():
    atoms = Atoms("Si2", positions=[[0, 0, 0], [2.3, 0, 0]])
    atoms.info["dft_energy"] = -1.0
    return atoms


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ([bare()], "neither energy nor forces nor stress: it has dft_energy: --energy-key dft_e"),
        (silicon(1), "holds one structure: a fit needs at least some tens"),
        ([], "holds no files"),
    ],
)
def test_data_of_no_use_ends_in_one_message(tmp_path, monkeypatch, capsys, frames, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    if frames:
        write(tmp_path / "data" / "a.extxyz", frames)
    assert command("train", "data") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert says in error
    assert not (tmp_path / "fit.toml").exists()


# ---- the report ------------------------------------------------------------------------------


def report_of(error, group=lambda _: "", spread=None, extrapolating=()):
    """A report over silicon whose force errors are ``error(structure)`` everywhere."""
    data = Dataset.from_atoms(silicon(8))
    frames = tuple(replace(f, group=group(i)) for i, f in enumerate(data))
    index = np.repeat(np.arange(8), 24)
    forces = np.concatenate([f.forces.ravel() for f in frames])
    errors = np.array([error(i) for i in index]) * (-1.0) ** np.arange(len(index))
    numbers = np.full(len(index), 14)
    energies = np.array([f.energy / 8 for f in frames])
    empty = np.empty(0)
    comparisons = {
        "energy": Comparison(energies, energies + 0.001, np.arange(8)),
        "forces": Comparison(forces, forces + errors, index, numbers, spread),
        "stress": Comparison(empty, empty, empty.astype(int)),
    }
    groups = {"all": list(range(8))}
    for name in dict.fromkeys(f.group for f in frames):
        if name:
            groups[name] = [i for i, f in enumerate(frames) if f.group == name]
    predicted = tuple(np.zeros((8, 3)) for _ in frames)
    return EvaluationReport(
        comparisons, groups, list(extrapolating), np.full(8, 20.0), frames, predicted
    )


def test_copies_in_the_validation_set_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    frames = silicon(4)
    write("a.extxyz", [*frames, frames[0]])
    write("b.extxyz", frames[1])
    words = ["train", "a.extxyz", "--validation", "b.extxyz", "--dry-run"]
    assert command(*words) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("data:")]
    assert said == ["data: b.extxyz, structure 0: the same atoms as a.extxyz, structure 1"]


def test_what_is_no_data_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write("a.extxyz", silicon(4))
    (tmp_path / "fit.toml").write_text("[data]\ntrain = 'a.extxyz'\n")
    assert command("train", "a.extxyz", "fit.toml") == 1
    assert "fit.toml is a file of settings: give it alone" in capsys.readouterr().err
    assert command("train", "a.extxyz", "--output", "a.extxyz", "--settings", "b.toml") == 1
    assert "a.extxyz is a file, not a folder: choose" in capsys.readouterr().err
    assert not (tmp_path / "b.toml").exists()


def test_worst_structures_and_metrics():
    report = report_of(lambda i: 0.1 * i)
    found = worst(report, 3)
    assert [entry.index for entry in found] == [7, 6, 5]
    assert found[0].force_rmse == pytest.approx(0.7)
    assert found[0].energy_error == pytest.approx(0.001)
    table = metrics(report)
    assert table["groups"]["all"]["energy"]["mae"] == pytest.approx(1.0)
    assert table["elements"]["Si"]["mae"] == pytest.approx(0.35)
    json.dumps(table, allow_nan=False)


def test_advice_names_what_stands_out():
    melt = report_of(lambda i: 0.5 if i > 5 else 0.1, lambda i: "melt" if i > 5 else "crystal")
    assert "force errors are largest for the group melt (0.5 against 0.265 eV/Å" in advice(melt)[0]
    small = report_of(lambda _: 0.05)
    assert "unseen structures and 0.05 on those of the fit" in " ".join(advice(melt, small))
    loss = {"valid_loss": np.linspace(1.0, 0.1, 20)}
    assert "the loss still fell by 70%" in " ".join(advice(small, log=loss))
    early = {"valid_loss": np.abs(np.arange(20) - 7.0) + 1.0}
    assert "smallest after epoch 8 of 20: fewer epochs" in " ".join(advice(small, log=early))
    seen = {"train_loss": early["valid_loss"]}
    assert "fewer epochs" not in " ".join(advice(small, log=seen))
    assert "2 structures of 8 with atoms outside" in " ".join(
        advice(report_of(lambda _: 0.05, extrapolating=(1, 2)))
    )
    assert advice(small) == ["nothing stands out: more data of every kind, or a longer fit"]


def test_a_fit_that_has_learned_little_is_told():
    """Forces hardly better than none come first."""
    mean = np.abs(np.concatenate([atoms.get_forces() for atoms in silicon(8)])).mean()
    first = advice(report_of(lambda _: 0.5 * mean))[0]
    assert f"the MAE of forces is {0.5 * mean:.3g} eV/Å, and {mean:.3g} for zero" in first
    assert "has learned little" not in " ".join(advice(report_of(lambda _: 0.2 * mean)))


def test_the_spread_of_a_committee_is_held_against_its_errors():
    rng = np.random.default_rng(1)
    report = report_of(lambda i: 0.1 * (i + 1), spread=np.repeat(np.arange(1.0, 9.0), 24))
    assert spread_correlation(report.comparisons["forces"]) > 0.95
    blind = report_of(lambda i: 0.1 * (i + 1), spread=rng.uniform(size=192))
    assert "spread says little about its errors" in " ".join(advice(blind))
    assert spread_correlation(report_of(lambda _: 0.1).comparisons["forces"]) is None


def test_inputs_that_never_change_and_pictures(fitted, tmp_path):
    potential = nnp.load(fitted / "training" / "best.nnp")
    frames = Dataset.from_atoms(silicon(3))
    (seen,) = inputs_seen(potential, [frame.structure for frame in frames])
    assert seen.dead == ()
    assert (seen.histogram.sum(axis=1) + seen.below + seen.above == 24).all()
    crystal = Atoms("Si", cell=[[0, 2.7, 2.7], [2.7, 0, 2.7], [2.7, 2.7, 0]], pbc=True)
    (dead,) = inputs_seen(potential, [as_structure(crystal)] * 2)
    assert len(dead.dead) == len(potential.models[0].functions)
    spread = np.full(192, 0.1)
    background = Background(inputs=[dead], notes={"Data": ["<tag>"]})
    report = report_of(lambda i: 0.1 * (i + 1), spread=spread)
    written = {path.name for path in write_report(report, tmp_path, "title", background)}
    assert written >= {"metrics.json", "parity.png", "magnitude.png", "spread.png", "inputs.png"}
    assert "&lt;tag&gt;" in (tmp_path / "report.html").read_text()
    assert write_report(report, tmp_path / "no", "t", pictures=False) == [
        tmp_path / "no" / "metrics.json"
    ]


def test_what_options_say_is_in_the_file_of_settings(fitted, monkeypatch, capsys):
    monkeypatch.chdir(fitted)
    more = ("--from", "training/best.nnp", "--threads", "1", "--members", "2")
    assert command("train", "runs", *more, "--dry-run", "--settings", "again.toml") == 0
    said = capsys.readouterr().out
    assert "continues from  training/best.nnp: functions, networks and energies" in said
    written = read_settings("again.toml")
    assert (written.run.from_, written.run.threads) == ("training/best.nnp", 1)
    assert written.committee.members == 2


def test_what_this_fit_leaves_out_is_said(fitted, monkeypatch, capsys):
    monkeypatch.chdir(fitted)
    data = read("runs/0/OUTCAR", ":")
    write("copies.extxyz", [*data, data[0], Atoms("Si", [[0, 0, 0]], cell=[20] * 3, pbc=True)])
    words = ("train", "copies.extxyz", "--dry-run", "--settings", "copies.toml", "--force")
    assert command(*words) == 0
    text = "1 structure with the same atoms and labels as another"
    assert f"{text}; left out" in capsys.readouterr().out
    assert command(*words, "--keep", "duplicate", "--drop", "isolated") == 0
    said = capsys.readouterr().out
    assert f"{text}; kept" in said
    assert "1 structure with an atom that has no neighbour; left out" in said


def test_labels_that_the_data_lacks_are_not_in_the_errors(fitted, monkeypatch, capsys):
    monkeypatch.chdir(fitted)
    energies = []
    for atoms in silicon(4, 7):
        bare = atoms.copy()
        bare.calc = SinglePointCalculator(bare, energy=atoms.get_potential_energy())
        energies.append(bare)
    write("energies.extxyz", energies)
    more = ("--cutoff", "4", "--epochs", "1", "--output", "e", "--settings", "e.toml")
    assert command("train", "energies.extxyz", *more) == 0
    said = capsys.readouterr()
    assert "train  energy  MAE" in said.out
    assert "nan" not in said.out + said.err
