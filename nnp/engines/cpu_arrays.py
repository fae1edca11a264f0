"""Arrays as the C library takes them: addresses, and a structure that is kept between calls."""

from __future__ import annotations

import ctypes as ct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines import _library as c
from nnp.potential import Potential
from nnp.structure import Structure

# Any: NumPy's arrays are buffers for checkers from Python 3.12 on. Looked up once, for every call.
_FROM_BUFFER: Any = (ct.c_char * 0).from_buffer
_ADDRESS_OF = ct.addressof


def address(array: NDArray[Any] | None) -> Any:
    """Where a contiguous array begins, which has to outlive what uses it; None for None."""
    if array is None:
        return None
    try:
        return _ADDRESS_OF(_FROM_BUFFER(array))  # a quarter of the time of array.ctypes
    except TypeError:  # read-only
        return array.ctypes.data


class StructureForCalls:
    """The nnp_structure of an engine: what changes less often than positions is read when it does.

    Attributes:
        elements: (n,) index into the potential's models, of the structure read last.
        ends: (n,) where each atom's functions end in a flat array of all.
    """

    def __init__(self, potential: Potential) -> None:
        self._potential = potential
        self._widths = np.array([len(model.functions) for model in potential.models])
        self._known: tuple[bytes, ...] = ()
        self._arrays = c.StructureArrays()
        self._reference = ct.byref(self._arrays)

    def read(self, structure: Structure) -> Any:
        """A reference to the nnp_structure, good until the next call and as long as its positions.

        Raises:
            StructureError: there are no atoms, or an atom's element has no model.
        """
        numbers, cell, pbc = structure.atomic_numbers, structure.cell, structure.pbc
        known = numbers.tobytes(), cell.tobytes(), pbc.tobytes()
        if known != self._known:
            self.elements = self._potential.element_indices(structure)
            self.ends = np.cumsum(self._widths[self.elements])
            self._numbers, self._cell = numbers.astype(np.int32), cell.copy()
            self._arrays.n_atoms = len(numbers)
            self._arrays.atomic_numbers = address(self._numbers)
            self._arrays.cell = address(self._cell)
            self._arrays.periodic[:] = pbc.tolist()
            self._known = known
        self._arrays.positions = address(structure.positions)
        return self._reference
