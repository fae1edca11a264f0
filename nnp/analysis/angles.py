"""Distributions of the angles between bonds, by triple of elements."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.rdf import sem
from nnp.analysis.results import Curve
from nnp.elements import chemical_symbol
from nnp.neighbors import neighbor_list
from nnp.structure import Structure

Whole = NDArray[np.int64]

_BINS = 180


class AngleCounts:
    """Counts angles B-A-C at the atoms A.

    Args:
        bonds: distance (Å) below which two elements are bonded, by ``"Si-O"``; pairs that are not
            there have no bonds.
        blocks: of time.
    """

    def __init__(self, bonds: Mapping[str, float], blocks: int) -> None:
        self._bonds = dict(bonds)
        self._counts: dict[str, NDArray[np.int64]] = {}
        self._blocks = blocks

    def add(self, structure: Structure, block: int) -> None:
        """Take in a frame that belongs to a block of time."""
        if not self._bonds:
            return
        numbers = structure.atomic_numbers
        found = neighbor_list(structure, max(self._bonds.values()), refuse_overlaps=False)
        kinds = np.unique(numbers)
        limit = np.zeros(len(found.i))
        for a, b in product(kinds, kinds):
            limit[(numbers[found.i] == a) & (numbers[found.j] == b)] = self._limit(a, b)
        distances = np.linalg.norm(found.vectors, axis=1)
        near = distances < limit
        centres, units = found.i[near], found.vectors[near] / distances[near, None]
        ends = numbers[found.j[near]]
        for first, second in _couples(centres):
            cosines = np.einsum("tc,tc->t", units[first], units[second])
            angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
            place = np.minimum((angles * (_BINS / 180)).astype(np.int64), _BINS - 1)
            self._count(numbers[centres[first]], ends[first], ends[second], place, block)

    def curve(self) -> Curve:
        """Density per degree of each triple, normalised to 1; by ``"O-Si-O"``."""
        centres = (np.arange(_BINS) + 0.5) * 180 / _BINS
        values, errors = {}, {}
        for name, counts in sorted(self._counts.items()):
            seen = counts[counts.sum(axis=1) > 0]
            each = seen / seen.sum(axis=1, keepdims=True) * (_BINS / 180)
            values[name] = counts.sum(axis=0) / counts.sum() * (_BINS / 180)
            errors[name] = sem(each)
        return Curve("angle_deg", centres, values, errors)

    def means(self) -> dict[str, tuple[float, float]]:
        """Mean angle and its standard error of each triple, degrees."""
        curve, found = self.curve(), {}
        for name, counts in sorted(self._counts.items()):
            seen = counts[counts.sum(axis=1) > 0]
            each = seen @ curve.x / seen.sum(axis=1)
            mean = float(counts.sum(axis=0) @ curve.x / counts.sum())
            found[name] = mean, float(sem(each[:, None])[0])
        return found

    def _limit(self, a: int, b: int) -> float:
        one, other = chemical_symbol(int(a)), chemical_symbol(int(b))
        return self._bonds.get(f"{one}-{other}", self._bonds.get(f"{other}-{one}", 0.0))

    def _count(self, apex: Whole, one: Whole, other: Whole, place: Whole, block: int) -> None:
        left, right = np.minimum(one, other), np.maximum(one, other)
        keys = np.stack([left, apex, right], axis=1)
        for key in np.unique(keys, axis=0):
            chosen = (keys == key).all(axis=1)
            name = "-".join(chemical_symbol(int(z)) for z in key)
            counts = self._counts.setdefault(name, np.zeros((self._blocks, _BINS), np.int64))
            counts[block] += np.bincount(place[chosen], minlength=_BINS)


def _couples(centres: Whole) -> list[tuple[Whole, Whole]]:
    """Pairs of bonds at one atom, each once; ``centres`` are sorted."""
    _, starts, counts = np.unique(centres, return_index=True, return_counts=True)
    found = []
    for count in np.unique(counts):
        if count < 2:
            continue
        first, second = np.triu_indices(int(count), 1)
        begin = starts[counts == count][:, None]
        found.append(((begin + first).ravel(), (begin + second).ravel()))
    return found
