"""The training and the validation set: which files, and how they are divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnp.errors import OptionError
from nnp.io.structures import ReadOptions
from nnp.structure import Structure
from nnp.train.data.checks import drop, dropped
from nnp.train.data.dataset import Dataset, LabelKeys
from nnp.train.data.energies import require_kind
from nnp.train.data.findings import require_kinds
from nnp.units import unit_system
from nnp.values import require_whole

# Blocks of a trajectory: so many, unless they would be longer than so many frames.
_PARTS, _LONGEST_BLOCK = 10, 20
# Å, root mean square over the atoms, that two frames of a trajectory may be apart.
_MOVED = 0.5


@dataclass(frozen=True)
class SplitSettings:
    """Which structures are kept for validation.

    Attributes:
        fraction: share drawn at random from each group, in [0, 1).
        groups: whole groups to hold out.
        indices: structures to hold out, from 0 as they are read; those that are left out of the fit
            count.
        seed: of the random draw.
        blocks: whether neighbouring frames of a trajectory, which are nearly copies, are drawn
            together, in blocks of up to a tenth of it.
    """

    fraction: float = 0.0
    groups: tuple[str, ...] = ()
    indices: tuple[int, ...] = ()
    seed: int = 0
    blocks: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.fraction < 1:
            raise OptionError(f"fraction = {self.fraction} of the split must be in [0, 1)")
        require_whole("seed of the split", self.seed, 0)


@dataclass(frozen=True)
class DataSettings:
    """[data]: what to learn from.

    Attributes:
        train: files of structures, folders and patterns.
        validation: files of further structures, used for validation only.
        units: units of n2p2's input.data, see `nnp.units.unit_system`.
        split: structures of ``train`` to hold out for validation.
        keys: where the labels are.
        reference_energies: atomic energies, eV; other elements by least squares.
        energies: ``"total"``, or ``"cohesive"``, from which no reference energies are subtracted;
            None: decide by the values, if all reference energies are given.
        types: elements of LAMMPS's types or of names, such as ``"Si,O"``.
        lammps_units: units of LAMMPS files that do not state them.
        any_geometry: whether to accept unphysical distances and densities.
        drop: kinds of structures to leave out, see `nnp.train.data.findings.KINDS`.
        largest_force: eV/Å; forces of structures with a larger component are not learned, their
            other labels are; None: no limit.
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
    largest_force: float | None = None

    def __post_init__(self) -> None:
        if not self.train:
            raise OptionError("train names no file")
        if self.largest_force is not None and not self.largest_force > 0:
            raise OptionError(
                f"largest_force = {self.largest_force}: eV/Å above 0, or leave it out"
            )
        require_kinds(self.drop, "drop")
        require_kind(self.energies)

    @property
    def options(self) -> ReadOptions:
        """What the files themselves do not state."""
        return ReadOptions(
            units=unit_system(self.units),
            types=self.types,
            lammps_units=self.lammps_units,
            any_geometry=self.any_geometry,
            meant=frozenset() if self.validation else frozenset(self._said),
        )

    @property
    def _said(self) -> list[str]:
        return [name for name in ("types", "lammps_units") if getattr(self, name) is not None]


def read_data(settings: DataSettings) -> tuple[Dataset, Dataset]:
    """Training and validation set."""
    return part(settings, Dataset.read(settings.train, settings.keys, options=settings.options))


def part(settings: DataSettings, found: Dataset) -> tuple[Dataset, Dataset]:
    """Training and validation set of structures that were read already."""
    numbered = _by_index(found, settings.split.indices)
    kept, left = dropped(found, settings.drop)
    places = tuple(place for place, number in enumerate(left) if number in numbered)
    settings = replace(settings, split=replace(settings.split, indices=places))
    kept = _without_large_forces(kept, settings.largest_force)
    train, held_out = split(kept, settings.split)
    if settings.validation:
        more = Dataset.read(
            settings.validation, settings.keys, require_keys=False, options=settings.options
        )
        more = _without_large_forces(drop(more, settings.drop), settings.largest_force)
        held_out = held_out + more
    return train, held_out


def _without_large_forces(dataset: Dataset, most: float | None) -> Dataset:
    if most is None:
        return dataset
    frames = tuple(
        replace(frame, forces=None)
        if frame.forces is not None and np.abs(frame.forces).max(initial=0.0) > most
        else frame
        for frame in dataset
    )
    return replace(dataset, frames=frames)


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
        if settings.blocks:
            chosen |= _drawn(blocks_of(dataset, members), count, rng)
        else:
            chosen |= {int(i) for i in rng.permutation(members)[:count]}
    return chosen


def _drawn(blocks: Sequence[Sequence[int]], count: int, rng: np.random.Generator) -> set[int]:
    """Whole blocks, as many as have ``count`` members at most; at least one member if any."""
    found: set[int] = set()
    for number in rng.permutation(len(blocks)):
        room = count - len(found)
        if len(blocks[number]) <= room or (not found and room > 0):
            found |= set(blocks[number][:room])
    return found


def blocks_of(dataset: Dataset, members: Sequence[int]) -> list[list[int]]:
    """Structures by what must not stand on both sides of a split: parts of trajectories.

    Args:
        dataset: all.
        members: indices, ascending.
    """
    runs: list[list[int]] = []
    for i in members:
        if (
            runs
            and runs[-1][-1] == i - 1
            and _follows(dataset[i - 1].structure, dataset[i].structure)
        ):
            runs[-1].append(i)
        else:
            runs.append([i])
    found = []
    for run in runs:
        length = min(max(1, len(run) // _PARTS), _LONGEST_BLOCK)
        found += [run[at : at + length] for at in range(0, len(run), length)]
    return found


def _follows(first: Structure, second: Structure) -> bool:
    """Whether a structure may be the next frame of a trajectory: the same atoms, hardly moved."""
    if len(first) != len(second) or (first.pbc != second.pbc).any():
        return False
    if (first.atomic_numbers != second.atomic_numbers).any():
        return False
    moved = second.positions - first.positions
    if first.pbc.all():
        shares = np.linalg.solve(second.cell.T, moved.T).T
        moved = (shares - np.round(shares)) @ second.cell
    return bool(np.sqrt((moved**2).sum(axis=1).mean()) < _MOVED)
