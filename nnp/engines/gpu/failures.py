"""What makes an evaluation impossible, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout
from nnp.errors import NumericalError, StructureError
from nnp.structure import Structure


def require_finite(positions: NDArray[np.float64]) -> None:
    """Refuse positions (n, 3) that are not finite.

    Raises:
        StructureError: names the first such atom.
    """
    finite = np.isfinite(positions).all(axis=1)
    if not finite.all():
        atom = int(np.argmin(finite))
        raise StructureError(f"position of atom {atom} is not finite: {positions[atom]}")


def raise_failures(structure: Structure, status: NDArray[np.int32], is_last_scale: bool) -> None:
    """Raise what the atoms' status says; return where only a force was too large for its unit.

    Args:
        structure: the atoms.
        status: (n,) bits of `layout`.
        is_last_scale: whether no coarser unit is left.

    Raises:
        StructureError: two atoms are in the same place.
        NumericalError: an energy or a force is not finite.
    """
    overlapping = np.flatnonzero(status & layout.STATUS_OVERLAP)
    if len(overlapping):
        first, second = sorted((int(overlapping[0]), _partner(structure, int(overlapping[0]))))
        raise StructureError(
            f"atoms {first} and {second} are in the same place: remove one of them"
        )
    broken = np.flatnonzero(status & layout.STATUS_NOT_FINITE)
    if len(broken) or is_last_scale:
        atom = int(broken[0]) if len(broken) else 0
        raise NumericalError(
            f"energy or force of atom {atom} is not finite: the structure is far outside what "
            "the potential was trained on; look at the atoms around this one"
        )


def _partner(structure: Structure, atom: int) -> int:
    """The other atom that lies on this one, or itself (its own image)."""
    apart = structure.positions - structure.positions[atom]
    rows = structure.cell[structure.pbc]
    if len(rows):
        fractions = apart @ np.linalg.pinv(rows)
        apart = apart - np.rint(fractions) @ rows
    distance = np.linalg.norm(apart, axis=1)
    distance[atom] = np.inf
    nearest = int(np.argmin(distance))
    return nearest if distance[nearest] < 1e-5 else atom
