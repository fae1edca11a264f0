"""Atomic neural networks: weights, biases, activation functions.

The activations' formulas stand in `nnp.reference` and the kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError


class Activation(StrEnum):
    """Activation functions, by n2p2's letters; the last two are aenet's."""

    IDENTITY = "l"  # x
    TANH = "t"  # tanh x
    LOGISTIC = "s"  # 1 / (1 + e^{−x})
    SOFTPLUS = "p"  # ln(1 + e^x)
    RELU = "r"  # max(x, 0)
    GAUSSIAN = "g"  # e^{−x²/2}
    COSINE = "c"  # cos x
    REVERSED_LOGISTIC = "S"  # 1 − 1 / (1 + e^{−x})
    EXPONENTIAL = "e"  # e^{−x}
    HARMONIC = "h"  # x²
    SCALED_TANH = "mtanh"  # a tanh(bx)
    TWISTED_TANH = "twist"  # a tanh(bx) + cx


# LeCun's scaled tanh and the linear twist, as aenet has them: Artrith and Urban, Comput. Mater.
# Sci. 114, 135 (2016), doi:10.1016/j.commatsci.2015.11.047.
SCALED_TANH_AMPLITUDE = 1.7159  # a
SCALED_TANH_SLOPE = 2.0 / 3.0  # b
TWIST_SLOPE = 0.1  # c


@dataclass(frozen=True, eq=False)
class Network:
    """A fully connected feed-forward network with one output.

    Layer l: x_{l+1} = activation_l(x_l @ weights_l + biases_l).

    Attributes:
        weights: per layer (n_in, n_out).
        biases: per layer (n_out,).
        activations: per layer, the output layer included.

    Raises:
        OptionError: shapes that do not follow one another, values that are not finite.
    """

    weights: tuple[NDArray[np.float64], ...]
    biases: tuple[NDArray[np.float64], ...]
    activations: tuple[Activation, ...]

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for name in ("weights", "biases"):
            arrays = getattr(self, name)
            set_(self, name, tuple(np.ascontiguousarray(a, np.float64) for a in arrays))
        set_(self, "activations", tuple(Activation(a) for a in self.activations))
        self._check()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons per layer: inputs, hidden layers, output."""
        return (self.weights[0].shape[0], *(w.shape[1] for w in self.weights))

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(array.size for array in (*self.weights, *self.biases))

    def _check(self) -> None:
        if not len(self.weights) == len(self.biases) == len(self.activations) > 0:
            raise OptionError(
                f"a network needs as many weights, biases and activations as layers, got "
                f"{len(self.weights)}, {len(self.biases)} and {len(self.activations)}"
            )
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            n_in = self.weights[layer - 1].shape[-1] if layer else weight.shape[0]
            if weight.ndim != 2 or weight.shape[0] != n_in or bias.shape != weight.shape[1:]:
                raise OptionError(
                    f"layer {layer + 1} has weights {weight.shape} and biases {bias.shape}: "
                    f"({n_in}, n) and (n,) are expected"
                )
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise OptionError(f"layer {layer + 1} has weights or biases that are not finite")
        if self.weights[-1].shape[1] != 1:
            raise OptionError(f"the network has {self.weights[-1].shape[1]} outputs: 1 is expected")
