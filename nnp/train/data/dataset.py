"""Labelled structures of a fit: reading them, and taking parts of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnp.elements import atomic_number
from nnp.errors import NNPError, OptionError
from nnp.io.structures import LabelKeys, Labels, ReadOptions, labels_of, require_keys
from nnp.io.structures.folders import read_many
from nnp.io.structures.labels import drop_zero_energies, held
from nnp.io.structures.suggest import key_options, suggest_keys
from nnp.structure import as_structure
from nnp.train.data.frames import LabelledStructure
from nnp.train.data.tensors import STRESS, VIRIAL, kinds_of_tensor
from nnp.units import UnitSystem
from nnp.values import counted

__all__ = ["Dataset", "LabelKeys"]


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[LabelledStructure]):
    """Labelled structures.

    Attributes:
        frames: the structures.
        notes: what was understood of the files they are from, and what was left out.
        suggested: keys of labels that nothing names, by label.
        contradictions: what differs among the settings of the programs that made the labels.
    """

    frames: tuple[LabelledStructure, ...]
    notes: tuple[str, ...] = ()
    suggested: dict[str, str] = field(default_factory=dict)
    contradictions: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        paths: str | Path | Iterable[str | Path],
        keys: LabelKeys | None = None,
        units: UnitSystem | None = None,
        require_keys: bool = True,
        options: ReadOptions | None = None,
    ) -> Dataset:
        """Read every structure of one or more files.

        Args:
            paths: whatever `nnp.io.structures.read` knows: extxyz, n2p2's input.data, aenet's XSF,
                OUTCAR, vasprun.xml, trajectories, databases …; folders and patterns of them.
            keys: where the labels are; those of the calculator when None.
            units: of an input.data; bohr and hartree when None.
            require_keys: whether one of the structures must have each of the keys.
            options: what the files themselves do not state; ``keys`` and ``units`` go first.

        Raises:
            FileFormatError: a file that cannot be read.
            StructureError: labels of the wrong shape or not finite; names file and index.
            OptionError: a key that no structure has; lists those that there are.
        """
        single = isinstance(paths, str | Path)
        files: list[str | Path] = [paths] if single else list(paths)  # type: ignore[list-item,arg-type]
        options = options or ReadOptions()
        options = replace(options, keys=keys or options.keys, units=units or options.units)
        listed = read_many(files, options)
        options.require_use(", ".join(map(str, files)))
        listed.say()
        frames = [
            _labelled(atoms, labels, options.keys, f"{found.path}, structure {number}")
            for found in listed.read
            for number, (atoms, labels) in enumerate(zip(found.frames, found.labels, strict=True))
        ]
        if require_keys:
            there = {name for found in listed.read for name in found.names}
            _require(options.keys, there, ", ".join(map(str, files)))
        atoms = [frame for found in listed.read for frame in found.frames]
        suggested = suggest_keys(atoms)
        taken = {name for name in LabelKeys.__dataclass_fields__ if getattr(options.keys, name)}
        suggested = {name: key for name, key in suggested.items() if name not in taken}
        notes = [*listed.lines, *_tensors(atoms, suggested)]
        return cls(tuple(frames), tuple(notes), suggested, tuple(listed.contradictions))

    @classmethod
    def from_atoms(
        cls, atoms: Iterable[Any], keys: LabelKeys | None = None, source: str = "atoms"
    ) -> Dataset:
        """From ``ase.Atoms`` with calculators, or with labels under ``keys``.

        Raises:
            StructureError: labels of the wrong shape or not finite; names source and index.
            OptionError: a key that no structure has; lists those that there are.
        """
        given, keys = list(atoms), keys or LabelKeys()
        there = {str(name) for frame in given for name in held(frame)}
        _require(keys, there - {"numbers", "positions"}, source)
        places = [f"{source}, structure {number}" for number in range(len(given))]
        labels = [_labels(frame, keys, where) for frame, where in zip(given, places, strict=True)]
        drop_zero_energies(given, labels)
        found = zip(given, labels, places, strict=True)
        return cls(tuple(_labelled(frame, own, keys, where) for frame, own, where in found))

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: Any) -> Any:
        return self.frames[index]

    def __iter__(self) -> Iterator[LabelledStructure]:
        return iter(self.frames)

    def __add__(self, other: Dataset) -> Dataset:
        suggested = self.suggested | other.suggested
        return Dataset(
            self.frames + other.frames,
            self.notes + other.notes,
            suggested,
            self.contradictions + other.contradictions,
        )

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of all atoms, by atomic number."""
        found = {symbol for frame in self.frames for symbol in frame.structure.symbols}
        return tuple(sorted(found, key=atomic_number))

    @property
    def n_atoms(self) -> int:
        """Atoms of all structures."""
        return sum(len(frame) for frame in self.frames)

    @property
    def groups(self) -> dict[str, int]:
        """Structures per group, in order of appearance."""
        return dict(Counter(frame.group for frame in self.frames))

    def subset(self, indices: Iterable[int]) -> Dataset:
        """The structures with these indices."""
        return replace(self, frames=tuple(self.frames[int(i)] for i in indices))

    @property
    def labels(self) -> dict[str, int]:
        """How many structures have an energy, forces, a stress; without those that none has."""
        counts = {
            name: sum(getattr(frame, name) is not None for frame in self.frames)
            for name in ("energy", "forces", "stress")
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def key_hint(self) -> str:
        """What to say where labels are under names that nothing names; empty without."""
        if not self.suggested:
            return ""
        return f"it has {', '.join(self.suggested.values())}: {key_options(self.suggested)}"

    def summary(self) -> str:
        """One line: how many structures, atoms and labels."""
        known = ", ".join(f"{count} {name}" for name, count in self.labels.items())
        return (
            f"{counted(len(self), 'structure')}, {counted(self.n_atoms, 'atom')} of "
            f"{' '.join(self.elements)}; labels: {known or 'none'}"
        )


# The argument of `Dataset.read` has this name.
_require = require_keys


def _labels(atoms: Any, keys: LabelKeys, where: str) -> Labels:
    try:
        return labels_of(atoms, keys)
    except NNPError as error:
        raise type(error)(f"{where}: {error}") from None


def _labelled(atoms: Any, labels: Labels, keys: LabelKeys, where: str) -> LabelledStructure:
    try:
        return LabelledStructure(
            as_structure(atoms),
            energy=labels.energy,
            forces=labels.forces,
            stress=labels.stress,
            weight=_weight(atoms, keys),
            group=_group(atoms, keys),
            where=where,
        )
    except NNPError as error:
        raise type(error)(f"{where}: {error}") from None


def _tensors(frames: Sequence[Any], suggested: dict[str, str]) -> Iterator[str]:
    """Lines about tensors that could be labels; only those of our units stay suggested."""
    names = {suggested.pop(n): n for n in ("stress", "virial") if n in suggested}
    for key, name in sorted(names.items()):
        own = [a for a in frames if all(a.pbc) and np.size(held(a).get(key, 0.0)) in (6, 9)]
        values = [np.asarray(held(a)[key], np.float64).ravel() for a in own]
        trace = [v[:3].mean() if v.size == 6 else v[[0, 4, 8]].mean() for v in values]
        kinds = kinds_of_tensor([as_structure(a) for a in own], np.array(trace))
        said = STRESS if name == "stress" else VIRIAL  # decides where several are possible
        kinds = [said] * (said in kinds) + [kind for kind in kinds if kind != said]
        if kinds and kinds[0] in (STRESS, VIRIAL):
            suggested["stress" if kinds[0] == STRESS else "virial"] = key
        what = (
            " or ".join(kinds) if kinds else "the volumes show neither what it is nor in which unit"
        )
        yield f"{key} is not used; by how it changes with the volume: {what}"


def _group(atoms: Any, keys: LabelKeys) -> str:
    """``config_type``, as GAP's and MACE's files have it, where nothing else is named or there."""
    others = ("config_type",) if keys.group == LabelKeys.group else ()
    return str(next((atoms.info[k] for k in (keys.group, *others) if k in atoms.info), ""))


def _weight(atoms: Any, keys: LabelKeys) -> float:
    value = atoms.info.get(keys.weight, 1.0)
    try:
        weight = float(value)
    except (TypeError, ValueError):
        raise OptionError(f"its weight {value!r} is not a number") from None
    if not 0 <= weight < math.inf:
        raise OptionError(f"weight {weight} must be finite and not negative")
    return weight
