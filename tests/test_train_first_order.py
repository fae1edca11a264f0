"""Adam and its kin against autograd; averages, batches by atoms, schedules by step, L-BFGS last."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from train_data import dataset, objective, settings, task  # noqa: E402

from nnp.errors import OptionError  # noqa: E402
from nnp.train.data.dataset import Dataset  # noqa: E402
from nnp.train.fit.batches import batches, steps_of_epoch  # noqa: E402
from nnp.train.fit.checkpoint import read_checkpoint  # noqa: E402
from nnp.train.fit.identity import fingerprint  # noqa: E402
from nnp.train.fit.optimizers import OptimizerSettings, make_optimizer  # noqa: E402
from nnp.train.fit.optimizers.base import ScheduleKind, ScheduleSettings  # noqa: E402
from nnp.train.fit.optimizers.first_order import GradientSettings, LbfgsSettings  # noqa: E402
from nnp.train.fit.settings import RunSettings  # noqa: E402
from nnp.train.fit.task import build  # noqa: E402
from nnp.train.fit.trainer import CHECKPOINT, Trainer  # noqa: E402


def autograd_loss(made, theta, batch, energy, forces):
    """The loss by its definition: networks layer by layer, forces from the full Jacobian."""
    errors_e, errors_f = [], []
    for sample in batch:
        total, force = theta.new_zeros(()), theta.new_zeros(3 * len(sample))
        columns = made.model.maker.columns(sample, np.arange(3 * len(sample)))
        for e, network in enumerate(made.model.networks):
            x = sample.inputs[e].clone().requires_grad_()
            layer, (weights, biases) = x, network.unpack(theta)
            for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
                layer = layer @ weight + bias
                layer = torch.tanh(layer) if number + 1 < len(weights) else layer
            (slope,) = torch.autograd.grad(layer.sum(), x, create_graph=True)
            total = total + layer.sum()
            force = force - (columns[e].values * slope[columns[e].centers]).sum((1, 2))
        offsets = {m.symbol: m.energy_offset for m in made.model.template.models}
        total = total + sum(offsets[s] for s in sample.frame.structure.symbols)
        weight = sample.frame.weight
        errors_e.append(weight * ((total - sample.frame.energy) / len(sample)) ** 2)
        wanted = torch.from_numpy(np.array(sample.frame.forces)).ravel()
        errors_f.append(weight * (force - wanted) ** 2)
    return energy * torch.stack(errors_e).mean() + forces * torch.cat(errors_f).mean()


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_steps_are_those_of_torch_with_autograd(kind):
    """Three steps with a clipped gradient, decoupled decay and an average."""
    made = task(("H", "O"))
    constants = GradientSettings(rate=0.01, weight_decay=0.1, clip=0.7, average=0.5)
    settings_ = OptimizerSettings(kind, gradient=constants)
    ours = make_optimizer(settings_, len(made.theta), 1, 0, torch.float64)
    theta, aim = made.theta, objective(made, energy=3.0, forces=2.0)
    parameter = torch.nn.Parameter(made.theta.clone())
    make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
    theirs = make([parameter], lr=0.01, weight_decay=0.1 if kind == "adamw" else 0.0)
    average = None
    for step in range(3):
        theta = ours.step(theta, aim, made.train[:3])
        theirs.zero_grad()
        autograd_loss(made, parameter, made.train[:3], 3.0, 2.0).backward()
        assert float(torch.nn.utils.clip_grad_norm_([parameter], 0.7)) > 0.7  # it is clipped
        theirs.step()
        np.testing.assert_allclose(theta.numpy(), parameter.detach().numpy(), rtol=1e-9, atol=1e-12)
        decay = min(0.5, (1 + step) / (10 + step))
        average = theta if average is None else decay * average + (1 - decay) * theta
    np.testing.assert_allclose(ours.judged(theta).numpy(), average.numpy(), rtol=1e-12)
    assert not torch.equal(ours.judged(theta), theta)


def test_batches_by_atoms_hold_every_structure_once():
    rng = np.random.default_rng(0)
    atoms = rng.integers(1, 9, 50)
    chosen = OptimizerSettings("adam", batch_atoms=20)
    order = rng.permutation(50).tolist()
    parts = list(batches(order, atoms, chosen))
    assert [n for part in parts for n in part] == order
    assert max(atoms[part].sum() for part in parts) <= 20
    assert abs(steps_of_epoch(chosen, atoms) - len(parts)) <= 2
    with pytest.raises(OptionError, match="batch_atoms = 0: 1 or more"):
        OptimizerSettings("adam", batch_atoms=0)


def test_rate_by_step_rises_and_falls():
    schedule = ScheduleSettings(ScheduleKind.COSINE, final=0.01, warmup=1, by_step=True)
    found = [schedule.at_step(step, 10, 4) for step in range(40)]
    assert found[0] == pytest.approx(1 / 11)
    assert np.argmax(found) in range(7, 12)
    assert found[-1] == pytest.approx(0.01, abs=0.003)
    assert np.all(np.diff(found[12:]) < 0)


def recipe(folder, epochs):
    """Everything at once; L-BFGS for the last two of six epochs."""
    chosen = settings(
        folder,
        optimizer=OptimizerSettings(
            "adam",
            batch_atoms=14,
            finish=2,
            gradient=GradientSettings(rate=5e-3, average=0.8, clip=100.0),
            lbfgs=LbfgsSettings(4, history=5),
        ),
        schedule=ScheduleSettings(ScheduleKind.COSINE, warmup=1, by_step=True),
        run=RunSettings(epochs=6, seed=3, output=str(folder)),
    )
    data = dataset(count=6)
    built = build(chosen, data.subset(range(5)), data.subset([5]), quiet=True)
    trainer = Trainer(chosen, built, quiet=True)
    if epochs < 6:  # as a kill leaves it
        one = trainer._one_epoch
        trainer._one_epoch = lambda *a: one(*a) if trainer._epoch < epochs else stop(trainer)
    return chosen, built, trainer


def stop(trainer):
    trainer._stopped = "killed"


@pytest.mark.parametrize("epochs", [3, 5])
def test_average_and_last_stage_resume_bit_for_bit(tmp_path, epochs):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    result = recipe(whole, 6)[2].run()
    recipe(halves, epochs)[2].run()
    chosen, built, second = recipe(halves, 6)
    second.run(resume=True)
    key = fingerprint(chosen, built)
    once, twice = (read_checkpoint(folder / CHECKPOINT, key) for folder in (whole, halves))
    assert torch.equal(once.theta, twice.theta)
    for name, array in once.optimizer.items():
        np.testing.assert_array_equal(array, twice.optimizer[name])
    assert (whole / "last.nnp").read_bytes() == (halves / "last.nnp").read_bytes()
    losses = [row["train_loss"] for row in result.rows]
    assert losses[5] < losses[4] < losses[3]  # those of L-BFGS, from where Adam was


def test_errors_and_models_are_of_the_average(tmp_path):
    chosen, built, _ = recipe(tmp_path, 6)
    chosen = replace(chosen, optimizer=replace(chosen.optimizer, finish=0))
    result = Trainer(chosen, built, quiet=True).run()
    saved = read_checkpoint(tmp_path / CHECKPOINT, fingerprint(chosen, built))
    average = torch.from_numpy(saved.optimizer["average"])
    assert not torch.equal(average, saved.theta)
    wanted = built.model.potential(average).models[0].network.weights[1]
    np.testing.assert_array_equal(result.last.models[0].network.weights[1], wanted)
    aim = objective(built)
    assert result.rows[-1]["train_loss"] == pytest.approx(aim.value(average, built.train))


def test_products_in_float32_are_near_those_in_float64():
    both = []
    for dtype in ("float64", "float32"):
        chosen = settings(run=RunSettings(dtype=dtype))
        both.append(build(chosen, dataset(("H", "O")), Dataset(()), quiet=True))
    wanted, found = (b.model.predict(b.theta, b.train[:1])[0].forces for b in both)
    assert both[1].model.maker.products.dtype == "float32"
    scale = float(wanted.abs().max())
    np.testing.assert_allclose(found.double().numpy(), wanted.numpy(), rtol=0, atol=2e-5 * scale)
    assert not np.allclose(found.double().numpy(), wanted.numpy(), rtol=0, atol=1e-9 * scale)
