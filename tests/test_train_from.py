"""Going on from a finished potential: the same function first, then new data and new elements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from train_data import dataset, settings, teacher, write_config  # noqa: E402

import nnp  # noqa: E402
from nnp.cli import main  # noqa: E402
from nnp.committee import Committee  # noqa: E402
from nnp.errors import OptionError  # noqa: E402
from nnp.networks import Activation, Network  # noqa: E402
from nnp.potential import Potential  # noqa: E402
from nnp.train.data.dataset import Dataset  # noqa: E402
from nnp.train.fit.optimizers import OptimizerSettings  # noqa: E402
from nnp.train.fit.optimizers.first_order import GradientSettings  # noqa: E402
from nnp.train.fit.settings import RunSettings  # noqa: E402
from nnp.train.fit.task import build  # noqa: E402
from nnp.train.fit.trainer import Trainer  # noqa: E402
from nnp.train.inputs.functions import FunctionSettings  # noqa: E402
from nnp.train.inputs.moments import GeneratedMoments  # noqa: E402


@pytest.fixture
def model(tmp_path):
    """A potential of H and O: scaled output, bent first layer, ranges narrower than new data."""
    found = teacher(("H", "O"))
    path = tmp_path / "start.nnp"
    replace(found, energy_scale=0.7).save(path)
    return path


def task_from(path, elements, folder="unused", epochs=2, **changes):
    """On new data of these elements, as the settings say."""
    run = RunSettings(epochs=epochs, output=str(folder), from_=str(path), **changes)
    return settings(folder, run=run), build(
        settings(folder, run=run), dataset(elements, count=5), Dataset(()), quiet=True
    )


def assert_same(first: Potential, second: Potential, structures):
    for structure in structures:
        one, two = (p.evaluate(structure, stress=True) for p in (first, second))
        np.testing.assert_allclose(two.energies, one.energies, rtol=0, atol=1e-9)
        np.testing.assert_allclose(two.forces, one.forces, rtol=0, atol=1e-9)


@pytest.mark.parametrize("elements", [("H", "O"), ("O",), ("C", "H", "O")])
def test_a_fit_begins_as_the_potential_that_it_goes_on_from(model, elements):
    """On old structures, although scalings widen, inputs turn and functions are added."""
    old = nnp.load(model)
    _, task = task_from(model, elements)
    begun = task.model.potential(task.theta)
    assert set(begun.elements) == {"H", "O", *elements}
    structures = [frame.structure for frame in dataset(("H", "O"))]
    assert_same(old, begun, structures)
    for mine in old.models:
        theirs = next(m for m in begun.models if m.symbol == mine.symbol)
        new = theirs.scaling
        kept = np.array([f in mine.functions for f in theirs.functions])
        assert theirs.energy_offset == mine.energy_offset
        assert (new.minimum[kept] <= mine.scaling.minimum).all()
        assert (new.maximum[kept] >= mine.scaling.maximum).all()
        np.testing.assert_array_equal(new.mean[kept], mine.scaling.mean)
        assert ("C" in elements) == (not kept.all())
        for function, old_one in zip(theirs.functions, kept, strict=True):
            assert old_one or "C" in function.neighbor_symbols


def test_new_data_with_a_new_element_are_learned(model, tmp_path):
    chosen, task = task_from(model, ("C", "H", "O"), tmp_path / "out", epochs=6)
    result = Trainer(chosen, task, quiet=True).run()
    losses = [row["train_loss"] for row in result.rows]
    assert losses[-1] < 0.5 * losses[0]
    assert result.potential.provenance["settings"]["run"]["from"] == "start.nnp"
    assert nnp.load(tmp_path / "out" / "best.nnp").elements == ("H", "C", "O")


def test_what_the_data_lack_stays_as_it_was(model, tmp_path):
    """Weight decay would shrink the network of hydrogen, of which there is no atom."""
    chosen, task = task_from(model, ("O",), tmp_path / "out")
    optimizer = OptimizerSettings("adamw", gradient=GradientSettings(rate=0.01, weight_decay=0.5))
    result = Trainer(replace(chosen, optimizer=optimizer), task, quiet=True).run()
    old, new = nnp.load(model).models, result.last.models
    np.testing.assert_allclose(
        new[0].network.weights[1], old[0].network.weights[1], rtol=0, atol=1e-12
    )
    assert np.abs(new[1].network.weights[1] - old[1].network.weights[1]).max() > 1e-3


def test_reference_energies_are_kept_or_given(model):
    _, task = task_from(model, ("H", "O"))
    given = settings().data
    given = replace(given, reference_energies={"O": -7.0})
    run = RunSettings(from_=str(model))
    other = build(settings(run=run, data=given), dataset(("H", "O")), Dataset(()), quiet=True)
    assert other.offsets == {**task.offsets, "O": -7.0}
    wrong = settings(run=run, data=replace(given, reference_energies={"C": 0.0}))
    with pytest.raises(OptionError, match="a reference energy is given for 'C'"):
        build(wrong, dataset(("H", "O")), Dataset(()), quiet=True)


def test_command(tmp_path, capsys):
    config = write_config(tmp_path)
    assert main(["train", str(config)]) == 0
    first = tmp_path / "out" / "best.nnp"
    start = tmp_path / "first.nnp"
    start.write_bytes(first.read_bytes())
    loss = nnp.train.read_settings(config)
    assert loss.run.from_ is None
    assert main(["train", str(config), "--from", str(start), "--threads", "2", "--force"]) == 0
    made = nnp.load(first).provenance["settings"]["run"]
    assert (made["from"], made["threads"]) == ("first.nnp", 2)
    rows = (tmp_path / "out" / "log.csv").read_text().splitlines()
    config.write_text(config.read_text() + '\nfrom = "first.nnp"\n')
    assert nnp.train.read_settings(config).run.from_ == str(start)
    assert main(["train", str(config), "--force"]) == 0
    assert (tmp_path / "out" / "log.csv").read_text().splitlines()[0] == rows[0]
    Committee.of([nnp.load(start)] * 2).save(tmp_path / "two.nnp")
    capsys.readouterr()
    assert main(["train", str(config), "--from", str(tmp_path / "two.nnp"), "--force"]) == 1
    assert "is a committee: name one of its members" in capsys.readouterr().err


def test_a_bent_scaled_output_is_refused(tmp_path):
    potential = teacher(("Si",))
    model = potential.models[0]
    bent = Network(model.network.weights, model.network.biases, [Activation.TANH] * 3)
    path = tmp_path / "bent.nnp"
    replace(potential, models=(replace(model, network=bent),), energy_scale=2.0).save(path)
    with pytest.raises(
        OptionError, match=r"bent.nnp: the output of Si's network is non-linear and scaled"
    ):
        task_from(path, ("Si",))


def test_learned_moments_go_on_with_a_new_element(tmp_path):
    """Their radial series stay as they were learned; functions that see carbon begin at zero."""
    moments = GeneratedMoments(cutoff=4.5, radial=4, angular=2, l=2)
    made = settings(
        functions=FunctionSettings(generate=moments),
        run=RunSettings(epochs=1, output=str(tmp_path / "first")),
    )
    data = dataset(("H", "O"))
    first = Trainer(made, build(made, data, Dataset(()), quiet=True), quiet=True).run().last
    run = RunSettings(output=str(tmp_path), from_=str(tmp_path / "first" / "last.nnp"))
    task = build(replace(made, run=run), dataset(("C", "H", "O")), Dataset(()), quiet=True)
    begun = task.model.potential(task.theta)
    assert len(begun.models[0].functions) > len(first.models[0].functions)
    assert_same(first, begun, [frame.structure for frame in data])
