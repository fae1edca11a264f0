"""Labelled structures of a fit: reading them, and taking parts of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import NNPError, OptionError, StructureError
from nnp.io.structures import read_structures
from nnp.structure import as_structure
from nnp.train.data.frames import LabelledStructure
from nnp.units import HARTREE, UnitSystem
from nnp.values import counted

_XSF_ENERGY = re.compile(r"^#\s*total energy\s*=\s*([-+.\dEe]+)\s*eV", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class LabelKeys:
    """Where the labels are, when not in the calculator that ASE attaches to what it reads.

    A key that is named must be in at least one structure.

    Attributes:
        energy: key of ``atoms.info``, eV.
        forces: key of ``atoms.arrays``, eV/Å.
        stress: key of ``atoms.info``, eV/Å³, (6,) in ASE's order or (3, 3).
        virial: key of ``atoms.info``, eV, (6,) or (3, 3); stress = −virial / volume.
        group: key of ``atoms.info``: name of the group.
        weight: key of ``atoms.info``: weight of the structure.
    """

    energy: str | None = None
    forces: str | None = None
    stress: str | None = None
    virial: str | None = None
    group: str = "group"
    weight: str = "weight"


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[LabelledStructure]):
    """Labelled structures.

    Attributes:
        frames: the structures.
    """

    frames: tuple[LabelledStructure, ...]

    @classmethod
    def read(
        cls,
        paths: str | Path | Iterable[str | Path],
        keys: LabelKeys | None = None,
        units: UnitSystem | None = None,
        require_keys: bool = True,
    ) -> Dataset:
        """Read every structure of one or more files.

        Args:
            paths: extxyz, n2p2's input.data, aenet's XSF, or anything ``ase.io.read`` knows
                (OUTCAR, vasprun.xml, trajectories, databases …).
            keys: where the labels are; those of the calculator when None.
            units: of an input.data; bohr and hartree when None.
            require_keys: whether one of the structures must have each of the keys.

        Raises:
            FileFormatError: a file that cannot be read.
            StructureError: labels of the wrong shape or not finite; names file and index.
            OptionError: a key that no structure has; lists those that there are.
        """
        single = isinstance(paths, str | Path)
        files: list[str | Path] = [paths] if single else list(paths)  # type: ignore[list-item,arg-type]
        frames: list[LabelledStructure] = []
        there: set[str] = set()
        for path in files:
            atoms = read_structures(path, units)
            there |= _names(atoms)
            frames += _with_xsf_energy(_frames(atoms, keys, str(path)), Path(path))
        if require_keys:
            _require(keys, there, ", ".join(map(str, files)))
        return cls(tuple(frames))

    @classmethod
    def from_atoms(
        cls, atoms: Iterable[Any], keys: LabelKeys | None = None, source: str = "atoms"
    ) -> Dataset:
        """From ``ase.Atoms`` with calculators, or with labels under ``keys``.

        Raises:
            StructureError: labels of the wrong shape or not finite; names source and index.
            OptionError: a key that no structure has; lists those that there are.
        """
        held = list(atoms)
        _require(keys, _names(held), source)
        return cls(_frames(held, keys, source))

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: Any) -> Any:
        return self.frames[index]

    def __iter__(self) -> Iterator[LabelledStructure]:
        return iter(self.frames)

    def __add__(self, other: Dataset) -> Dataset:
        return Dataset(self.frames + other.frames)

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
        return Dataset(tuple(self.frames[int(i)] for i in indices))

    @property
    def labels(self) -> dict[str, int]:
        """How many structures have an energy, forces, a stress; without those that none has."""
        counts = {
            name: sum(getattr(frame, name) is not None for frame in self.frames)
            for name in ("energy", "forces", "stress")
        }
        return {name: count for name, count in counts.items() if count}

    def summary(self) -> str:
        """One line: how many structures, atoms and labels."""
        known = ", ".join(f"{count} {name}" for name, count in self.labels.items())
        return (
            f"{counted(len(self), 'structure')}, {counted(self.n_atoms, 'atom')} of "
            f"{' '.join(self.elements)}; labels: {known or 'none'}"
        )


def _frames(
    atoms: Iterable[Any], keys: LabelKeys | None, source: str
) -> tuple[LabelledStructure, ...]:
    keys = keys or LabelKeys()
    return tuple(_labelled(a, keys, f"{source}, structure {i}") for i, a in enumerate(atoms))


def _names(atoms: Iterable[Any]) -> set[str]:
    """Every key under which the structures hold something, atoms and positions aside."""
    found: set[str] = set()
    for frame in atoms:
        found.update(frame.info, frame.arrays, () if frame.calc is None else frame.calc.results)
    return found - {"numbers", "positions"}


def _require(keys: LabelKeys | None, there: set[str], source: str) -> None:
    for name, default in asdict(LabelKeys()).items():
        key = getattr(keys or LabelKeys(), name)
        if key != default and key not in there:
            raise OptionError(
                f"no structure of {source} has {key!r}, named as the key of {name}; there are: "
                f"{', '.join(sorted(there)) or 'none'}"
            )


def _with_xsf_energy(
    frames: tuple[LabelledStructure, ...], path: Path
) -> tuple[LabelledStructure, ...]:
    """Labels as aenet writes them into an XSF: ``# total energy = E eV``, and forces in eV/Å.

    The format itself has forces in hartree/Å, which is how ASE reads them.
    """
    if path.suffix.lower() != ".xsf":
        return frames
    text = path.read_text(encoding="utf-8", errors="replace")
    energies = [float(number) for number in _XSF_ENERGY.findall(text)]
    if len(energies) != len(frames):  # not from aenet
        return frames
    return tuple(
        replace(f, energy=e, forces=None if f.forces is None else f.forces / HARTREE)
        for f, e in zip(frames, energies, strict=True)
    )


def _labelled(atoms: Any, keys: LabelKeys, where: str) -> LabelledStructure:
    try:
        structure = as_structure(atoms)
        n = len(structure)
        stress = _tensor(_label(atoms, "stress", keys.stress, "info"), "stress")
        if keys.virial is not None and stress is None:
            virial = _tensor(_label(atoms, "virial", keys.virial, "info"), "virial")
            stress = None if virial is None else -virial / structure.volume
        energy = _array(_label(atoms, "energy", keys.energy, "info"), "energy", ())
        return LabelledStructure(
            structure,
            energy=None if energy is None else float(energy),
            forces=_array(_label(atoms, "forces", keys.forces, "arrays"), "forces", (n, 3)),
            stress=stress,
            weight=_weight(atoms, keys),
            group=str(atoms.info.get(keys.group, "")),
            where=where,
        )
    except NNPError as error:
        raise type(error)(f"{where}: {error}") from None


def _label(atoms: Any, name: str, key: str | None, store: str) -> Any:
    if key is None:
        results: dict[str, Any] = {} if atoms.calc is None else atoms.calc.results
        return results.get(name)
    held = getattr(atoms, store)
    # ASE moves a column or key called like one of its results into the calculator
    return held.get(key, None if atoms.calc is None else atoms.calc.results.get(key))


def _weight(atoms: Any, keys: LabelKeys) -> float:
    weight = _array(atoms.info.get(keys.weight, 1.0), "weight", ())
    if weight is None or weight < 0:
        raise OptionError(f"weight {weight} must not be negative")
    return float(weight)


def _array(value: Any, name: str, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    if value is None:
        return None
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError):
        raise StructureError(f"its {name} {value!r} is not a number") from None
    if array.shape != shape:
        raise StructureError(f"its {name} has shape {array.shape}: {shape} is wanted")
    if not np.isfinite(array).all():
        raise StructureError(f"its {name} is not finite: remove the structure or the label")
    return array


def _tensor(value: Any, name: str) -> NDArray[np.float64] | None:
    """(6,) in ASE's order from (6,), (3, 3) or 9 numbers."""
    if value is not None and np.size(value) == 9:
        full = np.reshape(np.asarray(value, np.float64), (3, 3))
        value = ((full + full.T) / 2)[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    return _array(value, name, (6,))
