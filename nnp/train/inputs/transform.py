"""From statistics of the functions to the networks' inputs.

How large inputs are and how much of them is weak decides what a fit finds easy: with inputs of unit
variance in all directions a network wiggles along directions that hardly matter, and the atoms at
the edge of the data lie ten deviations out, where it is saturated (docs/decisions/0025-inputs.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError
from nnp.networks import Network
from nnp.scaling import Scaling, ScalingMode

# Deviations beyond which an environment is far; this share of the atoms, at each end, is not asked
# for a function's deviation, and more than it are not outliers.
_FAR = 8.0
_TAIL = 0.01
# Of a function's deviation over all atoms.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class InputSettings:
    """How functions become inputs.

    Attributes:
        scaling: formula of `ScalingMode` in the finished potential.
        target_min, target_max: range of the scaling.
        decorrelate: whether the fit works with decorrelated inputs; the transformation is folded
            into the weights of the first layer at the end.
        power: how much weak directions are strengthened: a variance λ becomes λ^(1 − 2 power); 0
            not at all, 1/2 makes all equal.
        reach: largest input among the training atoms.
        ridge: variances (of functions scaled to 1) well below this are not strengthened.
    """

    scaling: ScalingMode = ScalingMode.SCALE_CENTER
    target_min: float = 0.0
    target_max: float = 1.0
    decorrelate: bool = True
    power: float = 0.25
    reach: float = 0.5
    ridge: float = 1e-4

    def __post_init__(self) -> None:
        object.__setattr__(self, "scaling", ScalingMode(self.scaling))
        for name in ("ridge", "reach"):
            if not getattr(self, name) > 0:
                raise OptionError(f"{name} = {getattr(self, name)} must be positive")
        if not 0 <= self.power <= 0.5:
            raise OptionError(f"power = {self.power} must be from 0 to 1/2")


@dataclass(frozen=True, eq=False)
class InputTransform:
    """x = (G − origin) @ matrix of one element.

    Attributes:
        origin: (s,).
        matrix: (s, inputs).
    """

    origin: NDArray[np.float64]
    matrix: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spread:
    """Of an element's functions over all atoms.

    Attributes:
        minimum, maximum, mean, sigma: (s,).
    """

    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    sigma: NDArray[np.float64]


def spread_of(values: NDArray[np.float64]) -> Spread:
    """Of values (n, s) that are all there."""
    return Spread(values.min(axis=0), values.max(axis=0), values.mean(axis=0), values.std(axis=0))


def scaling_of(spread: Spread, settings: InputSettings) -> Scaling:
    """Scaling from what the functions are over the training data."""
    return Scaling(
        minimum=spread.minimum,
        maximum=spread.maximum,
        mean=spread.mean,
        sigma=spread.sigma,
        mode=settings.scaling,
        target_min=settings.target_min,
        target_max=settings.target_max,
    )


def input_transform(
    values: NDArray[np.float64], scaling: Scaling, settings: InputSettings
) -> InputTransform:
    """What the fit sees of the functions.

    x = factor G + offset, or, decorrelated, x = c (G − mean) / sigma · V (λ + ridge)^{−power} with
    the eigenvectors V and eigenvalues λ of the correlation matrix and c such that the largest
    input is ``reach``. Statistics are those of all environments but the far ones.
    """
    if not settings.decorrelate or not len(values):
        return InputTransform(-scaling.offset / scaling.factor, np.diag(scaling.factor))
    near = values[~far_environments(values)]
    mean, sigma = near.mean(axis=0), _with_spread(near.std(axis=0), scaling.sigma)
    standard = (near - mean) / sigma
    eigenvalues, vectors = np.linalg.eigh(standard.T @ standard / len(near))
    turned = vectors * (np.maximum(eigenvalues, 0) + settings.ridge) ** -settings.power
    largest = np.abs(standard @ turned).max() or 1.0
    return InputTransform(mean, settings.reach / largest * turned / sigma[:, None])


def far_environments(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) which few atoms are far from all others in the space of functions (n, s).

    Distances are root mean squares over the functions, in deviations of the central 98 % from the
    median. Where more than one atom in a hundred is far they are a part of the data: none is.
    """
    low, high = np.quantile(values, (_TAIL, 1 - _TAIL), axis=0)
    spread = _with_spread(np.clip(values, low, high).std(axis=0), values.std(axis=0))
    distance = np.sqrt((((values - np.median(values, axis=0)) / spread) ** 2).mean(axis=1))
    far: NDArray[np.bool_] = distance > _FAR
    return far if far.mean() <= _TAIL else np.zeros(len(values), np.bool_)


def _with_spread(spread: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """That of all atoms where a function changes among few of them only; 1 where it never does."""
    known = np.where(spread > _LEAST_SPREAD * whole, spread, whole)
    return np.where(known > 0, known, 1.0)


def folded(network: Network, transform: InputTransform, scaling: Scaling) -> Network:
    """The network that takes scaled functions u = factor G + offset instead of x.

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
