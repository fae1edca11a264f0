"""A trajectory as the analysis sees it: equal atoms in every frame, read one frame at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.elements import chemical_symbol
from nnp.errors import StructureError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame, in the axes of the file.

    Attributes:
        positions: (n, 3), Å; wrapped into the cell or not.
        cell: (3, 3), Å; rows are the vectors, zero where there is none.
        velocities: (n, 3), Å/fs; None where the file has none, or not their unit.
        energy: potential energy, eV; NaN where unknown.
        stress: (3, 3), of the potential alone, eV/Å³, positive in tension; None where unknown.
        time_fs: NaN where unknown.
    """

    positions: Floats
    cell: Floats
    velocities: Floats | None = None
    energy: float = np.nan
    stress: Floats | None = None
    time_fs: float = np.nan


@dataclass(frozen=True, eq=False)
class Outline:
    """What can be known of all frames without reading their atoms.

    Attributes:
        count: how many frames there are.
        times_fs: (count,), NaN where unknown.
        energies: (count,), eV, NaN where unknown.
    """

    count: int
    times_fs: Floats
    energies: Floats

    @classmethod
    def unknown(cls, count: int) -> Outline:
        """Only the number of frames is known."""
        return cls(count, np.full(count, np.nan), np.full(count, np.nan))


class Trajectory(ABC):
    """Frames of the same atoms.

    Args:
        path: the file, or what messages call it.
        atoms: the first frame, as ASE has it: elements, masses, periodicity.
    """

    def __init__(self, path: str | Path, atoms: Any) -> None:
        self.path = Path(path)
        self.numbers: NDArray[np.int64] = np.asarray(atoms.numbers, np.int64)
        self.masses: Floats = np.asarray(atoms.get_masses(), np.float64)
        self.pbc: NDArray[np.bool_] = np.asarray(atoms.pbc, np.bool_)
        if not len(self.numbers):
            raise StructureError(f"{path}: its first frame has no atoms")

    def __len__(self) -> int:
        """Number of atoms."""
        return len(self.numbers)

    @property
    def symbols(self) -> list[str]:
        """Elements, each once, in the order of their atomic numbers."""
        return [chemical_symbol(int(z)) for z in np.unique(self.numbers)]

    @property
    def periodic(self) -> bool:
        """Whether there is a cell with three periodic axes."""
        return bool(self.pbc.all())

    def of_element(self, symbol: str) -> NDArray[np.int64]:
        """Indices of an element's atoms."""
        names = np.array([chemical_symbol(int(z)) for z in self.numbers])
        return np.flatnonzero(names == symbol)

    @abstractmethod
    def outline(self) -> Outline:
        """Count the frames, and gather what is cheap to know of each."""

    @abstractmethod
    def frames(self, start: int, stop: int, step: int = 1) -> Iterator[Frame]:
        """Read frames one after the other.

        Raises:
            FileFormatError: a frame is broken, or has other atoms than the first; names it.
        """

    def require_count(self, frame: int, count: int) -> None:
        """Refuse a frame of more or fewer atoms than the first one has."""
        if count != len(self):
            raise self.refuse_other_atoms(
                frame, f"{count} atoms, and the first frame has {len(self)}"
            )

    def refuse_other_atoms(self, frame: int, why: str) -> StructureError:
        """The error of a frame that does not go on from the first one."""
        return StructureError(
            f"{self.path}, frame {frame}: {why}; an average over different atoms has no meaning: "
            "give one file for each set of atoms (nnp.analysis takes lists of ase.Atoms too)"
        )
