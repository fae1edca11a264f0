"""optimizer.kind = "auto": Kalman for small fits, Adam for large ones; what is left as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from train_data import dataset, settings, write_config  # noqa: E402

import nnp  # noqa: E402
from nnp.cli import main  # noqa: E402
from nnp.errors import OptionError  # noqa: E402
from nnp.train.data.dataset import Dataset  # noqa: E402
from nnp.train.fit import recipe as module  # noqa: E402
from nnp.train.fit.choosing import choose  # noqa: E402
from nnp.train.fit.initial import NetworkSettings  # noqa: E402
from nnp.train.fit.loss import LossSettings  # noqa: E402
from nnp.train.fit.optimizers import OptimizerSettings, make_optimizer  # noqa: E402
from nnp.train.fit.optimizers.base import ScheduleKind, ScheduleSettings  # noqa: E402
from nnp.train.fit.optimizers.blocks import Decoupling  # noqa: E402
from nnp.train.fit.optimizers.first_order import GradientSettings  # noqa: E402
from nnp.train.fit.recipe import evaluation_seconds, kalman_step_seconds, recipe  # noqa: E402
from nnp.train.fit.settings import RunSettings  # noqa: E402
from nnp.train.inputs.functions import FunctionSettings  # noqa: E402
from nnp.train.inputs.moments import GeneratedMoments  # noqa: E402


@pytest.fixture(scope="module")
def chosen():
    return choose(settings(), dataset(("H", "O")), Dataset(()), quiet=True)


def auto(epochs=None, **optimizer):
    run = RunSettings(epochs=epochs, output="unused")
    return settings(run=run, optimizer=OptimizerSettings("auto", **optimizer))


def test_small_fits_are_the_filters(chosen):
    found = recipe(auto(), chosen)
    assert (found.settings.optimizer.kind, found.settings.run.passes) == ("kalman", 60)
    assert found.reason.startswith("optimiser: kalman, 60 epochs for ")
    assert recipe(auto(epochs=3), chosen).settings.run.passes == 3
    kept = settings()
    assert recipe(kept, chosen).settings is kept


def test_large_ones_are_adams(chosen, monkeypatch):
    monkeypatch.setattr(module, "_STEP", 1e6)
    found = recipe(auto(), chosen).settings
    assert (found.optimizer.kind, found.optimizer.gradient.average) == ("adam", 0.999)
    assert (found.schedule.kind, found.schedule.by_step) == (ScheduleKind.COSINE, True)
    assert found.run.passes == 400  # 24 atoms: one step an epoch, but no more epochs
    own = GradientSettings(rate=0.5)
    given = auto(epochs=7, gradient=own, batch=3)
    found = recipe(given, chosen).settings
    assert found.optimizer.gradient == own
    assert (found.optimizer.batch, found.optimizer.batch_atoms, found.run.passes) == (3, None, 7)
    assert found.schedule != ScheduleSettings()


def test_the_filter_is_parted_until_it_is_quick_enough(chosen, monkeypatch):
    wide = settings(
        network=NetworkSettings(hidden=(30, 30)),
        optimizer=OptimizerSettings("auto"),
        run=RunSettings(output="unused"),
    )
    taken = []
    fair = 15  # of the 60 epochs that are expected
    steps = [kalman_step_seconds(wide, chosen, level) for level in list(Decoupling)[1:]]
    rest = evaluation_seconds(wide, chosen) * len(chosen.frames)
    for step in steps:
        limit = 1.001 * fair * (step * chosen.n_train + rest)
        monkeypatch.setattr(module, "_LONGEST", limit)
        made = recipe(wide, chosen).settings
        assert made.run.passes == fair
        taken.append(made.optimizer.kalman.decoupling)
    assert taken == ["none", "element", "layer", "node"]


def test_the_filter_costs_what_its_covariance_has(chosen):
    small, large = (
        settings(network=NetworkSettings(hidden=hidden)) for hidden in ((5, 5), (35, 35))
    )
    cost = [kalman_step_seconds(s, chosen, Decoupling.NONE) for s in (small, large)]
    assert cost[1] > 1.2 * cost[0]
    assert kalman_step_seconds(large, chosen, Decoupling.NODE) < cost[1]
    learned = replace(small, functions=FunctionSettings(generate=GeneratedMoments(learn=True)))
    assert kalman_step_seconds(learned, chosen, Decoupling.NONE) > cost[0]


def test_the_time_that_is_given_decides(chosen):
    """Epochs, then blocks, then Adam; and a given number of epochs stays."""
    plenty = recipe(auto(), chosen).settings
    epoch = kalman_step_seconds(plenty, chosen, Decoupling.NONE) * chosen.n_train
    epoch += evaluation_seconds(plenty, chosen) * len(chosen.frames)
    within = replace(auto(), run=RunSettings(output="unused", max_time=20.5 * epoch / 0.8))
    found = recipe(within, chosen)
    assert (found.settings.optimizer.kind, found.settings.run.epochs) == ("kalman", 20)
    assert "(60 epochs would be " in found.reason
    short = replace(auto(), run=RunSettings(output="unused", max_time=3.5 * epoch / 0.8))
    found = recipe(short, chosen).settings
    assert (found.optimizer.kind, found.run.epochs) == ("kalman", 3)  # rather than Adam
    short = replace(auto(), run=RunSettings(output="unused", max_time=1.5 * epoch / 0.8))
    found = recipe(short, chosen).settings
    assert (found.optimizer.kind, found.run.epochs) == ("kalman", 1)
    short = replace(auto(), run=RunSettings(output="unused", max_time=epoch))
    found = recipe(short, chosen)
    assert (found.settings.optimizer.kind, found.settings.run.epochs < 400) == ("adam", True)
    assert "of a Kalman filter would take" in found.reason


def test_what_is_not_chosen_makes_no_optimiser():
    with pytest.raises(OptionError, match="'auto' is not resolved yet"):
        make_optimizer(OptimizerSettings("auto"), 3, 1, 0, torch.float64)


def test_command_says_why(tmp_path, capsys):
    config = write_config(tmp_path)
    config.write_text(config.read_text() + '\n[optimizer]\nkind = "auto"\n')
    assert main(["train", str(config), "--dry-run"]) == 0
    assert "optimiser: kalman, 2 epochs for " in capsys.readouterr().out
    assert main(["train", str(config)]) == 0
    assert "optimiser: kalman, 2 epochs for " in capsys.readouterr().err
    made = nnp.load(tmp_path / "out" / "best.nnp").provenance["settings"]
    assert (made["optimizer"]["kind"], made["run"]["epochs"]) == ("kalman", 2)
    assert main(["train", str(config), "--resume"]) == 0


def test_all_rows_of_a_step_are_counted(chosen):
    """Force components, energies, stresses, and weights that a penalty draws."""
    block = Decoupling.NONE
    plain = settings(optimizer=OptimizerSettings("auto"), loss=LossSettings(stress=0.0))
    seconds = kalman_step_seconds(plain, chosen, block)
    stressed = replace(plain, loss=LossSettings(stress=1.0))
    penalised = replace(plain, loss=LossSettings(stress=0.0, l2=1e-6))
    each = module._PER_NUMBER * module.n_parameters(plain, chosen) ** 2
    assert kalman_step_seconds(stressed, chosen, block) - seconds == pytest.approx(6 * each)
    assert kalman_step_seconds(penalised, chosen, block) - seconds == pytest.approx(16 * each)
