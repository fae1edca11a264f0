"""Paths of atoms through the periodic cells, without the jumps where they are put back.

Each step is the shortest of its images, in the cell of the later frame, and steps add up:
Kulke, Vermaas, J. Chem. Theory Comput. 18, 6161 (2022), doi:10.1021/acs.jctc.2c00327; von Bülow,
Bullerjahn, Hummer, J. Chem. Phys. 153, 021101 (2020), doi:10.1063/5.0008316.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A step longer than this share of the cell may have been the other way round.
_DOUBTFUL = 0.4


class Unwrapper:
    """Follows the atoms from frame to frame.

    Args:
        masses: (n,), u: the centre of mass is taken to rest.
        pbc: (3,), which axes are periodic.

    Attributes:
        longest_step: largest share of the cell that an atom moved between two frames.
    """

    def __init__(self, masses: Floats, pbc: NDArray[np.bool_]) -> None:
        self._weights = masses / masses.sum()
        self._pbc = pbc
        self._last: Floats | None = None
        self._path: Floats | None = None
        self.longest_step = 0.0

    def follow(self, positions: Floats, cell: Floats) -> Floats:
        """(n, 3) displacements from the first frame, Å, without the centre of mass's.

        Args:
            positions: (n, 3), Å.
            cell: (3, 3), rows are the vectors.
        """
        if self._last is None or self._path is None:
            self._path = np.zeros_like(positions)
        else:
            self._path += self._step(positions - self._last, cell)
        self._last = positions.copy()
        return np.asarray(self._path - self._weights @ self._path)

    @property
    def doubtful(self) -> bool:
        """Whether frames are so far apart that an atom's way between them is not certain."""
        return self.longest_step > _DOUBTFUL

    def _step(self, difference: Floats, cell: Floats) -> Floats:
        if not self._pbc.any():
            return difference
        shares = difference @ np.linalg.inv(cell) if cell.any() else np.zeros_like(difference)
        shares[:, ~self._pbc] = 0.0
        whole = np.rint(shares)
        if whole.any():
            difference = difference - whole @ cell
            shares -= whole
        self.longest_step = max(self.longest_step, float(np.abs(shares).max(initial=0.0)))
        return difference
