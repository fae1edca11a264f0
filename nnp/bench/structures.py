"""Structures to measure."""

from __future__ import annotations

import ase.build
import numpy as np
from ase.data import reference_states

from nnp.elements import atomic_number
from nnp.errors import OptionError, StructureError
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

_CRYSTALS = ("fcc", "bcc", "diamond")


def default_structure(potential: Potential) -> Structure:
    """A crystal of a one-element potential's element.

    Raises:
        OptionError: there are several elements, or no crystal is known.
    """
    symbol = potential.elements[0]
    state = reference_states[atomic_number(symbol)]
    if len(potential.elements) > 1 or not state or state["symmetry"] not in _CRYSTALS:
        raise OptionError(
            f"there is no crystal to measure for {', '.join(potential.elements)}: name a STRUCTURE"
        )
    return as_structure(ase.build.bulk(symbol, cubic=True))


def replicated(structure: Structure, n_atoms: int) -> Structure:
    """The structure repeated along its shortest periodic axes until it has ``n_atoms`` or more.

    Raises:
        StructureError: it must grow and has no periodic axis.
    """
    times = np.ones(3, int)
    lengths = np.where(structure.pbc, np.linalg.norm(structure.cell, axis=1), np.inf)
    if len(structure) < n_atoms and not structure.pbc.any():
        raise StructureError(
            f"{n_atoms} atoms are asked for, but the structure of {len(structure)} has no periodic "
            "axis to repeat it along: leave out --atoms or give it a cell"
        )
    while len(structure) * times.prod() < n_atoms:
        times[np.argmin(lengths * times)] += 1
    grid = np.stack(np.meshgrid(*map(np.arange, times), indexing="ij"), -1).reshape(-1, 3)
    positions = structure.positions[None] + (grid @ structure.cell)[:, None]
    return Structure(
        positions.reshape(-1, 3),
        np.tile(structure.atomic_numbers, len(grid)),
        structure.cell * times[:, None],
        structure.pbc,
    )
