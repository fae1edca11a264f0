"""The Kalman filter's covariance against the formula on a full matrix."""

import numpy as np
import pytest
import torch

from nnp.train.fit.optimizers import covariance as covariance_file
from nnp.train.fit.optimizers.covariance import PENDING, Covariance

P = 40
STEPS = [1, 1, 16, 17, PENDING, 1, PENDING + 1, 1]


def rows_of(m, rng, dtype=torch.float64):
    return torch.from_numpy(rng.normal(size=(m, P))).to(dtype)


def take_off(covariance, dense, m, rng, dtype=torch.float64):
    """Take m rows off both; what the formula makes of the matrix."""
    half = 0.1 * rows_of(m, rng, dtype)
    covariance.reduce(half, 0.9, 0.01)
    h = half.double().numpy()
    return (dense - h.T @ h) / 0.9 + 0.01 * np.eye(P)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_products_with_few_and_many_rows(dtype, tolerance):
    rng = np.random.default_rng(0)
    covariance = Covariance(0.7, P, dtype)
    dense = 0.7 * np.eye(P)
    for m in STEPS:  # products while rows wait, of every way to compute them
        dense = take_off(covariance, dense, m, rng, dtype)
        for count in (1, 3, 16, 17, 49):
            rows = rows_of(count, rng, dtype)
            found = covariance.times(rows).double().numpy()
            np.testing.assert_allclose(
                found, rows.double().numpy() @ dense, rtol=tolerance, atol=tolerance * dense.max()
            )


def test_dense_matrix_is_whole_and_symmetric():
    rng = np.random.default_rng(1)
    covariance = Covariance(1.0, P, torch.float64)
    dense = np.eye(P)
    for m in STEPS:
        dense = take_off(covariance, dense, m, rng)
    found = covariance.dense().numpy()
    np.testing.assert_allclose(found, dense, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(found, found.T)


def test_restored_rows_wait_on():
    rng = np.random.default_rng(2)
    first = Covariance(1.0, P, torch.float64)
    for m in (PENDING + 1, 1, 3):
        first.reduce(0.1 * rows_of(m, rng), 0.95, 0.02)
    state = {name: value.copy() for name, value in first.state().items()}
    assert len(state["pending"]) == 4
    second = Covariance(5.0, P, torch.float64)
    second.restore(state)
    more = 0.1 * rows_of(1, rng)
    for covariance in (first, second):
        covariance.reduce(more, 0.95, 0.02)
    rows = rows_of(2, rng)
    np.testing.assert_array_equal(first.times(rows).numpy(), second.times(rows).numpy())
    np.testing.assert_array_equal(first.dense().numpy(), second.dense().numpy())


def test_state_is_no_copy_and_restores_where_both_halves_are_kept(monkeypatch):
    rng = np.random.default_rng(3)
    first = Covariance(1.0, P, torch.float64)
    for m in (PENDING + 1, 1):
        first.reduce(0.1 * rows_of(m, rng), 0.95, 0.02)
    state = first.state()
    assert np.shares_memory(state["lower"], first.state()["lower"])
    monkeypatch.setattr(covariance_file, "_kept", lambda _: "covariance")  # as on a device
    second = Covariance(5.0, P, torch.float64)
    second.restore(state)
    found = second.state()["covariance"]
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.tril(found), np.tril(state["lower"]))
