"""From statistics of the functions to the networks' inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError
from nnp.networks import Network
from nnp.scaling import Scaling, ScalingMode


@dataclass(frozen=True)
class InputSettings:
    """How functions become inputs.

    Attributes:
        scaling: formula of `ScalingMode`, as the finished potential has it.
        target_min, target_max: of the scaling.
        decorrelate: whether the fit sees inputs of unit variance without correlation; this goes
            into the first layer's weights at the end and nothing of it remains.
        ridge: variances (of functions scaled to 1) well below this are left small.
    """

    scaling: ScalingMode = ScalingMode.SCALE_CENTER
    target_min: float = 0.0
    target_max: float = 1.0
    decorrelate: bool = True
    ridge: float = 1e-4

    def __post_init__(self) -> None:
        object.__setattr__(self, "scaling", ScalingMode(self.scaling))
        if not self.ridge > 0:
            raise OptionError(f"ridge = {self.ridge} must be positive")


@dataclass(frozen=True, eq=False)
class InputTransform:
    """x = (G − origin) @ matrix of one element.

    Attributes:
        origin: (s,).
        matrix: (s, inputs).
    """

    origin: NDArray[np.float64]
    matrix: NDArray[np.float64]


def scaling_of(values: NDArray[np.float64], settings: InputSettings) -> Scaling:
    """Scaling from the functions' values (n, s) over the training data."""
    return Scaling(
        minimum=values.min(axis=0),
        maximum=values.max(axis=0),
        mean=values.mean(axis=0),
        sigma=values.std(axis=0),
        mode=settings.scaling,
        target_min=settings.target_min,
        target_max=settings.target_max,
    )


def input_transform(
    values: NDArray[np.float64], scaling: Scaling, settings: InputSettings
) -> InputTransform:
    """What the fit sees of the functions.

    x = factor G + offset, or, decorrelated, x = (G − mean) / sigma · V (λ + ridge)^{−1/2} with the
    eigenvectors V and eigenvalues λ of the correlation matrix.
    """
    if not settings.decorrelate:
        return InputTransform(-scaling.offset / scaling.factor, np.diag(scaling.factor))
    mean, sigma = scaling.mean, scaling.sigma
    standard = (values - mean) / sigma
    eigenvalues, vectors = np.linalg.eigh(standard.T @ standard / len(values))
    return InputTransform(
        mean, vectors / np.sqrt(np.maximum(eigenvalues, 0) + settings.ridge) / sigma[:, None]
    )


def folded(network: Network, transform: InputTransform, scaling: Scaling) -> Network:
    """The network that takes scaled functions u = factor G + offset in place of x.

    x = (u / factor − offset / factor − origin) @ matrix, so W' = matrix / factor · W and
    b' = b − (offset / factor + origin) @ matrix · W.
    """
    first = network.weights[0]
    weight = (transform.matrix / scaling.factor[:, None]) @ first
    shift = (scaling.offset / scaling.factor + transform.origin) @ transform.matrix
    return Network(
        (weight, *network.weights[1:]),
        (network.biases[0] - shift @ first, *network.biases[1:]),
        network.activations,
    )
