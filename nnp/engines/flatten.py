"""A potential as the two flat arrays that cross the C interface; nnp.h documents the layout."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import refuse_baseline
from nnp.elements import atomic_number
from nnp.networks import TWIST_SLOPE, Activation
from nnp.potential import ElementModel, Potential
from nnp.symmetry_functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Core,
    Radial,
    RadialCosine,
    SymmetryFunction,
    neighbor_symbols,
)

LAYOUT_MAGIC = 5132624
LAYOUT_VERSION = 1

# enum nnp_function_kind of nnp.h
FUNCTION_KINDS: dict[type, int] = {
    Radial: 1,
    RadialCosine: 2,
    Angular: 3,
    CompactRadial: 4,
    CompactAngular: 5,
}

# core.h
CORE_NUMBERS = {Core.EXPONENTIAL: 0, Core.POLY1: 1, Core.POLY2: 2, Core.POLY3: 3, Core.POLY4: 4}

# activation.h
ACTIVATION_NUMBERS = {
    Activation.IDENTITY: 0,
    Activation.TANH: 1,
    Activation.LOGISTIC: 2,
    Activation.SOFTPLUS: 3,
    Activation.RELU: 4,
    Activation.GAUSSIAN: 5,
    Activation.COSINE: 6,
    Activation.REVERSED_LOGISTIC: 7,
    Activation.EXPONENTIAL: 8,
    Activation.HARMONIC: 9,
    Activation.SCALED_TANH: 10,
    Activation.TWISTED_TANH: 11,
}


@dataclass(frozen=True)
class FlatPotential:
    """The two arrays of nnp.h.

    Attributes:
        integers: (m,) int64.
        reals: (k,) float64.
    """

    integers: NDArray[np.int64]
    reals: NDArray[np.float64]


def flatten(potential: Potential) -> FlatPotential:
    """The flat arrays of a potential; energies in eV, lengths in Å."""
    refuse_baseline(potential.baseline, "compiled code")
    integers = [LAYOUT_MAGIC, LAYOUT_VERSION, len(potential.models)]
    reals = [potential.energy_scale, TWIST_SLOPE]
    for model in potential.models:
        integers += _element_integers(model)
        reals += _element_reals(model)
    return FlatPotential(np.array(integers, np.int64), np.array(reals, np.float64))


def _element_integers(model: ElementModel) -> list[int]:
    network = model.network
    numbers = [atomic_number(model.symbol), len(model.functions), len(network.weights)]
    for function in model.functions:
        numbers += _function_integers(function)
    for weights, activation in zip(network.weights, network.activations, strict=True):
        numbers += [*weights.shape, ACTIVATION_NUMBERS[activation]]
    return numbers


def _function_integers(function: SymmetryFunction) -> list[int]:
    neighbors = [atomic_number(symbol) for symbol in neighbor_symbols(function)]
    neighbors += [0] * (2 - len(neighbors))
    if isinstance(function, CompactRadial | CompactAngular):
        shape = CORE_NUMBERS[function.core]
    else:
        shape = int(function.cutoff.kind)
    narrow = int(getattr(function, "narrow", False))
    asymmetric = int(getattr(function, "asymmetric", False))
    return [FUNCTION_KINDS[type(function)], *neighbors, shape, narrow, asymmetric, 0, 0]


def _function_reals(function: SymmetryFunction) -> list[float]:
    match function:
        case Radial(eta=eta, r_shift=r_shift, cutoff=cutoff):
            numbers = [eta, r_shift, cutoff.radius, cutoff.inner_fraction]
        case RadialCosine(kappa=kappa, cutoff=cutoff):
            numbers = [kappa, 0.0, cutoff.radius, cutoff.inner_fraction]
        case Angular(eta=eta, lambda_=lambda_, zeta=zeta, r_shift=r_shift, cutoff=cutoff):
            numbers = [eta, r_shift, cutoff.radius, cutoff.inner_fraction, lambda_, zeta]
        case CompactRadial(r_left=left, r_right=right):
            numbers = [left, right]
        case CompactAngular(r_left=left, r_right=right):
            angles = (function.theta_left_deg, function.theta_right_deg)
            numbers = [left, right, *map(math.radians, angles)]
    return numbers + [0.0] * (6 - len(numbers))


def _element_reals(model: ElementModel) -> list[float]:
    scaling, network = model.scaling, model.network
    numbers = [model.energy_offset]
    columns = (scaling.minimum, scaling.maximum, scaling.factor, scaling.offset)
    for function, *values in zip(model.functions, *columns, strict=True):
        numbers += _function_reals(function) + [float(value) for value in values]
    for weights, biases in zip(network.weights, network.biases, strict=True):
        numbers += [*weights.ravel().tolist(), *biases.tolist()]
    return numbers
