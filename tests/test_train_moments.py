"""The family `moments` made for a fit: its functions, their contraction, smoothness, settings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from train_data import dataset, directional_slope, objective, settings, task

from nnp.errors import OptionError
from nnp.functions import MomentPair, MomentSum, MomentTriple
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure
from nnp.train.config.tables import from_table
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.memory import memory_of
from nnp.train.fit.optimizers import OptimizerSettings, make_optimizer
from nnp.train.fit.optimizers.blocks import Decoupling, parameter_blocks
from nnp.train.inputs.functions import FunctionSettings, GeneratedFunctions
from nnp.train.inputs.moments import GeneratedMoments
from nnp.train.inputs.products import DescriptorProducts
from nnp.train.inputs.prune import PruneSettings

FREE = (np.zeros((3, 3)), np.zeros(3, bool))
SMALL = GeneratedMoments(cutoff=4.0, radial=3, angular=2, l=2)


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_few_inputs_whatever_the_number_of_elements(count):
    elements = ("H", "C", "N", "O", "Si", "Ti", "Fe", "Ni", "Cu", "Mo", "W", "Au")[:count]
    found = GeneratedMoments().for_elements(elements)
    assert {len(own) for own in found.values()} == {len(found["H"])}
    assert 70 < len(found["H"]) < 150
    for symbol in elements:
        seen = {s for f in found["H"] if isinstance(f, MomentPair) for s in f.neighbor_symbols}
        assert symbol in seen


def test_parts_of_the_set():
    own = SMALL.for_elements(("Si",))["Si"]
    counts = [
        sum(isinstance(f, kind) for f in own) for kind in (MomentSum, MomentPair, MomentTriple)
    ]
    assert counts == [3, 3 * 2, 4 + 3 * 2]  # g_k; n ≤ n' times l; (2,2,2), (1,1,2)
    flat = GeneratedMoments(radial=3, angular=2, l=2, four_body=False).for_elements(("Si",))["Si"]
    assert len(flat) == 9


def test_contraction_by_the_data():
    """g_n of the 3-body part have variance 1 and are uncorrelated over the data."""
    structures = [frame.structure for frame in dataset(("H", "O"), count=4)]
    own = SMALL.for_elements(("H", "O"), structures)["O"]
    (series,) = {f.series for f in own if isinstance(f, MomentPair)}
    numbers = ((0, 0), (0, 1), (1, 1))
    pairs = tuple(MomentPair(series, 1.0, *n, degree) for degree in (1, 2) for n in numbers)
    products = DescriptorProducts({"H": pairs, "O": pairs})
    values = [products.descriptors(products.place(s))[1].sum(0).numpy() for s in structures]
    spread = np.sum(values, axis=0).reshape(2, 3).sum(axis=0)
    np.testing.assert_allclose(spread, [1, 0, 1], atol=1e-10)
    without_data = SMALL.for_elements(("H", "O"))["O"]
    assert [f.numbers for f in without_data] == [f.numbers for f in own]
    assert without_data != own


def test_a_rare_element_is_looked_at():
    """One structure of many holds it: its functions are contracted all the same."""
    common = [frame.structure for frame in dataset(("Si",), count=2)] * 300
    (rare,) = (frame.structure for frame in dataset(("H", "Si"), count=1))
    own = SMALL.for_elements(("H", "Si"), [*common, rare])
    for functions in own.values():
        (series,) = {f.series for f in functions if isinstance(f, MomentPair)}
        assert (np.abs(series.coefficients).max(axis=(1, 2)) > 1e-3).all()


def sum_of(functions):
    """E = Σ functions of one element."""
    n = len(functions)
    zeros, ones = np.zeros(n), np.ones(n)
    network = Network((np.ones((n, 1)),), (np.zeros(1),), (Activation.IDENTITY,))
    scaling = Scaling(zeros, ones, zeros, ones, ScalingMode.NONE)
    return Potential((ElementModel("Si", functions, scaling, network),))


def test_second_derivatives_are_continuous_at_the_cutoff():
    """E ~ (r_c − r)³: the force falls with the square of the distance to the cutoff."""
    potential = sum_of(SMALL.for_elements(("Si",))["Si"])

    def force(gap):
        atoms = Structure(np.array([[0, 0, 0], [0, 0, 4.0 - gap]]), np.array([14, 14]), *FREE)
        return potential.evaluate(atoms, "reference").forces[1, 2]

    assert abs(force(0.5)) > 1e-2
    assert force(2e-3) / force(1e-3) == pytest.approx(4, rel=0.02)


def test_family_of_the_settings():
    table = {"generate": {"family": "moments", "cutoff": 6, "radial": 8, "l": 4, "four_body": True}}
    assert from_table(FunctionSettings, table, "functions").generate == GeneratedMoments()
    assert isinstance(from_table(FunctionSettings, {}, "functions").generate, GeneratedFunctions)
    behler = {"generate": {"family": "behler", "cutoff": 5.0}}
    assert from_table(FunctionSettings, behler, "functions").generate == GeneratedFunctions(5.0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"family": "moment"}, "functions.generate.family = 'moment': did you mean 'moments'"),
        ({"family": 3}, "functions.generate.family = 3 must be text"),
        ({"family": "moments", "angular": [{}]}, "functions.generate.angular = .* whole number"),
        ({"family": "moments", "l": 9}, "l = 9: 1 to 8"),
        ({"family": "moments", "l": 1}, "four_body = true with l = 1"),
        ({"family": "moments", "cutoff": -1.0}, "cutoff = -1.0: a positive number"),
        ({"family": "moments", "radial": 4}, "radial = 4, angular = 5, four_body_radial = 2"),
        ({"radial": 8}, r"functions.generate.radial\[0\]\] must be a table"),
    ],
)
def test_refused_settings(table, message):
    with pytest.raises(OptionError, match=message):
        from_table(FunctionSettings, {"generate": table}, "functions")


def learned(elements=("H", "O"), **changes):
    """A task whose coefficients are learned, some way from where they begin."""
    generate = GeneratedMoments(cutoff=4.0, radial=3, angular=2, l=2, learn=True)
    functions = FunctionSettings(generate=generate, prune=PruneSettings("none"))
    made = task(elements, functions=functions, loss=LossSettings(stress=1.0), **changes)
    generator = torch.Generator().manual_seed(1)
    moved = 0.3 * torch.randn(len(made.theta), generator=generator, dtype=torch.float64)
    return made, made.theta + moved


SETS = (("Si",), ("H", "O"), ("H", "C", "N", "O", "Si"))


@pytest.fixture(scope="module")
def both():
    return {elements: learned(elements) for elements in SETS}


@pytest.mark.parametrize("elements", SETS, ids="-".join)
def test_learned_coefficients_reach_the_potential(both, elements):
    """Energies, forces and stress of the fit are those of the finished potential."""
    made, theta = both[elements]
    potential = made.model.potential(theta)
    for sample in made.train[:2]:
        (found,) = made.model.predict(theta, [sample])
        for engine in ("reference", "cpu"):
            known = potential.evaluate(sample.frame.structure, engine, stress=True)
            assert float(found.energy) == pytest.approx(known.energy, rel=1e-10)
            np.testing.assert_allclose(found.forces, known.forces, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(found.stress, known.stress, rtol=1e-9, atol=1e-11)
    first = made.model.potential(made.theta)
    assert potential.models[0].functions != first.models[0].functions


@pytest.mark.parametrize("elements", SETS, ids="-".join)
def test_gradient_by_learned_coefficients(both, elements):
    made, theta = both[elements]
    aim = objective(made, energy=3.0, forces=2.0, stress=5.0, l2=0.01)
    _, gradient = aim.value_and_gradient(theta, made.train)
    for network in made.model.networks:
        direction = torch.zeros_like(theta)
        direction[network.learned] = torch.linspace(
            -1, 1, network.learned.stop - network.learned.start
        )
        slope = directional_slope(lambda t: aim.value(t, made.train), theta, direction)
        assert abs(slope) > 1e-3
        assert float(gradient @ direction) == pytest.approx(slope, rel=1e-7)
    direction = torch.linspace(-1, 1, len(theta), dtype=torch.float64)
    slope = directional_slope(lambda t: aim.value(t, made.train), theta, direction)
    assert float(gradient @ direction) == pytest.approx(slope, rel=1e-7)


@pytest.mark.parametrize("elements", SETS, ids="-".join)
def test_rows_by_learned_coefficients(both, elements):
    """What the filter takes: −2 Jᵀ r is the gradient, of all components and of some."""
    made, theta = both[elements]
    aim = objective(made, energy=3.0, forces=2.0, stress=5.0)
    counts = aim.counts(made.train)
    _, gradient = aim.value_and_gradient(theta, made.train)
    with torch.inference_mode():
        parts = [aim.residuals(theta, sample, counts) for sample in made.train]
        some = aim.residuals(theta, made.train[0], counts, np.array([4, 7]))
    rows = -2 * sum(p.jacobian.T @ p.values for p in parts)
    torch.testing.assert_close(rows, gradient, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(some.jacobian[1:3], parts[0].jacobian[[5, 8]], rtol=1e-9, atol=1e-11)


def test_memory_is_counted(both):
    """Bytes of inputs and pairs, as samples have them."""
    made, _ = both["H", "O"]
    generate = GeneratedMoments(cutoff=4.0, radial=3, angular=2, l=2, learn=True)
    functions = FunctionSettings(generate=generate, prune=PruneSettings("none"))
    counted = memory_of(settings(functions=functions, loss=LossSettings(stress=1.0)), made)
    known = sum(sample.nbytes for sample in made.train)
    assert counted.inputs + counted.columns == pytest.approx(known, rel=0.05)


@pytest.mark.parametrize("kind", ["kalman", "levenberg_marquardt", "lbfgs", "adam"])
def test_every_optimiser_learns_coefficients(kind):
    made, theta = learned(("Si",))
    aim, network = objective(made, energy=3.0, forces=2.0), made.model.networks[0]
    settings_ = OptimizerSettings(kind, batch=2)
    optimizer = make_optimizer(
        settings_, len(theta), len(made.train), 0, theta.dtype, networks=made.model.networks
    )
    found = theta.clone()
    for _ in range(5):
        batches = [made.train] if optimizer.full_batch else [made.train[:2], made.train[2:]]
        for batch in batches:
            found = optimizer.step(found, aim, batch)
    assert aim.value(found, made.train) < aim.value(theta, made.train)
    assert ((found - theta)[network.learned] != 0).all()
    blocks = parameter_blocks(made.model.networks, len(theta), Decoupling.NODE)
    assert sorted(np.concatenate([b.ravel() for b in blocks])) == list(range(len(theta)))


def test_covariance_of_coefficients_is_exact():
    """Coefficients and first weights can make up for each other: float32 is not enough."""
    made, _ = learned(("Si",))
    networks = {"moments": made.model.networks, "behler": task().model.networks}
    for family, dtype in (("moments", torch.float64), ("behler", torch.float32)):
        n = networks[family][-1].span.stop
        filter_ = make_optimizer(
            OptimizerSettings("kalman"), n, 1, 0, torch.float32, networks=networks[family]
        )
        assert filter_.covariance.dtype == dtype
        constants = filter_._settings
        expected = (2e-5, 0.998) if family == "moments" else (0.0, 0.0)
        assert (constants.penalty, constants.average) == expected
