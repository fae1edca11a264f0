"""The training and the validation set: which files, and how they are divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nnp.errors import OptionError
from nnp.io.structures import ReadOptions
from nnp.train.data.checks import drop
from nnp.train.data.dataset import Dataset, LabelKeys
from nnp.train.data.energies import require_kind
from nnp.train.data.findings import require_kinds
from nnp.units import unit_system


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


@dataclass(frozen=True)
class DataSettings:
    """[data]: what to learn from.

    Attributes:
        train: files of structures, folders and patterns of them.
        validation: files of more structures, never trained on.
        units: of n2p2's input.data, see `nnp.units.unit_system`.
        split: structures of ``train`` to keep for validation.
        keys: where the labels are.
        reference_energies: eV per atom of an element; the others by least squares.
        energies: ``"total"`` or ``"cohesive"``, from which no reference energies are taken off;
            None: as the numbers say, where all reference energies are given.
        types: elements of LAMMPS's types or of names, such as ``"Si,O"``.
        lammps_units: of LAMMPS's files that do not say them.
        any_geometry: whether to take distances and densities that no matter has.
        drop: kinds of structures to leave out, see `nnp.train.data.findings.KINDS`.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    units: str | None = None
    split: SplitSettings = field(default_factory=SplitSettings)
    keys: LabelKeys = field(default_factory=LabelKeys)
    reference_energies: dict[str, float] = field(default_factory=dict)
    energies: str | None = None
    types: str | None = None
    lammps_units: str | None = None
    any_geometry: bool = False
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.train:
            raise OptionError("train names no file")
        require_kinds(self.drop, "drop")
        require_kind(self.energies)

    @property
    def options(self) -> ReadOptions:
        """What is said of the files."""
        return ReadOptions(
            units=unit_system(self.units),
            types=self.types,
            lammps_units=self.lammps_units,
            any_geometry=self.any_geometry,
        )


def read_data(settings: DataSettings) -> tuple[Dataset, Dataset]:
    """Training and validation set."""
    return part(settings, Dataset.read(settings.train, settings.keys, options=settings.options))


def part(settings: DataSettings, found: Dataset) -> tuple[Dataset, Dataset]:
    """Training and validation set of structures that were read already."""
    train, held_out = split(drop(found, settings.drop), settings.split)
    if settings.validation:
        more = Dataset.read(
            settings.validation, settings.keys, require_keys=False, options=settings.options
        )
        held_out = held_out + drop(more, settings.drop)
    return train, held_out


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
