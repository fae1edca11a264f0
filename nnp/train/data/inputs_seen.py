"""What structures put into a potential's networks: ranges of the functions, and dead ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.engines import create_engine, engine_for
from nnp.potential import Potential
from nnp.structure import Structure

_BINS = 40
# Share of the training range that a function fills, below which it is dead; and rounding of it.
_DEAD, _ROUNDING = 1e-6, 1e-9


@dataclass(frozen=True, eq=False)
class InputsSeen:
    """One element's functions over some structures.

    Attributes:
        symbol: the element.
        histogram: (s, bins) atoms by value, from the minimum to the maximum of the training data.
        below, above: (s,) atoms outside of that range.
        dead: functions (from 0) that take one value only.
    """

    symbol: str
    histogram: NDArray[np.int64]
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    dead: tuple[int, ...]


def inputs_seen(potential: Potential, structures: Iterable[Structure]) -> list[InputsSeen]:
    """Per element; those without an atom in the structures are left out."""
    engine = create_engine(potential, engine_for(potential))
    rows: dict[str, list[NDArray[np.float64]]] = {m.symbol: [] for m in potential.models}
    for structure in structures:
        for symbol, values in zip(structure.symbols, engine.descriptors(structure), strict=True):
            rows[symbol].append(values)
    found = []
    for model in potential.models:
        if rows[model.symbol]:
            low, high = model.scaling.minimum, model.scaling.maximum
            found.append(_of(model.symbol, np.array(rows[model.symbol]), low, high))
    return found


def _of(
    symbol: str,
    values: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> InputsSeen:
    width = np.where(high > low, high - low, 1.0)
    share = (values - low) / width
    cells = np.clip((share * _BINS).astype(np.int64), 0, _BINS - 1)
    below, above = share < -_ROUNDING, share > 1 + _ROUNDING
    inside = ~(below | above)
    histogram = np.zeros((values.shape[1], _BINS), np.int64)
    for number in range(values.shape[1]):
        own = cells[inside[:, number], number]
        histogram[number] = np.bincount(own, minlength=_BINS)
    dead = np.flatnonzero(np.ptp(share, axis=0) < _DEAD) if len(values) > 1 else np.empty(0)
    return InputsSeen(
        symbol,
        histogram,
        below.sum(axis=0),
        above.sum(axis=0),
        tuple(int(i) for i in dead),
    )
