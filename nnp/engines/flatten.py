"""A potential as the two flat arrays that cross the C interface; nnp.h documents the layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.baseline import refuse_baseline
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions import RadialSeries
from nnp.networks import TWIST_SLOPE, Activation
from nnp.potential import ElementModel, Potential
from nnp.terms import RepulsionTerm

LAYOUT_MAGIC = 5132624
LAYOUT_VERSION = 2

# enum nnp_block of nnp.h
BLOCK_MODEL, BLOCK_ELEMENT, BLOCK_BASELINE, BLOCK_REPULSION, BLOCK_SERIES = 1, 2, 3, 4, 8

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
_SAME = 1e-12  # a mean network is made again at reading, on another machine perhaps


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
        OptionError: it has a baseline, which compiled code would leave out, or functions of a
            family that compiled code lacks.
    """
    refuse_baseline(potential.baseline, "compiled code")
    require_compiled(potential)
    return _joined(_blocks(potential))


def require_compiled(potential: Potential) -> None:
    """Refuse functions of families that compiled engines have not.

    Raises:
        OptionError: there are some.
    """
    for function in (f for model in potential.models for f in model.functions):
        if not function.number:
            raise OptionError(
                f"compiled engines have no functions of the family {function.name!r}: use "
                "engine='reference'"
            )


def flatten_for_file(potential: Potential) -> FlatPotential:
    """The same for a model file; what compiled code lacks is kept for it to refuse."""
    blocks = _blocks(potential)
    if potential.baseline:
        names = "; ".join(map(str, potential.baseline)).encode()
        blocks.append((BLOCK_BASELINE, list(names), []))
    return _joined(blocks)


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
    for number, model in enumerate(potential.models):
        blocks += [_series_block(series, number, potential.elements) for series in _tables(model)]
    return blocks + [_repulsion(term) for term in potential.terms]


def _repulsion(term: RepulsionTerm) -> _Block:
    """Per pair: atomic numbers and number of exponentials; radii, amplitudes, exponents."""
    integers: list[int] = []
    reals: list[float] = []
    for pair in term.pairs:
        integers += [*map(atomic_number, pair.symbols), len(pair.amplitudes)]
        reals += [pair.r_inner, pair.r_outer, *pair.amplitudes, *pair.exponents]
    return BLOCK_REPULSION, integers, reals


def _tables(model: ElementModel) -> list[RadialSeries]:
    """The radial series of an element's functions, in the order that numbers them."""
    return list(dict.fromkeys(f.table for f in model.functions if f.table is not None))


def _series_block(series: RadialSeries, element: int, elements: Sequence[str]) -> _Block:
    shape = np.shape(series.coefficients)[1:]
    where = {symbol: number for number, symbol in enumerate(series.neighbors)}
    radii, coefficients = np.zeros(len(elements)), np.zeros((len(elements), *shape))
    for number, symbol in enumerate(elements):
        if symbol in where:
            radii[number] = series.radii[where[symbol]]
            coefficients[number] = series.coefficients[where[symbol]]
    integers = [element, int(series.argument), int(series.cutoff_kind), *shape]
    reals = [series.inner_fraction, *radii.tolist(), *coefficients.ravel().tolist()]
    return BLOCK_SERIES, integers, reals


def _element_integers(model: ElementModel) -> list[int]:
    network = model.network
    numbers = [atomic_number(model.symbol), len(model.functions), len(network.weights)]
    tables = {table: number for number, table in enumerate(_tables(model))}
    for function in model.functions:
        values = function.flat_integers()
        if function.table is not None:
            values[0] = tables[function.table]
        numbers += [function.number, len(values), len(function.reals), *values]
    for weights, activation in zip(network.weights, network.activations, strict=True):
        numbers += [*weights.shape, ACTIVATION_NUMBERS[activation]]
    return numbers


def _element_reals(model: ElementModel) -> list[float]:
    scaling, network = model.scaling, model.network
    numbers = [model.energy_offset]
    columns = (scaling.minimum, scaling.maximum, scaling.factor, scaling.offset)
    for function, *values in zip(model.functions, *columns, strict=True):
        numbers += function.flat_reals() + [float(value) for value in values]
    for weights, biases in zip(network.weights, network.biases, strict=True):
        numbers += [*weights.ravel().tolist(), *biases.tolist()]
    return numbers
