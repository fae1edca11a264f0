"""Where a run begins: repeated cells, and distances that no run begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from nnp.errors import OptionError, StructureError
from nnp.io.structures import closest_pair
from nnp.memory import available_memory
from nnp.values import require_whole

# Share of the sum of two covalent radii. Bonds are not shorter than 0.7 of it, not even under
# hundreds of GPa or in a collision of some eV; closer atoms fly apart at the first step.
CLOSEST_START = 0.5
_BYTES_OF_ATOM = 2000  # of structure, simulation and engine, at the least


def repeated(atoms: Atoms, counts: Sequence[int]) -> Atoms:
    """A larger cell of copies.

    Velocities, which the copies would share, are dropped; numbers of residues count on.

    Args:
        atoms: periodic along every axis that is repeated.
        counts: how often along each of the three axes.

    Raises:
        OptionError: not three whole numbers from 1, or more atoms than there is memory for.
        StructureError: an axis that does not repeat.
    """
    if len(counts) != 3:
        raise OptionError(f"repeat={list(counts)}: three whole numbers are expected")
    for count in counts:
        require_whole("repeat", count, 1)
    for axis, count in enumerate(counts):
        if count > 1 and not atoms.pbc[axis]:
            raise StructureError(
                f"repeat={list(counts)}: axis {'abc'[axis]} of the structure does not repeat (pbc "
                "is False): repeat along others, or set cell and pbc"
            )
    _require_memory(len(atoms) * math.prod(counts), counts)
    found: Atoms = atoms.repeat(tuple(counts))  # type: ignore[no-untyped-call]
    found.info = dict(atoms.info)
    found.arrays.pop("momenta", None)
    residues = found.arrays.get("residuenumbers")
    if residues is not None:
        copies = len(found) // max(len(atoms), 1)
        span = int(residues.max(initial=0)) - int(residues.min(initial=0)) + 1
        found.set_array(
            "residuenumbers", residues + np.repeat(np.arange(copies) * span, len(atoms))
        )  # type: ignore[no-untyped-call]
    return found


def _require_memory(n_atoms: int, counts: Sequence[int]) -> None:
    free, needed = available_memory(), n_atoms * _BYTES_OF_ATOM
    if free is not None and needed > free:
        raise OptionError(
            f"repeat={list(counts)}: {n_atoms:,} atoms take some {needed / 1e9:.0f} GB, "
            f"{free / 1e9:.0f} GB are free: repeat less often, or run LAMMPS on several machines "
            "(nnp lammps)"
        )


def check_start(atoms: Any) -> None:
    """Refuse to begin where two atoms overlap.

    Raises:
        StructureError: they do; names them.
    """
    found = closest_pair(atoms)
    if found is None or found.share >= CLOSEST_START:
        return
    raise StructureError(
        f"where the run begins, atoms {found.i} ({atoms.symbols[found.i]}) and {found.j} "
        f"({atoms.symbols[found.j]}) are {found.distance:.3f} Å apart, {found.share:.2f} of a "
        "bond's length: check the units, relax it first (nnp relax, or --minimize 0.05), or begin "
        "there all the same with --any-geometry"
    )
