"""Which atoms a force acts on, and whether they repeat: read once, where they enter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openmm import app

from nnp.elements import atomic_number
from nnp.errors import OptionError, StructureError
from nnp.potential import Potential
from nnp.structure import Structure, as_structure


@dataclass(frozen=True, eq=False)
class Species:
    """The atoms of a force.

    Attributes:
        atomic_numbers: (n,).
        periodic: whether all three axes repeat; else none does.
    """

    atomic_numbers: NDArray[np.int64]
    periodic: bool


def read_species(species: Any, periodic: bool | None = None) -> Species:
    """The atoms of a force.

    Args:
        species: element symbols, an ``ase.Atoms`` or `Structure`, or an OpenMM Topology.
        periodic: whether all axes repeat; None: as the Topology's box or the Atoms' pbc say.

    Raises:
        OptionError: symbols without ``periodic``, an unknown symbol, or something else.
        StructureError: no atoms, atoms without an element, or pbc along some axes only.
    """
    if isinstance(species, app.Topology):
        numbers = _topology_numbers(species)
        found = species.getPeriodicBoxVectors() is not None
    elif hasattr(species, "pbc"):
        structure = as_structure(species)
        numbers = structure.atomic_numbers
        found = all_or_none(structure) if periodic is None else periodic
    else:
        numbers = _symbol_numbers(species)
        if periodic is None:
            raise OptionError(
                "periodic=None: a list of symbols does not say whether the system repeats; "
                "give periodic=True or periodic=False"
            )
        found = periodic
    if len(numbers) == 0:
        raise StructureError("there are no atoms to act on")
    return Species(numbers, found if periodic is None else bool(periodic))


def element_indices(potential: Potential, species: Species) -> NDArray[np.int64]:
    """(n,) index of each atom's element in the potential.

    Raises:
        StructureError: an atom's element has no model.
    """
    n = len(species.atomic_numbers)
    nowhere = Structure(
        np.zeros((n, 3)), species.atomic_numbers, np.zeros((3, 3)), np.zeros(3, bool)
    )
    return potential.element_indices(nowhere)


def all_or_none(structure: Structure) -> bool:
    """Whether all axes repeat, or none.

    Raises:
        StructureError: some do.
    """
    if structure.pbc.any() and not structure.pbc.all():
        raise StructureError(
            f"pbc={structure.pbc.tolist()}: OpenMM repeats all axes or none; set pbc=True (with a "
            "vacuum wider than the cutoff along the free axes) or pbc=False, or use nnp.ase"
        )
    return bool(structure.pbc.all())


def _topology_numbers(topology: app.Topology) -> NDArray[np.int64]:
    numbers = []
    for atom in topology.atoms():
        if atom.element is None:
            raise StructureError(
                f"atom {atom.index} ({atom.name!r}) of the topology has no element: virtual sites "
                "and extra particles cannot be part of the potential"
            )
        numbers.append(atom.element.atomic_number)
    return np.array(numbers, np.int64)


def _symbol_numbers(symbols: Any) -> NDArray[np.int64]:
    if isinstance(symbols, str) or not isinstance(symbols, Iterable):
        raise OptionError(
            f"species={symbols!r} is a {type(symbols).__name__}: give a list of element symbols, "
            "an ase.Atoms or an openmm.app.Topology"
        )
    return np.array([atomic_number(symbol) for symbol in symbols], np.int64)
