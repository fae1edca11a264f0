"""Architecture and initial weights.

Xavier: Glorot and Bengio, AISTATS 2010. Nguyen and Widrow, IJCNN 1990,
doi:10.1109/IJCNN.1990.137819.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.networks import Activation, Network
from nnp.train.fit.network import AtomicNetwork


class Initialisation(StrEnum):
    """How initial weights are drawn."""

    UNIFORM = "uniform"  # weights and biases uniform in a range, [−1, 1] unless told
    XAVIER = "xavier"  # weights normal, variance 2 / (n_in + n_out); biases small
    NGUYEN_WIDROW = "nguyen_widrow"  # active regions of the neurons spread over the inputs
    PER_INPUT = "per_input"  # weights and biases uniform in ±1 / n_in
    INPUTS = "inputs"  # weights and biases uniform, standard deviation 1 / √(n_in + 1), as aenet


@dataclass(frozen=True)
class ElementNetworkSettings:
    """[network.elements.X]: what differs for one element.

    Attributes:
        hidden: neurons of each hidden layer.
        activation: of the hidden layers.
        activations: of each hidden layer, instead of ``activation``.
    """

    hidden: tuple[int, ...]
    activation: Activation = Activation.TANH
    activations: tuple[Activation, ...] = ()

    def __post_init__(self) -> None:
        if self.activations and len(self.activations) != len(self.hidden):
            raise OptionError(
                f"activations = {[str(a) for a in self.activations]} for hidden layers "
                f"{list(self.hidden)}: one for each, or none"
            )

    @property
    def of_layers(self) -> tuple[Activation, ...]:
        """Of each hidden layer."""
        return self.activations or (self.activation,) * len(self.hidden)


@dataclass(frozen=True)
class NetworkSettings:
    """[network]: architecture and first weights.

    Attributes:
        hidden: neurons of each hidden layer.
        activation: of the hidden layers, n2p2's letter.
        initial: method for the initial weights.
        weight_range: smallest and largest weight of ``initial = "uniform"``.
        elements: exceptions for single elements.
    """

    hidden: tuple[int, ...] = (24, 24)
    activation: Activation = Activation.TANH
    initial: Initialisation = Initialisation.XAVIER
    weight_range: tuple[float, float] = (-1.0, 1.0)
    elements: dict[str, ElementNetworkSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = [self.hidden, *(e.hidden for e in self.elements.values())]
        for hidden in layers:
            if any(size < 1 for size in hidden):
                raise OptionError(f"hidden = {list(hidden)}: at least one neuron per layer")
        for symbol in self.elements:
            atomic_number(symbol)
        if not self.weight_range[0] < self.weight_range[1]:
            raise OptionError(f"weight_range = {list(self.weight_range)}: the first must be below")

    def of(self, symbol: str) -> ElementNetworkSettings:
        """What holds for an element."""
        common = ElementNetworkSettings(self.hidden, self.activation)
        return self.elements.get(symbol, common)


_Layer = tuple[NDArray[np.float64], NDArray[np.float64]]


def initial_network(
    network: AtomicNetwork,
    method: Initialisation,
    rng: np.random.Generator,
    uniform: tuple[float, float] = (-1.0, 1.0),
) -> Network:
    """A network with random weights, for inputs of mean 0 and variance 1.

    Args:
        network: its sizes and activations.
        method: how weights are drawn.
        rng: draws them.
        uniform: smallest and largest one, of that method.
    """
    draw = _METHODS[Initialisation(method)]
    layers = [draw(n_in, n_out, rng) for n_in, n_out in pairwise(network.sizes)]
    if method is Initialisation.UNIFORM:
        low, half = uniform[0], (uniform[1] - uniform[0]) / 2
        layers = [(low + half * (w + 1), low + half * (b + 1)) for w, b in layers]
    elif method not in _WHOLE:  # start from the reference energies
        layers[-1] = _xavier(network.sizes[-2], 1, rng)
    weights, biases = zip(*layers, strict=True)
    return Network(weights, biases, network.activations)


def _uniform(n_in: int, n_out: int, rng: np.random.Generator) -> _Layer:
    return rng.uniform(-1, 1, (n_in, n_out)), rng.uniform(-1, 1, n_out)


def _xavier(n_in: int, n_out: int, rng: np.random.Generator) -> _Layer:
    return rng.normal(0, (2 / (n_in + n_out)) ** 0.5, (n_in, n_out)), rng.normal(0, 0.1, n_out)


def _nguyen_widrow(n_in: int, n_out: int, rng: np.random.Generator) -> _Layer:
    weights = rng.uniform(-1, 1, (n_in, n_out))
    length = 0.7 * n_out ** (1 / n_in)
    weights *= length / np.linalg.norm(weights, axis=0)
    return weights, rng.uniform(-length, length, n_out)


def _by_inputs(n_in: int, n_out: int, rng: np.random.Generator) -> _Layer:
    half = (3 / (n_in + 1)) ** 0.5
    return rng.uniform(-half, half, (n_in, n_out)), rng.uniform(-half, half, n_out)


def _per_input(n_in: int, n_out: int, rng: np.random.Generator) -> _Layer:
    return rng.uniform(-1, 1, (n_in, n_out)) / n_in, rng.uniform(-1, 1, n_out) / n_in


# Of the output layer too.
_WHOLE = (Initialisation.PER_INPUT, Initialisation.INPUTS)
_METHODS: dict[Initialisation, Callable[[int, int, np.random.Generator], _Layer]] = {
    Initialisation.UNIFORM: _uniform,
    Initialisation.XAVIER: _xavier,
    Initialisation.NGUYEN_WIDROW: _nguyen_widrow,
    Initialisation.PER_INPUT: _per_input,
    Initialisation.INPUTS: _by_inputs,
}
