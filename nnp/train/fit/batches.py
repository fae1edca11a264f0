"""Which structures a step takes: so many, or as many as have so many atoms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nnp.train.fit.optimizers import OptimizerSettings


def batches(
    order: Sequence[int], atoms: NDArray[np.int64], settings: OptimizerSettings
) -> Iterator[list[int]]:
    """The steps of an epoch.

    Args:
        order: numbers of the structures, shuffled.
        atoms: of each structure, by its number.
        settings: ``batch`` or ``batch_atoms``.

    >>> each = np.array([4, 2, 2, 9, 1])
    >>> list(batches([0, 1, 2, 3, 4], each, OptimizerSettings("adam", batch_atoms=6)))
    [[0, 1], [2], [3], [4]]
    """
    if settings.batch_atoms is None:
        for at in range(0, len(order), settings.structures):
            yield list(order[at : at + settings.structures])
        return
    part: list[int] = []
    held = 0
    for number in order:
        if part and held + atoms[number] > settings.batch_atoms:
            yield part
            part, held = [], 0
        part.append(number)
        held += int(atoms[number])
    if part:
        yield part


def steps_of_epoch(settings: OptimizerSettings, atoms: NDArray[np.int64]) -> int:
    """How many, about: batches by atoms fall a little differently in every epoch."""
    if settings.full_batch:
        return 1
    if settings.batch_atoms is None:
        return -(-len(atoms) // settings.structures)
    return max(1, sum(1 for _ in batches(range(len(atoms)), atoms, settings)))
