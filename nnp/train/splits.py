"""Parting data into training and validation sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnp.errors import OptionError
from nnp.train.dataset import Dataset


@dataclass(frozen=True)
class SplitSettings:
    """Which structures are kept for validation.

    Attributes:
        fraction: share drawn at random from each group, in [0, 1).
        groups: whole groups.
        indices: of structures, from 0.
        seed: of the draw.
    """

    fraction: float = 0.0
    groups: tuple[str, ...] = ()
    indices: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.fraction < 1:
            raise OptionError(f"fraction = {self.fraction} of the split must be in [0, 1)")


def split(dataset: Dataset, settings: SplitSettings) -> tuple[Dataset, Dataset]:
    """Training and validation set; every structure is in one of them.

    Raises:
        OptionError: a group or index that is not there, or nothing left to train on.
    """
    kept = _by_name(dataset, settings.groups) | _by_index(dataset, settings.indices)
    kept |= _by_fraction(dataset, settings, kept)
    rest = [i for i in range(len(dataset)) if i not in kept]
    if not rest:
        raise OptionError("the split leaves no structure to train on: keep fewer for validation")
    return dataset.subset(rest), dataset.subset(sorted(kept))


def _by_name(dataset: Dataset, groups: Sequence[str]) -> set[int]:
    for group in groups:
        if group not in dataset.groups:
            known = ", ".join(repr(name) for name in dataset.groups)
            raise OptionError(f"no structure is in group {group!r}: the data has {known}")
    return {i for i, frame in enumerate(dataset) if frame.group in groups}


def _by_index(dataset: Dataset, indices: Sequence[int]) -> set[int]:
    for index in indices:
        if not 0 <= index < len(dataset):
            raise OptionError(
                f"index {index} of the split: the data has structures 0 to {len(dataset) - 1}"
            )
    return set(indices)


def _by_fraction(dataset: Dataset, settings: SplitSettings, taken: set[int]) -> set[int]:
    rng = np.random.default_rng(settings.seed)
    chosen: set[int] = set()
    for group in dataset.groups:
        members = [i for i, f in enumerate(dataset) if f.group == group and i not in taken]
        count = round(settings.fraction * len(members))
        chosen |= {int(i) for i in rng.permutation(members)[:count]}
    return chosen
