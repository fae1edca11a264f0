"""The cell of a structure as the GPU kernels see it: three vectors around all atoms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout
from nnp.errors import StructureError
from nnp.structure import Structure

# Shifts have a byte each.
_LARGEST_SHIFT = 127
# Å around the atoms along axes without periodicity.
_MARGIN = 1.0


@dataclass(frozen=True)
class Box:
    """Cell vectors, completed along axes without periodicity so that all atoms lie inside.

    Attributes:
        cell: (3, 3) rows are vectors, Å.
        origin: (3,) the corner, Å.
        periodic: (3,).
        reach: cutoff + skin, Å.
        units: (3,) points count in 1/units of a cell vector.
    """

    cell: NDArray[np.float64]
    origin: NDArray[np.float64]
    periodic: NDArray[np.bool_]
    reach: float
    units: NDArray[np.float64]

    @property
    def inverse(self) -> NDArray[np.float64]:
        """(3, 3): fraction = (r − origin) @ inverse."""
        return np.asarray(np.linalg.inv(self.cell), np.float64)

    @property
    def reach_fractions(self) -> NDArray[np.float64]:
        """(3,) the reach in fractions of the distance between opposite faces."""
        return _fractions(self.cell, self.reach)

    def bins(self, n: int) -> NDArray[np.int32]:
        """(3,) bins of half a reach or more, not many more than atoms."""
        counts = np.maximum(1, np.minimum(np.floor(2 / self.reach_fractions), 1000)).astype(int)
        while counts.prod() > 2 * n + 64:
            counts[np.argmax(counts)] //= 2
        return counts.astype(np.int32)

    def box_array(self, moved: float) -> NDArray[np.float64]:
        """The kernels' ``box``; ``moved``: how far an atom may go before the list is too old."""
        out = np.zeros(layout.BOX_SIZE)
        out[layout.BOX_CELL : layout.BOX_CELL + 9] = self.cell.ravel()
        out[layout.BOX_INVERSE : layout.BOX_INVERSE + 9] = self.inverse.ravel()
        out[layout.BOX_REACH : layout.BOX_REACH + 3] = self.reach_fractions
        out[layout.BOX_ORIGIN : layout.BOX_ORIGIN + 3] = self.origin
        out[layout.BOX_UNITS : layout.BOX_UNITS + 3] = self.units
        out[layout.BOX_PERIODIC : layout.BOX_PERIODIC + 3] = self.periodic
        out[layout.BOX_MOVED2] = moved**2
        out[layout.BOX_REACH2] = self.reach**2
        return out

    def frame_array(
        self, scale: float, limit: float, points_are_integers: bool
    ) -> NDArray[np.float64]:
        """The kernels' ``frame``."""
        units = self.units if points_are_integers else np.ones(3)
        out = np.zeros(layout.FRAME_SIZE)
        out[layout.FRAME_CELL : layout.FRAME_CELL + 9] = (self.cell / units[:, None]).ravel()
        out[layout.FRAME_UNITS : layout.FRAME_UNITS + 3] = units
        out[layout.FRAME_SCALE], out[layout.FRAME_LIMIT] = scale, limit
        return out

    def strain_to(self, cell: NDArray[np.float64]) -> float:
        """Largest relative change of a length when this cell becomes ``cell``."""
        return float(np.linalg.norm(self.inverse @ cell - np.eye(3), 2))


def make_box(structure: Structure, reach: float) -> Box:
    """The box of a structure.

    Raises:
        StructureError: a cell so small that neighbours lie too many cells away.
    """
    cell = _complete(structure.cell, structure.pbc)
    fractions = structure.positions @ np.linalg.inv(cell)
    origin = np.zeros(3)
    for axis in np.flatnonzero(~structure.pbc):
        low, high = float(fractions[:, axis].min()), float(fractions[:, axis].max())
        origin += (low - _MARGIN) * cell[axis]
        cell[axis] *= high - low + 2 * _MARGIN
    # as fine as 32 bits allow for distances within reach
    units = 2.0 ** (30 - np.maximum(0, np.ceil(np.log2(_fractions(cell, reach) + 1))))
    box = Box(cell, origin, structure.pbc.copy(), reach, units)
    shifts = np.where(box.periodic, np.ceil(box.reach_fractions) + 1, 0)
    if shifts.max() > _LARGEST_SHIFT:
        worst = int(np.argmax(shifts))
        raise StructureError(
            f"the cell is so small along axis {worst} that a neighbour at {reach:.3g} Å lies "
            f"{math.ceil(box.reach_fractions[worst])} cells away, at most {_LARGEST_SHIFT - 1} are "
            "allowed: repeat the cell"
        )
    return box


def _fractions(cell: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    return np.asarray(reach * np.linalg.norm(np.linalg.inv(cell), axis=0))


def _complete(cell: NDArray[np.float64], pbc: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rows without periodicity become unit vectors orthogonal to all others."""
    rows = np.where(pbc[:, None], cell, 0.0)
    free = np.flatnonzero(~pbc)
    if len(free) == 3:
        return np.eye(3)
    if len(free) == 0:
        return rows.copy()
    # the last right singular vectors span what the periodic vectors leave out
    rows[free] = np.linalg.svd(rows[pbc])[2][3 - len(free) :]
    return rows
