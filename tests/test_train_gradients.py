"""Every derivative that a fit uses, against finite differences and the reference engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from train_data import dataset, directional_slope, objective, settings, task

from nnp.engines.cpu import CpuEngine
from nnp.functions import canonical_order
from nnp.networks import Activation
from nnp.testing import FAMILIES, random_functions
from nnp.train.data.dataset import Dataset
from nnp.train.fit import choosing as choosing_module
from nnp.train.fit.initial import NetworkSettings
from nnp.train.fit.network import AtomicNetwork, activation_derivatives
from nnp.train.fit.task import build
from nnp.train.inputs import products
from nnp.train.inputs.functions import FunctionSettings
from nnp.train.inputs.products import VOIGT, DescriptorProducts
from nnp.train.inputs.prune import PruneSettings
from nnp.train.inputs.transform import InputSettings

# Four-point differences with h = 1e-5: rounding 1e-16 L / h, some 1e-10 relative to the loss.
RTOL = 1e-7

LOSSES = {
    "energy": {"energy": 3.0, "forces": 0.0},
    "forces": {"energy": 0.0, "forces": 2.0},
    "stress": {"energy": 0.0, "forces": 0.0, "stress": 5.0},
    "huber_energy": {"energy": 3.0, "forces": 0.0, "kind": "huber", "delta": 0.3},
    "huber_forces": {"energy": 0.0, "forces": 2.0, "kind": "huber", "delta": 0.3},
    "huber_stress": {"energy": 0.0, "forces": 0.0, "stress": 5.0, "kind": "huber", "delta": 0.01},
    "l2": {"energy": 1e-9, "forces": 0.0, "l2": 0.1},
    "all": {"energy": 3.0, "forces": 2.0, "stress": 5.0, "l2": 0.01},
}


@pytest.fixture(scope="module")
def built():
    loss = objective_settings(stress=1.0)
    return {e: task(e, loss=loss) for e in (("Si",), ("H", "O"))}


def objective_settings(**weights):
    from nnp.train.fit.loss import LossSettings

    return LossSettings(**weights)


@pytest.mark.parametrize("elements", [("Si",), ("H", "O")], ids="-".join)
@pytest.mark.parametrize("name", LOSSES)
def test_gradient_of_the_loss(built, elements, name):
    made = built[elements]
    aim = objective(made, **LOSSES[name])
    value, gradient = aim.value_and_gradient(made.theta, made.train)
    assert value == pytest.approx(aim.value(made.theta, made.train), rel=1e-12)
    assert float(gradient.abs().max()) > 1e-6
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        direction = torch.randn(len(gradient), generator=generator, dtype=torch.float64)
        slope = directional_slope(lambda t: aim.value(t, made.train), made.theta, direction)
        assert float(gradient @ direction) == pytest.approx(slope, rel=RTOL, abs=RTOL * value)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradient_of_the_loss_with_every_kind_of_function(family, monkeypatch):
    elements = ("H", "O")
    own = canonical_order(random_functions(elements, np.random.default_rng(1), (family,)))
    monkeypatch.setattr(
        choosing_module, "choose_functions", lambda *_: dict.fromkeys(elements, tuple(own))
    )
    unpruned = FunctionSettings(prune=PruneSettings("none"))
    chosen = settings(functions=unpruned, loss=objective_settings(stress=1.0))
    made = build(chosen, dataset(elements, count=1), Dataset(()), quiet=True)
    aim = objective(made, **LOSSES["all"])
    value, gradient = aim.value_and_gradient(made.theta, made.train)
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(len(gradient), generator=generator, dtype=torch.float64)
    slope = directional_slope(lambda t: aim.value(t, made.train), made.theta, direction)
    assert abs(slope) > 1e-3
    assert float(gradient @ direction) == pytest.approx(slope, rel=RTOL, abs=RTOL * value)


def test_huber_by_hand():
    """x² up to δ, then a straight line that goes on from there."""
    loss = objective_settings(kind="huber", delta=0.5)
    errors = torch.tensor([0.5, 0.6, 2.0, -2.0], dtype=torch.float64)
    np.testing.assert_allclose(loss.rho(errors), [0.25, 0.35, 1.75, 1.75])
    np.testing.assert_allclose(loss.slope(errors), [1.0, 1.0, 1.0, -1.0])


@pytest.mark.parametrize("elements", [("Si",), ("H", "O")], ids="-".join)
@pytest.mark.parametrize("name", [name for name in LOSSES if name != "l2"])
def test_residuals_are_the_loss(built, elements, name):
    """Σ r² is the loss and −2 Jᵀ r its gradient; Huber's loss has the gradient only."""
    made = built[elements]
    aim = objective(made, **(LOSSES[name] | {"l2": 0.0}))
    counts = aim.counts(made.train)
    value, gradient = aim.value_and_gradient(made.theta, made.train)
    parts = [aim.residuals(made.theta, sample, counts) for sample in made.train]
    if not name.startswith("huber"):
        assert sum(float(p.values @ p.values) for p in parts) == pytest.approx(value, rel=1e-12)
    from_rows = -2 * sum(p.jacobian.T @ p.values for p in parts)
    torch.testing.assert_close(from_rows, gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mode", ["none", "center", "scale", "scale_center", "scale_sigma"])
@pytest.mark.parametrize("decorrelate", [False, True])
def test_the_finished_potential_predicts_what_the_fit_saw(mode, decorrelate):
    inputs = InputSettings(mode, -0.3, 0.9, decorrelate)
    made = task(("H", "O"), inputs=inputs, loss=objective_settings(stress=1.0))
    potential = made.model.potential(made.theta)
    for sample, seen in zip(made.train, made.model.predict(made.theta, made.train), strict=True):
        found = potential.evaluate(sample.frame.structure, "reference", stress=True)
        assert float(seen.energy) == pytest.approx(found.energy, rel=1e-10)
        np.testing.assert_allclose(seen.forces.numpy(), found.forces, rtol=0, atol=1e-9)
        np.testing.assert_allclose(seen.stress.numpy(), found.stress, rtol=0, atol=1e-9)


def test_stored_columns_are_those_computed():
    made = task(("H", "O"))
    sample = made.train[0]
    assert sample.columns is not None
    components = np.array([0, 4, 17])
    stored = made.model.maker.columns(sample, components)
    computed = made.model.maker.columns(replace(sample, columns=None), components)
    aim = objective(made)
    for columns in (stored, computed):
        assert all(len(c.centers) == 3 for c in columns)
    counts = aim.counts([sample])
    rows = [
        aim.residuals(made.theta, s, counts, components)
        for s in (sample, replace(sample, columns=None))
    ]
    torch.testing.assert_close(rows[0].jacobian, rows[1].jacobian, rtol=0, atol=1e-12)


def test_columns_of_atoms_that_do_not_all_feel_a_component():
    """A larger box, more columns than are computed at once: which atom a row is of matters."""
    data = dataset(("H", "O"), count=1, n=24)
    made = build(settings(), data, Dataset(()), quiet=True)
    (sample,) = made.train
    for own, atoms in zip(sample.columns, sample.place.atoms, strict=True):
        assert own.centers.shape[1] < len(atoms)
        assert (own.centers != own.centers[0]).any()
    assert len(own.centers) > products._AT_ONCE
    bare, maker = replace(sample, columns=None), made.model.maker
    gradients = [trace.gradient for trace in made.model.traces(made.theta, [sample])]
    by_columns, by_product = (maker.forces(s, gradients) for s in (sample, bare))
    torch.testing.assert_close(by_columns, by_product, rtol=0, atol=1e-12)
    aim = objective(made)
    components = np.array([70, 0, 33, 71])
    counts = aim.counts([sample])
    rows = [aim.residuals(made.theta, s, counts, components) for s in (sample, bare)]
    torch.testing.assert_close(rows[0].values, rows[1].values, rtol=0, atol=1e-12)
    torch.testing.assert_close(rows[0].jacobian, rows[1].jacobian, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_products_with_the_jacobian(family):
    """Columns, J v and Jᵀ v agree, and J v is the change of the functions."""
    elements = ("H", "O")
    functions = tuple(random_functions(elements, np.random.default_rng(1), (family,)))
    made = DescriptorProducts(dict.fromkeys(elements, functions))
    structure = dataset(elements, count=1)[0].structure
    place = made.place(structure)
    generator = torch.Generator().manual_seed(2)
    v = torch.randn(structure.positions.shape, generator=generator, dtype=torch.float64)
    values = made.descriptors(place)
    w = [torch.randn(g.shape, generator=generator, dtype=torch.float64) for g in values]
    jv = made.jvp(place, v)
    back = float((made.vjp(place, w) * v).sum())
    assert sum(float((a * b).sum()) for a, b in zip(w, jv, strict=True)) == pytest.approx(back)

    def moved(t):
        positions = structure.positions + t * v.numpy()
        found = made.descriptors(made.place(replace(structure, positions=positions)))
        return torch.cat([g.reshape(-1) for g in found])

    h = 1e-5
    change = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
    flat = torch.cat([part.reshape(-1) for part in jv])
    size = float(change.abs().max())
    torch.testing.assert_close(flat, change, rtol=0, atol=1e-6 * size)
    for found, wanted in zip(made.columns(place, np.arange(v.numel())), jv, strict=True):
        total = torch.zeros_like(wanted)
        weighted = found.values * v.reshape(-1)[:, None, None]
        total.index_put_((found.centers,), weighted, accumulate=True)
        torch.testing.assert_close(total, wanted, rtol=0, atol=1e-12 * size)


def test_strain_derivative_agrees_with_the_engine():
    """Contracted with dE/dG it is the virial that the engine's product returns."""
    elements = ("H", "O")
    made = DescriptorProducts(
        dict.fromkeys(elements, tuple(random_functions(elements, np.random.default_rng(1))))
    )
    structure = dataset(elements, count=1)[0].structure
    place = made.place(structure)
    w = [
        torch.linspace(-1, 1, g.numel()).reshape(g.shape).double() for g in made.descriptors(place)
    ]
    rows = made.strain(place)
    found = sum(torch.einsum("vns,ns->v", r, own).numpy() for r, own in zip(rows, w, strict=True))
    flat = torch.cat([own.reshape(-1) for own in w])[place.back]
    _, virial = CpuEngine(made._potential).descriptor_vjp(structure, flat.numpy(), True)
    wanted = np.array([(virial[a, b] + virial[b, a]) / 2 for a, b in VOIGT])
    np.testing.assert_allclose(found, wanted, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize("name", list(Activation))
def test_derivatives_of_activations(name):
    z = torch.linspace(-2.1, 2.3, 12, dtype=torch.float64)
    value, slope, curvature = activation_derivatives(z, name)
    h = 1e-4
    up, down = (activation_derivatives(z + s, name) for s in (h, -h))
    torch.testing.assert_close(slope, (up[0] - down[0]) / (2 * h), rtol=0, atol=1e-7)
    torch.testing.assert_close(curvature, (up[1] - down[1]) / (2 * h), rtol=0, atol=1e-7)
    assert value.shape == z.shape


@pytest.mark.parametrize("activation", ["t", "p", "g", "l"])
@pytest.mark.parametrize("hidden", [(), (3,), (4, 3, 2)])
def test_network_with_no_or_many_hidden_layers(hidden, activation):
    made = task(network=NetworkSettings(hidden, activation))
    aim = objective(made, energy=1.0, forces=1.0)
    _, gradient = aim.value_and_gradient(made.theta, made.train)
    direction = torch.ones_like(gradient)
    slope = directional_slope(lambda t: aim.value(t, made.train), made.theta, direction)
    assert float(gradient.sum()) == pytest.approx(slope, rel=1e-6)


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="one activation per layer"):
        AtomicNetwork((3, 4, 1), ["t"])


def test_float32_is_close():
    from nnp.train.fit.settings import RunSettings

    double = task()
    single = task(run=RunSettings(dtype="float32", seed=3))
    assert single.theta.dtype is torch.float32
    values = [objective(m).value(m.theta, m.train) for m in (double, single)]
    assert values[1] == pytest.approx(values[0], rel=1e-4)
    assert settings().run.dtype == "float64"
