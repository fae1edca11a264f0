"""What one evaluation returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nnp.structure import Structure


class Extrapolation(NamedTuple):
    """One symmetry function of one atom outside the range of the training data.

    Attributes:
        atom: index of the atom.
        function: index of the function (canonical order, from 0) of the atom's element.
        excess: how far G lies below its minimum (negative) or above its maximum (positive).
        relative: excess / (maximum − minimum).
    """

    atom: int
    function: int
    excess: float
    relative: float


@dataclass(frozen=True, eq=False)
class Extrapolations:
    """All extrapolating (atom, function) pairs of a structure, ordered by atom.

    Attributes:
        atoms: (m,) indices of atoms.
        functions: (m,) indices of functions (canonical order, from 0).
        excess: (m,) how far G is below its minimum (negative) or above its maximum (positive).
        relative: (m,) excess / (maximum − minimum).
    """

    atoms: NDArray[np.int64]
    functions: NDArray[np.int64]
    excess: NDArray[np.float64]
    relative: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.atoms)

    def __getitem__(self, index: int) -> Extrapolation:
        return Extrapolation(
            int(self.atoms[index]),
            int(self.functions[index]),
            float(self.excess[index]),
            float(self.relative[index]),
        )

    def __iter__(self) -> Iterator[Extrapolation]:
        return (self[index] for index in range(len(self)))

    @property
    def n_atoms(self) -> int:
        """Number of atoms that extrapolate in at least one function."""
        return len(np.unique(self.atoms))

    @property
    def worst(self) -> Extrapolation | None:
        """The pair furthest outside, relative to its training range; None if there is none."""
        return self[int(np.argmax(np.abs(self.relative)))] if len(self) else None


NO_EXTRAPOLATIONS = Extrapolations(*np.empty((2, 0), np.int64), *np.empty((2, 0)))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Energy and its derivatives for one structure.

    Attributes:
        energy: potential energy, eV.
        energies: (n,) energy of each atom, eV; they add up to ``energy``.
        forces: (n, 3) −dE/dr, eV/Å; None if not requested.
        stress: (6,) (1/V) dE/dε in ASE's order xx, yy, zz, yz, xz, xy, eV/Å³; None if not
            requested.
        extrapolations: functions outside their training range.
        virials: (n, 3, 3) Σ_j r_ij ⊗ dE_i/dr_ij of each atom i, eV; they add up to stress · V.
            None if not requested.
    """

    energy: float
    energies: NDArray[np.float64]
    forces: NDArray[np.float64] | None
    stress: NDArray[np.float64] | None
    extrapolations: Extrapolations
    virials: NDArray[np.float64] | None = field(default=None, kw_only=True)


@dataclass(frozen=True, eq=False)
class ArrayEvaluation:
    """An `Evaluation` whose arrays are of the kind of the positions.

    Attributes:
        energy: () potential energy, eV, float64.
        energies: (n,) energy of each atom, eV, float64.
        forces: (n, 3) −dE/dr, eV/Å, in the type of the positions; None when not asked for.
        stress: (6,) (1/V) dE/dε, xx, yy, zz, yz, xz, xy, eV/Å³, float64; None when not asked for.
        extrapolations: functions outside their training range, in NumPy arrays.
    """

    energy: Any
    energies: Any
    forces: Any
    stress: Any
    extrapolations: Extrapolations


@dataclass(frozen=True, eq=False)
class Addition:
    """What an energy term adds to the networks.

    Attributes:
        energies: (n,) of each atom, eV.
        forces: (n, 3) −dE/dr, eV/Å.
        virials: (n, 3, 3) Σ_j r_ij ⊗ dE_i/dr_ij of each atom i, eV.
    """

    energies: NDArray[np.float64]
    forces: NDArray[np.float64]
    virials: NDArray[np.float64]


class Evaluator(Protocol):
    """The part of an engine that a potential needs; the whole is `nnp.engines.Engine`."""

    name: str

    def compute(
        self, structure: Structure, forces: bool = True, stress: bool = False
    ) -> Evaluation:
        """Energy, on request forces (eV/Å) and stress (eV/Å³)."""
        ...

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """Symmetry functions, one array per atom, raw or scaled."""
        ...


def voigt(stress: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) symmetric tensor → (6,) in ASE's order xx, yy, zz, yz, xz, xy.

    >>> voigt(np.array([[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]]))
    array([1., 2., 3., 4., 5., 6.])
    """
    symmetric = (stress + stress.T) / 2
    return symmetric[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
