"""A potential as the two flat arrays that cross the C interface; nnp.h documents the layout."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import refuse_baseline
from nnp.elements import atomic_number
from nnp.errors import OptionError
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
LAYOUT_VERSION = 2

# enum nnp_block of nnp.h
BLOCK_MODEL, BLOCK_ELEMENT, BLOCK_BASELINE = 1, 2, 3


@dataclass(frozen=True)
class Family:
    """A row of nnp/families.h.

    Attributes:
        number: enum nnp_family_number.
        name: in C and in messages.
        angular: whether it sums over pairs of neighbours.
        integers, reals: names of its parameters, as they travel.
    """

    number: int
    name: str
    angular: bool
    integers: tuple[str, ...]
    reals: tuple[str, ...]


_WITH_CUTOFF = ("r_cutoff", "inner_fraction")
_PAIR = ("neighbor_1", "neighbor_2")
FAMILIES: dict[type, Family] = {
    Radial: Family(1, "radial", False, ("neighbor_1", "cutoff"), ("eta", "r_shift", *_WITH_CUTOFF)),
    RadialCosine: Family(
        2, "radial_cosine", False, ("neighbor_1", "cutoff"), ("kappa", *_WITH_CUTOFF)
    ),
    Angular: Family(
        3,
        "angular",
        True,
        (*_PAIR, "cutoff", "narrow"),
        ("eta", "r_shift", *_WITH_CUTOFF, "lambda", "zeta"),
    ),
    CompactRadial: Family(
        4, "compact_radial", False, ("neighbor_1", "core", "asymmetric"), ("r_left", "r_right")
    ),
    CompactAngular: Family(
        5,
        "compact_angular",
        True,
        (*_PAIR, "core", "asymmetric", "narrow"),
        ("r_left", "r_right", "theta_left", "theta_right"),
    ),
}

# core.h
CORE_NUMBERS = {Core.EXPONENTIAL: 0, Core.POLY1: 1, Core.POLY2: 2, Core.POLY3: 3, Core.POLY4: 4}

# Parameters that a class does not hold by the name they have in C.
_VALUES: dict[str, Callable[[Any], float]] = {
    "neighbor_1": lambda f: _neighbor(f, 0),
    "neighbor_2": lambda f: _neighbor(f, 1),
    "cutoff": lambda f: int(f.cutoff.kind),
    "core": lambda f: CORE_NUMBERS[f.core],
    "lambda": lambda f: f.lambda_,
    "r_cutoff": lambda f: f.cutoff.radius,
    "inner_fraction": lambda f: f.cutoff.inner_fraction,
    "theta_left": lambda f: math.radians(f.theta_left_deg),
    "theta_right": lambda f: math.radians(f.theta_right_deg),
}

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


_MAGIC = b"NNPARRAY"
_SAME = 1e-12  # a mean network is made anew at reading, on another machine perhaps


@dataclass(frozen=True)
class FlatPotential:
    """The two arrays of nnp.h.

    Attributes:
        integers: (m,) int64.
        reals: (k,) float64.
    """

    integers: NDArray[np.int64]
    reals: NDArray[np.float64]

    def to_bytes(self) -> bytes:
        """With sizes and checksums, as nnp.h describes them."""
        content = self.integers.astype("<i8").tobytes() + self.reals.astype("<f8").tobytes()
        words = np.frombuffer(content, "<u8")
        weights = np.arange(1, len(words) + 1, dtype=np.uint64)
        sums = [words.sum(dtype=np.uint64), (weights * words).sum(dtype=np.uint64)]
        head = np.array([len(self.integers), len(self.reals), *sums], "<u8")
        return _MAGIC + head.tobytes() + content


def flatten(potential: Potential) -> FlatPotential:
    """The flat arrays of a potential; energies in eV, lengths in Å.

    Raises:
        OptionError: it has a baseline, which compiled code would leave out.
    """
    refuse_baseline(potential.baseline, "compiled code")
    return _joined(_blocks(potential))


def flatten_for_file(potential: Potential) -> FlatPotential:
    """The same for a model file; where a potential has a baseline they say so, and C refuses."""
    if not potential.baseline:
        return flatten(potential)
    names = "; ".join(map(str, potential.baseline)).encode()
    blocks = _blocks(replace(potential, baseline=()))
    return _joined([*blocks, (BLOCK_BASELINE, list(names), [])])


def check_flat(data: bytes, potential: Potential) -> None:
    """Refuse flat arrays of a file that are damaged or another potential's.

    Raises:
        OptionError: they are.
    """
    wanted = flatten_for_file(potential)
    if data == wanted.to_bytes():
        return
    found = _from_bytes(data)
    if not (
        np.array_equal(found.integers, wanted.integers)
        and found.reals.shape == wanted.reals.shape
        and np.allclose(found.reals, wanted.reals, rtol=_SAME, atol=_SAME)
    ):
        raise OptionError("its flat arrays are not those of its header: it is damaged or forged")


def _from_bytes(data: bytes) -> FlatPotential:
    n_integers, n_reals = np.frombuffer(data[8:24], "<u8").tolist()
    if len(data) != 40 + 8 * (n_integers + n_reals):
        raise OptionError("its flat arrays are cut off")
    reals = 40 + 8 * n_integers
    found = FlatPotential(np.frombuffer(data[40:reals], "<i8"), np.frombuffer(data[reals:], "<f8"))
    if found.to_bytes() != data:
        raise OptionError("the checksum of its flat arrays is wrong")
    return found


_Block = tuple[int, list[int], list[float]]


def _joined(blocks: Sequence[_Block]) -> FlatPotential:
    integers, reals = [LAYOUT_MAGIC, LAYOUT_VERSION, len(blocks)], []
    for tag, own_integers, own_reals in blocks:
        integers += [tag, len(own_integers), len(own_reals), *own_integers]
        reals += own_reals
    return FlatPotential(np.array(integers, np.int64), np.array(reals, np.float64))


def _blocks(potential: Potential) -> list[_Block]:
    blocks: list[_Block] = [(BLOCK_MODEL, [], [potential.energy_scale, TWIST_SLOPE])]
    blocks += [(BLOCK_ELEMENT, _element_integers(m), _element_reals(m)) for m in potential.models]
    return blocks


def _element_integers(model: ElementModel) -> list[int]:
    network = model.network
    numbers = [atomic_number(model.symbol), len(model.functions), len(network.weights)]
    for function in model.functions:
        family = FAMILIES[type(function)]
        values = [int(_value(function, name)) for name in family.integers]
        numbers += [family.number, len(family.integers), len(family.reals), *values]
    for weights, activation in zip(network.weights, network.activations, strict=True):
        numbers += [*weights.shape, ACTIVATION_NUMBERS[activation]]
    return numbers


def _element_reals(model: ElementModel) -> list[float]:
    scaling, network = model.scaling, model.network
    numbers = [model.energy_offset]
    columns = (scaling.minimum, scaling.maximum, scaling.factor, scaling.offset)
    for function, *values in zip(model.functions, *columns, strict=True):
        numbers += [_value(function, name) for name in FAMILIES[type(function)].reals]
        numbers += [float(value) for value in values]
    for weights, biases in zip(network.weights, network.biases, strict=True):
        numbers += [*weights.ravel().tolist(), *biases.tolist()]
    return numbers


def _value(function: SymmetryFunction, name: str) -> float:
    value: float = _VALUES[name](function) if name in _VALUES else getattr(function, name)
    return value


def _neighbor(function: SymmetryFunction, number: int) -> int:
    symbols = neighbor_symbols(function)
    return atomic_number(symbols[number]) if symbols else 0
