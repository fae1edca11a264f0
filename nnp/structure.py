"""One set of atoms: positions, species, cell, periodicity; checked once, where it enters."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.elements import SYMBOLS, chemical_symbol
from nnp.errors import StructureError

# A box whose edge vectors span less than this share of a cube of the same edge lengths has no
# usable volume: heights and fractional coordinates would be rounding noise.
_FLAT_CELL = 1e-8


@dataclass(frozen=True)
class Structure:
    """A set of atoms, with or without a cell.

    Attributes:
        positions: (n, 3), Å.
        atomic_numbers: (n,).
        cell: (3, 3), Å; rows are the cell vectors, zero for an axis without one.
        pbc: (3,), whether each axis is periodic.
    """

    positions: NDArray[np.float64]
    atomic_numbers: NDArray[np.int64]
    cell: NDArray[np.float64]
    pbc: NDArray[np.bool_]

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "positions", _array("positions", self.positions, np.float64, (-1, 3)))
        set_(self, "atomic_numbers", _whole_numbers(self.atomic_numbers))
        set_(self, "cell", _array("cell", self.cell, np.float64, (3, 3)))
        set_(self, "pbc", _array("pbc", self.pbc, np.bool_, (3,)))
        _check_atoms(self)
        _check_cell(self)

    def __len__(self) -> int:
        return len(self.positions)

    def moved(self, positions: Any, cell: Any = None) -> Structure:
        """The same atoms at other positions.

        Only the new values are checked, which takes a tenth of the time of a new `Structure`.

        Args:
            positions: (n, 3), Å.
            cell: (3, 3), Å; None: unchanged.

        Raises:
            StructureError: positions or cell cannot be evaluated.
        """
        new = copy.copy(self)
        new.__dict__["positions"] = _array("positions", positions, np.float64, (-1, 3))
        _check_positions(new)
        if cell is not None:
            new.__dict__["cell"] = _array("cell", cell, np.float64, (3, 3))
            _check_cell(new)
        return new

    @property
    def symbols(self) -> list[str]:
        """Chemical symbol of each atom."""
        return [chemical_symbol(int(z)) for z in self.atomic_numbers]

    @property
    def volume(self) -> float:
        """Volume of the cell in Å³.

        Raises:
            StructureError: the structure is not periodic along all three axes.
        """
        if not self.pbc.all():
            raise StructureError(
                f"a volume (and so a stress) needs pbc along all three axes, got pbc={self.pbc}: "
                "leave the stress out, or give the structure a cell and pbc=True"
            )
        return float(abs(np.linalg.det(self.cell)))


def as_structure(atoms: Any) -> Structure:
    """A `Structure` from a `Structure` or an ``ase.Atoms`` (anything with its four attributes).

    Raises:
        StructureError: the object lacks those attributes, or they cannot be evaluated.
    """
    if isinstance(atoms, Structure):
        return atoms
    try:
        return Structure(atoms.positions, atoms.numbers, np.asarray(atoms.cell), atoms.pbc)
    except AttributeError:
        raise StructureError(
            f"atoms is a {type(atoms).__name__}: give an ase.Atoms or an nnp.Structure"
        ) from None


def _array(name: str, value: Any, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    try:
        array = np.ascontiguousarray(value, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise StructureError(f"{name} cannot be read as an array of numbers: {error}") from None
    if name == "pbc" and array.size == 1:
        array = np.repeat(array.reshape(1), 3)
    fits = array.ndim == len(shape) and all(
        want in (-1, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = str(shape).replace("-1", "n")
        raise StructureError(f"{name} has shape {array.shape}: {wanted} is expected")
    return array


def _whole_numbers(value: Any) -> NDArray[np.int64]:
    numbers = _array("atomic_numbers", value, np.float64, (-1,))
    whole = numbers == np.round(numbers)
    if not whole.all():
        atom = int(np.argmin(whole))
        raise StructureError(f"atomic number of atom {atom} is {numbers[atom]}: no such element")
    clipped: NDArray[np.int64] = np.clip(numbers, -1, 1000).astype(np.int64)
    return clipped


def _check_positions(structure: Structure) -> None:
    positions, numbers = structure.positions, structure.atomic_numbers
    if len(positions) != len(numbers):
        raise StructureError(f"{len(positions)} positions but {len(numbers)} atomic_numbers")
    if not np.isfinite(positions).all():
        atom = int(np.argmin(np.isfinite(positions).all(axis=1)))
        raise StructureError(f"position of atom {atom} is {positions[atom]}: not finite")


def _check_atoms(structure: Structure) -> None:
    _check_positions(structure)
    numbers = structure.atomic_numbers
    known = (numbers >= 1) & (numbers <= len(SYMBOLS))
    if not known.all():
        atom = int(np.argmin(known))
        raise StructureError(f"atomic number of atom {atom} is {numbers[atom]}: no such element")


def _check_cell(structure: Structure) -> None:
    cell, pbc = structure.cell, structure.pbc
    if not np.isfinite(cell).all():
        raise StructureError(f"cell has values that are not finite: {cell.tolist()}")
    lengths = np.linalg.norm(cell, axis=1)
    for axis in np.flatnonzero(pbc & (lengths == 0)):
        raise StructureError(
            f"pbc is True along axis {axis} but its cell vector is zero: set the vector or "
            f"pbc[{axis}]=False"
        )
    periodic = cell[pbc]
    # Gram determinant: squared length, area or volume that the periodic vectors span
    spanned = np.sqrt(max(np.linalg.det(periodic @ periodic.T), 0.0)) if len(periodic) else 1.0
    if spanned <= _FLAT_CELL * np.prod(lengths[pbc]):
        raise StructureError(
            f"the periodic cell vectors {periodic.tolist()} span no volume: "
            "they must be linearly independent"
        )
