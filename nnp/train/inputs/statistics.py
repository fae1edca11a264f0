"""What the functions' values over the training data are, without holding all of them.

Pruning and the inputs' transform look at so many atoms of each element at most, drawn at random;
ranges, means and deviations of the finished potential's scaling are those of all atoms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.structure import Structure
from nnp.train.inputs.products import DescriptorProducts
from nnp.train.inputs.transform import Spread

# Atoms of an element that are looked at: correlations of 100 functions are known to a percent.
MOST_ATOMS = 20_000

_Watch = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True, eq=False)
class Values:
    """Functions of the atoms that were looked at, per element symbol.

    Attributes:
        rows: (n, s).
        numbers: (n,) of each atom's structure.
        complete: whether these are all atoms.
    """

    rows: dict[str, NDArray[np.float64]]
    numbers: dict[str, NDArray[np.int64]]
    complete: bool


def look_at(
    products: DescriptorProducts,
    structures: Sequence[Structure],
    most: int = MOST_ATOMS,
    watch: _Watch = iter,
) -> Values:
    """Values of all atoms, or of ``most`` atoms of each element.

    Args:
        products: of the functions.
        structures: the training set.
        most: atoms of an element; where there are more, structures are drawn at random.
        watch: goes through the structures that are looked at, for progress.
    """
    wanted = _looked_at(structures, products.elements, most)
    rows: dict[str, list[NDArray[np.float64]]] = {symbol: [] for symbol in products.elements}
    numbers: dict[str, list[NDArray[np.int64]]] = {symbol: [] for symbol in products.elements}
    held = dict.fromkeys(products.elements, 0)
    complete = len(wanted) == len(structures)
    for number in watch(wanted):
        found = products.descriptors(products.place(structures[number]))
        for symbol, values in zip(products.elements, found, strict=True):
            kept = values.numpy()[: most - held[symbol]]
            held[symbol] += len(kept)
            rows[symbol].append(kept)
            numbers[symbol].append(np.full(len(kept), number))
            complete &= len(kept) == len(values)
    return Values(
        {symbol: np.concatenate(parts) for symbol, parts in rows.items()},
        {symbol: np.concatenate(parts) for symbol, parts in numbers.items()},
        complete,
    )


def spread_of_all(
    products: DescriptorProducts, structures: Sequence[Structure], watch: _Watch = iter
) -> dict[str, Spread]:
    """Of all structures, one after the other; means and deviations are summed about the first."""
    sums: dict[str, _Sums] = {}
    for number in watch(range(len(structures))):
        found = products.descriptors(products.place(structures[number]))
        for symbol, values in zip(products.elements, found, strict=True):
            if len(values):
                sums.setdefault(symbol, _Sums(values.numpy()[0])).add(values.numpy())
    return {symbol: own.spread for symbol, own in sums.items()}


class _Sums:
    """Running range, mean and deviation about an origin within the data."""

    def __init__(self, origin: NDArray[np.float64]) -> None:
        self._origin = origin
        self._count = 0
        self._low, self._high = origin.copy(), origin.copy()
        self._first, self._second = np.zeros_like(origin), np.zeros_like(origin)

    def add(self, values: NDArray[np.float64]) -> None:
        self._count += len(values)
        np.minimum(self._low, values.min(axis=0), out=self._low)
        np.maximum(self._high, values.max(axis=0), out=self._high)
        off = values - self._origin
        self._first += off.sum(axis=0)
        self._second += (off * off).sum(axis=0)

    @property
    def spread(self) -> Spread:
        mean = self._first / self._count
        variance = np.maximum(self._second / self._count - mean * mean, 0.0)
        return Spread(self._low, self._high, self._origin + mean, np.sqrt(variance))


def _looked_at(structures: Sequence[Structure], elements: Sequence[str], most: int) -> list[int]:
    """All structures in their order, or a draw with ``most`` atoms of every element that has so."""
    numbers = np.array([atomic_number(symbol) for symbol in elements])
    counts = np.array([_composition(s)[numbers] for s in structures]).reshape(-1, len(numbers))
    if (counts.sum(axis=0) <= most).all():
        return list(range(len(structures)))
    held, drawn = np.zeros(len(numbers), np.int64), []
    for number in np.random.default_rng(0).permutation(len(structures)):
        if (counts[number] > 0)[held < most].any():
            drawn.append(int(number))
            held += counts[number]
    return sorted(drawn)


def _composition(structure: Structure) -> NDArray[np.int64]:
    """(119,) atoms by atomic number."""
    return np.bincount(structure.atomic_numbers, minlength=119)
