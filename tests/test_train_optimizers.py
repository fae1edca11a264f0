"""Optimisers against textbook forms, least squares, and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from train_data import objective, task

from nnp.networks import Activation
from nnp.train.fit.initial import Initialisation, NetworkSettings, initial_network
from nnp.train.fit.network import AtomicNetwork
from nnp.train.fit.optimizers import KINDS, OptimizerSettings, make_optimizer
from nnp.train.fit.optimizers.base import ScheduleKind, ScheduleSettings
from nnp.train.fit.optimizers.first_order import GradientSettings, LbfgsSettings
from nnp.train.fit.optimizers.kalman import Kalman, KalmanSettings
from nnp.train.fit.optimizers.levenberg_marquardt import (
    LevenbergMarquardt,
    LevenbergMarquardtSettings,
)

LINEAR = NetworkSettings(hidden=(), activation=Activation.IDENTITY)


def kalman(n, **constants):
    return Kalman(KalmanSettings(**constants), n, 1, 0, torch.float64)


@pytest.mark.parametrize("fading", [True, False])
def test_kalman_filter_against_the_textbook(fading):
    """Dense matrices, explicit inverse, one formula per line."""
    rng = np.random.default_rng(0)
    n, noise, q, rate = 7, 0.3, 0.01, 0.98
    filter_ = kalman(
        n,
        fading=fading,
        forgetting=0.9,
        forgetting_rate=rate,
        noise=noise,
        process_noise=q,
        covariance=2.0,
    )
    theta, P = rng.normal(size=n), 2.0 * np.eye(n)
    moved = torch.from_numpy(theta.copy())
    forgetting = 0.9 if fading else 1.0
    for m in (1, 3, 5, 12, 17, 1, 40, 2):  # rows wait, are settled, and wait again
        xi, H = rng.normal(size=m), rng.normal(size=(m, n))
        moved = filter_.update(moved, torch.from_numpy(xi), torch.from_numpy(H))
        A = np.linalg.inv(forgetting * noise * np.eye(m) + H @ P @ H.T)
        K = P @ H.T @ A
        theta = theta + K @ xi
        P = (P - K @ H @ P) / forgetting + (0.0 if fading else q * np.eye(n))
        if fading:
            forgetting = rate * forgetting + 1 - rate
        np.testing.assert_allclose(moved.numpy(), theta, rtol=1e-10)
    np.testing.assert_allclose(filter_.covariance.numpy(), P, rtol=0, atol=1e-12)


def test_kalman_noise_decays_to_its_floor():
    filter_ = kalman(2, fading=False, noise=1.0, noise_decay=1.0, noise_min=0.1)
    xi, H = torch.ones(1, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    filter_._steps = 50
    moved = filter_.update(torch.zeros(2, dtype=torch.float64), xi, H)
    np.testing.assert_allclose(moved.numpy(), 1 / 2.1)  # P Hᵀ / (H P Hᵀ + 0.1)


def least_squares(made, aim):
    """Minimum of the loss of a network without hidden layers, by numpy."""
    counts = aim.counts(made.train)
    zero = torch.zeros_like(made.theta)
    rows = [aim.residuals(zero, sample, counts) for sample in made.train]
    J = torch.cat([r.jacobian for r in rows]).numpy()
    r = torch.cat([r.values for r in rows]).numpy()
    solution = np.linalg.lstsq(J, r)[0]
    return float(np.sum((r - J @ solution) ** 2))


def test_linear_network_meets_least_squares_in_one_step():
    made = task(network=LINEAR)
    aim = objective(made, energy=3.0, forces=2.0)
    settings = OptimizerSettings("levenberg_marquardt")
    optimizer = make_optimizer(settings, len(made.theta), 4, 0, torch.float64)
    optimizer._damping = 1e-12
    theta = optimizer.step(made.theta, aim, made.train)
    assert aim.value(theta, made.train) == pytest.approx(least_squares(made, aim), rel=1e-6)


def test_linear_network_with_l2_meets_ridge_regression_in_one_step():
    made = task(network=LINEAR)
    aim = objective(made, energy=3.0, forces=2.0, l2=0.1)
    optimizer = LevenbergMarquardt(LevenbergMarquardtSettings(damping=1e-12))
    _, before = aim.value_and_gradient(made.theta, made.train)
    theta = optimizer.step(made.theta, aim, made.train)
    _, after = aim.value_and_gradient(theta, made.train)
    assert float(after.norm()) < 1e-8 * float(before.norm())


def test_kalman_draws_other_components_in_every_step(monkeypatch):
    made = task()
    aim = objective(made)
    filter_ = Kalman(KalmanSettings(candidates=2), len(made.theta), 1, 0, torch.float64)
    draw, drawn = filter_._candidates, []
    noted = lambda *a: drawn.append(draw(*a)) or drawn[-1]  # noqa: E731
    monkeypatch.setattr(filter_, "_candidates", noted)
    theta = made.theta
    for _ in range(6):
        theta = filter_.step(theta, aim, made.train[:1])
    assert len({tuple(components) for components in drawn}) > 3


def test_kalman_filter_solves_a_linear_network():
    """Without forgetting and with little noise one pass is recursive least squares."""
    made = task(network=LINEAR)
    aim = objective(made, energy=3.0, forces=2.0)
    settings = KalmanSettings(
        fading=False, noise=1e-7, noise_min=1e-9, covariance=1e3, candidates=None
    )
    theta = Kalman(settings, len(made.theta), 1, 0, torch.float64).step(made.theta, aim, made.train)
    wanted = least_squares(made, aim)
    assert aim.value(theta, made.train) == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(
    ("method", "bounds"),
    [
        ("uniform", (1.0, 1.0, None)),
        ("per_input", (1 / 400, 1 / 300, 1 / 200)),
        ("inputs", ((3 / 401) ** 0.5, (3 / 301) ** 0.5, (3 / 201) ** 0.5)),
    ],
)
def test_initial_weights_within_their_bounds(method, bounds):
    network = AtomicNetwork((400, 300, 200, 1), (Activation.TANH,) * 2 + (Activation.IDENTITY,), 0)
    drawn = initial_network(network, Initialisation(method), np.random.default_rng(0))
    for weights, biases, bound in zip(drawn.weights, drawn.biases, bounds, strict=True):
        if bound is None:  # starts from the reference energies
            continue
        for values in (weights, biases):
            assert np.abs(values).max() <= bound
        assert np.abs(weights).max() > 0.97 * bound
        assert weights.std() == pytest.approx(bound / 3**0.5, rel=0.2)
        assert abs(weights.mean()) < 0.15 * bound


def test_nguyen_and_widrow_spread_the_neurons():
    network = AtomicNetwork((2, 50, 1), (Activation.TANH, Activation.IDENTITY), 0)
    drawn = initial_network(network, Initialisation.NGUYEN_WIDROW, np.random.default_rng(0))
    length = 0.7 * 50 ** (1 / 2)
    np.testing.assert_allclose(np.linalg.norm(drawn.weights[0], axis=0), length)
    assert 0.8 * length < np.abs(drawn.biases[0]).max() <= length


def test_kalman_filter_with_l2_meets_ridge_regression():
    """Few weights are all looked at in every step: the penalty is exact."""
    made = task(network=LINEAR)
    aim = objective(made, energy=3.0, forces=2.0, l2=0.1)
    settings = KalmanSettings(
        fading=False, noise=1e-7, noise_min=1e-9, covariance=1e3, candidates=None
    )
    filter_ = Kalman(settings, len(made.theta), 1, 0, torch.float64)
    _, before = aim.value_and_gradient(made.theta, made.train)
    _, after = aim.value_and_gradient(filter_.step(made.theta, aim, made.train), made.train)
    assert float(after.norm()) < 1e-5 * float(before.norm())


def test_penalty_of_many_weights_is_right_on_average():
    """Some weights are drawn in every step; all steps together add l2 to each of them."""
    made = task(network=NetworkSettings(hidden=(12,)))
    aim = objective(made, l2=0.1)
    filter_ = Kalman(KalmanSettings(), len(made.theta), 1, 0, torch.float64)
    total, steps = torch.zeros_like(made.theta), 600
    for step in range(steps):
        filter_._steps = step
        residuals, rows = filter_._penalty_rows(made.theta, aim, aim.loss.l2)
        torch.testing.assert_close(residuals, -rows @ made.theta)
        total += (rows**2).sum(0) / steps
    assert len(residuals) == 16
    _, diagonal = aim.penalty(made.theta)
    assert (total[diagonal == 0] == 0).all()  # biases
    np.testing.assert_allclose(total[diagonal > 0], diagonal[diagonal > 0], rtol=0.4)
    assert float(total.sum()) == pytest.approx(float(diagonal.sum()), rel=1e-10)


def test_penalty_is_a_share_of_the_loss():
    """Without l2 of the loss; errors a hundred times as large make it 10⁴ times as large."""
    made = task(network=NetworkSettings(hidden=(12,)))
    drawn = []
    for energy in (1.0, 1e4):
        aim = objective(made, energy=energy, forces=0.0)
        filter_ = Kalman(KalmanSettings(penalty=0.01), len(made.theta), 1, 0, torch.float64)
        rows = filter_._penalty_rows
        filter_._penalty_rows = lambda *a, make=rows: drawn.append(a[-1]) or make(*a)
        filter_.step(made.theta, aim, made.train)
        assert drawn[-1] == pytest.approx(0.01 * aim.value(made.theta, made.train))
    assert drawn[1] == pytest.approx(1e4 * drawn[0])
    filter_ = Kalman(KalmanSettings(penalty=0), len(made.theta), 1, 0, torch.float64)
    filter_._penalty_rows = None  # is not called
    filter_.step(made.theta, aim, made.train)


def test_the_filters_average_is_judged():
    """A resumed filter has it too; a step that failed is no part of it."""
    made = task()
    aim = objective(made)
    constants = KalmanSettings(average=0.998)
    one, same = (Kalman(constants, len(made.theta), 4, 0, torch.float64) for _ in range(2))
    theta = known = one.step(made.theta, aim, made.train[:1])
    for step in range(1, 12):
        theta = one.step(theta, aim, made.train[:1])
        known = known + (1 - min(0.998, (1 + step) / (10 + step))) * (theta - known)
    torch.testing.assert_close(one.judged(theta), known)
    same.restore(one.state())
    assert torch.equal(same.step(theta, aim, made.train), one.step(theta, aim, made.train))
    assert torch.equal(same.judged(theta), one.judged(theta))
    one._average.add(torch.full_like(theta, torch.nan))
    assert torch.equal(same.judged(theta), one.judged(theta))
    last = Kalman(KalmanSettings(average=0), len(made.theta), 4, 0, torch.float64)
    assert torch.equal(last.judged(theta), theta)


def test_covariance_of_directions_that_nothing_measures():
    """It grows e^20-fold; in float32 rounding then makes it indefinite, whatever θ's dtype."""
    n, rank = 40, 20
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0][:, :rank]
    truth = rng.normal(size=n)
    found = {}
    for dtype in (torch.float32, torch.float64):
        filter_ = Kalman(KalmanSettings(), n, 1, 0, dtype)
        theta = torch.zeros(n, dtype=torch.float32)
        for _ in range(1200):
            rows = rng.normal(size=(10, rank)) @ basis.T
            residuals = rows @ (truth - theta.numpy())
            theta = filter_.update(theta, *(torch.from_numpy(x).float() for x in (residuals, rows)))
        found[dtype] = theta
    assert not torch.isfinite(found[torch.float32]).all()
    assert found[torch.float64].dtype == torch.float32
    np.testing.assert_allclose(found[torch.float64].numpy() @ basis, truth @ basis, atol=1e-3)


RATES = {"adam": 3e-3, "adamw": 3e-3, "sgd": 1e-4, "rmsprop": 1e-3}


@pytest.mark.parametrize("kind", KINDS)
def test_every_optimiser_goes_down(kind):
    made = task()
    aim = objective(made, energy=1.0, forces=1.0)
    gradient = GradientSettings(rate=RATES.get(kind, 1e-3))
    settings = OptimizerSettings(kind, gradient=gradient, lbfgs=LbfgsSettings(5))
    optimizer = make_optimizer(settings, len(made.theta), len(made.train), 0, torch.float64)
    theta, first = made.theta, aim.value(made.theta, made.train)
    for _ in range(10):
        theta = optimizer.step(theta, aim, made.train)
    assert aim.value(theta, made.train) < 0.9 * first


@pytest.mark.parametrize("activation", Activation)
def test_the_filter_steps_with_every_activation(activation):
    """Autograd differentiates most of them, inside a step that keeps no books for it."""
    made = task(network=NetworkSettings(hidden=(5,), activation=activation))
    aim = objective(made, energy=1.0, forces=1.0)
    theta = Kalman(KalmanSettings(), len(made.theta), 4, 0, torch.float64).step(
        made.theta, aim, made.train[:1]
    )
    assert aim.value(theta, made.train[:1]) < aim.value(made.theta, made.train[:1])


def test_gradient_is_clipped():
    made = task()
    aim = objective(made)
    settings = OptimizerSettings("sgd", gradient=GradientSettings(rate=1.0, momentum=0, clip=1e-3))
    optimizer = make_optimizer(settings, len(made.theta), 4, 0, torch.float64)
    step = optimizer.step(made.theta, aim, made.train) - made.theta
    assert float(step.norm()) == pytest.approx(1e-3, rel=1e-4)


def test_kalman_takes_only_bad_components():
    made = task()
    aim = objective(made)
    settings = KalmanSettings(candidates=1, threshold=1.5)
    filter_ = Kalman(settings, len(made.theta), 1, 0, torch.float64)
    sample = made.train[0]
    traces = aim.model.traces(made.theta, [sample])
    (prediction,) = aim.model.predict_from(traces, [sample])
    error = np.abs(prediction.forces.numpy() - sample.frame.forces).ravel()
    bad = set(np.flatnonzero(error > 1.5 * np.sqrt(np.mean(error**2))))
    assert 0 < len(bad) < len(error)
    drawn = set()
    for step in range(20):
        filter_._steps = step
        drawn.add(int(filter_._candidates(aim, sample, traces)[0]))
    assert len(drawn) > 1
    assert drawn <= bad


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ScheduleKind.CONSTANT, [1, 1, 1]),
        (ScheduleKind.EXPONENTIAL, [1, 0.1, 0.01]),
        (ScheduleKind.COSINE, [1, 0.505, 0.01]),
        (ScheduleKind.STEP, [1, 0.5, 0.25]),
    ],
)
def test_schedules(kind, values):
    schedule = ScheduleSettings(kind, final=0.01, every=1, factor=0.5)
    np.testing.assert_allclose([schedule.at(epoch, 3) for epoch in range(3)], values)
    warm = ScheduleSettings(warmup=3)
    np.testing.assert_allclose([warm.at(e, 9) for e in range(5)], [0.25, 0.5, 0.75, 1, 1])


def test_loss_schedule_follows_the_learning_rate():
    """DeePMD's: from the first weights to the last ones as the rate falls."""
    from nnp.train.fit.loss import LossSettings

    loss = LossSettings(energy=1, forces=1000, schedule=True, energy_end=100, forces_end=1)
    assert (loss.at(1.0).energy, loss.at(1.0).forces) == (1, 1000)
    assert (loss.at(0.0).energy, loss.at(0.0).forces) == (100, 1)
    assert loss.at(0.5).forces == pytest.approx(500.5)
