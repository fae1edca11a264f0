"""How the Kalman filter's covariance is divided when one matrix of p² numbers is too much.

Weights of different blocks count as uncorrelated: P is block-diagonal, the innovation is the sum
of all blocks', so that every block still learns from one shared residual (decoupled extended
Kalman filter). By element, by layer, or by node, which is a neuron with its incoming weights.

Reference:
    Puskorius and Feldkamp, IEEE Trans. Neural Netw. 5, 279 (1994), doi:10.1109/72.279191.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nnp.train.fit.network import AtomicNetwork

# Of all blocks together, beyond which `AUTO` divides further: 320 MB in float64, and about 0.2 s
# for a step with 49 rows on one core.
MOST_NUMBERS = 40_000_000

# (b, s) indices into θ of b blocks with s parameters each.
Blocks = list[NDArray[np.int64]]


class Decoupling(StrEnum):
    """What counts as correlated."""

    AUTO = "auto"  # the first of the following that keeps P within `MOST_NUMBERS`
    NONE = "none"  # everything
    ELEMENT = "element"  # the weights of one element's network
    LAYER = "layer"  # those of one of its layers
    NODE = "node"  # those that go into one neuron, and its bias


def parameter_blocks(
    networks: Sequence[AtomicNetwork], n_parameters: int, decoupling: Decoupling
) -> Blocks:
    """The blocks of θ; parameters of no network are a block of their own.

    Args:
        networks: per element, in the order of θ.
        n_parameters: length of θ.
        decoupling: any but ``AUTO``.

    >>> from nnp.networks import Activation
    >>> network = AtomicNetwork((2, 2, 1), (Activation.TANH, Activation.IDENTITY))
    >>> [b.tolist() for b in parameter_blocks([network], 9, Decoupling.NODE)]
    [[[0, 2, 4], [1, 3, 5]], [[6, 7, 8]]]
    """
    if decoupling is Decoupling.NONE or not networks:
        return [np.arange(n_parameters)[None]]
    make = {
        Decoupling.ELEMENT: lambda n: [np.arange(n.span.start, n.span.stop)[None]],
        Decoupling.LAYER: lambda n: [nodes.reshape(1, -1) for nodes in _nodes(n)],
        Decoupling.NODE: _nodes,
    }[decoupling]
    blocks = [block for n in networks for block in (*make(n), *_others(n, decoupling))]
    rest = np.arange(max(network.span.stop for network in networks), n_parameters)
    return [*blocks, rest[None]] if len(rest) else blocks


def numbers_of(blocks: Blocks) -> int:
    """How many numbers the matrices hold."""
    return sum(b * s * s for b, s in (block.shape for block in blocks))


def resolved(
    networks: Sequence[AtomicNetwork], n_parameters: int, decoupling: Decoupling
) -> Decoupling:
    """What ``AUTO`` means for these networks."""
    if decoupling is not Decoupling.AUTO:
        return decoupling
    finer = (Decoupling.NONE, Decoupling.ELEMENT, Decoupling.LAYER)
    for level in finer:
        if numbers_of(parameter_blocks(networks, n_parameters, level)) <= MOST_NUMBERS:
            return level
    return Decoupling.NODE


def _others(network: AtomicNetwork, decoupling: Decoupling) -> Blocks:
    """One more block of the parameters after a network's weights, as `MomentNetwork` has them."""
    weights = sum(block.size for block in _nodes(network))
    rest = np.arange(network.start + weights, network.span.stop)
    return [rest[None]] if len(rest) and decoupling is not Decoupling.ELEMENT else []


def _nodes(network: AtomicNetwork) -> Blocks:
    """(n_out, n_in + 1) per layer: incoming weights of a neuron, then its bias."""
    found, at = [], network.start
    for n_in, n_out in pairwise(network.sizes):
        weights_and_bias = np.arange(at, at + (n_in + 1) * n_out).reshape(n_in + 1, n_out)
        found.append(np.ascontiguousarray(weights_and_bias.T))
        at += (n_in + 1) * n_out
    return found
