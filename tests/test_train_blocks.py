"""A covariance in blocks: which weights share one, and the filter's formula on them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from nnp.networks import Activation  # noqa: E402
from nnp.train.fit.network import AtomicNetwork  # noqa: E402
from nnp.train.fit.optimizers.blocks import (  # noqa: E402
    MOST_NUMBERS,
    Decoupling,
    numbers_of,
    parameter_blocks,
    resolved,
)
from nnp.train.fit.optimizers.kalman import Kalman, KalmanSettings  # noqa: E402

PARTED = (Decoupling.ELEMENT, Decoupling.LAYER, Decoupling.NODE)


def networks(*sizes):
    """One per element, one after the other in θ."""
    found, at = [], 0
    for own in sizes:
        activations = [Activation.TANH] * (len(own) - 2) + [Activation.IDENTITY]
        found.append(AtomicNetwork(own, activations, at))
        at += found[-1].n_parameters
    return found, at


@pytest.mark.parametrize("decoupling", Decoupling)
def test_every_parameter_is_in_one_block(decoupling):
    found, p = networks((3, 4, 1), (5, 2, 3, 1))
    extra = 6  # of no network
    level = resolved(found, p + extra, decoupling)
    blocks = parameter_blocks(found, p + extra, level)
    everything = np.concatenate([block.ravel() for block in blocks])
    np.testing.assert_array_equal(np.sort(everything), np.arange(p + extra))


def test_a_node_is_a_neuron_with_all_that_goes_into_it():
    (network,), p = networks((3, 4, 2, 1))
    theta = torch.arange(p, dtype=torch.float64)
    weights, biases = network.unpack(theta)
    blocks = parameter_blocks([network], p, Decoupling.NODE)
    for block, weight, bias in zip(blocks, weights, biases, strict=True):
        wanted = torch.cat([weight, bias[None]]).T
        np.testing.assert_array_equal(theta[torch.from_numpy(block)].numpy(), wanted.numpy())
    layers = parameter_blocks([network], p, Decoupling.LAYER)
    counts = [(a + 1) * b for a, b in pairwise(network.sizes)]
    assert [layer.shape for layer in layers] == [(1, count) for count in counts]


@pytest.mark.parametrize("decoupling", PARTED)
@pytest.mark.parametrize("fading", [True, False])
def test_filter_in_blocks_against_the_textbook(decoupling, fading):
    """The formula on full matrices, of which what is between blocks is set to zero."""
    found, p = networks((2, 3, 1), (1, 2, 1))
    blocks = parameter_blocks(found, p, decoupling)
    within = np.zeros((p, p), bool)
    for member in (member for block in blocks for member in block):
        within[np.ix_(member, member)] = True
    rng = np.random.default_rng(1)
    constants = {"forgetting": 0.9, "forgetting_rate": 0.98, "noise": 0.3, "covariance": 2.0}
    settings = KalmanSettings(fading=fading, process_noise=0.01, **constants)
    filter_ = Kalman(settings, blocks, 1, 0, torch.float64)
    theta, P = rng.normal(size=p), 2.0 * np.eye(p)
    moved, forgetting = torch.from_numpy(theta.copy()), 0.9 if fading else 1.0
    for m in (1, 3, 20, 40, 2):
        xi, H = rng.normal(size=m), rng.normal(size=(m, p))
        moved = filter_.update(moved, torch.from_numpy(xi), torch.from_numpy(H))
        A = np.linalg.inv(forgetting * 0.3 * np.eye(m) + H @ P @ H.T)
        K = P @ H.T @ A
        theta = theta + K @ xi
        P = ((P - K @ H @ P) / forgetting + (0.0 if fading else 0.01 * np.eye(p))) * within
        forgetting = 0.98 * forgetting + 0.02 if fading else 1.0
        np.testing.assert_allclose(moved.numpy(), theta, rtol=1e-10)
    np.testing.assert_allclose(filter_.covariance.numpy(), P, rtol=0, atol=1e-12)
    again = Kalman(settings, blocks, 1, 0, torch.float64)
    again.restore({name: array.copy() for name, array in filter_.state().items()})
    np.testing.assert_array_equal(again.covariance.numpy(), filter_.covariance.numpy())


def test_many_weights_are_parted_until_the_matrices_are_small():
    small, p = networks((27, 24, 24, 1))
    assert resolved(small, p, Decoupling.AUTO) is Decoupling.NONE
    four, p = networks(
        *[(130, 32, 32, 1)] * 4
    )  # 5,281 weights of an element, 4,192 of its first layer
    assert resolved(four, p, Decoupling.AUTO) is Decoupling.NODE
    two, p = networks(*[(100, 28, 28, 1)] * 2)
    assert resolved(two, p, Decoupling.AUTO) is Decoupling.ELEMENT
    assert numbers_of(parameter_blocks(two, p, Decoupling.ELEMENT)) < MOST_NUMBERS
