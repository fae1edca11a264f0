"""Which particles of a mixed system a potential describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openmm import app

from nnp.errors import OptionError, StructureError
from nnp.evaluation import Evaluation
from nnp.openmm.species import Species, element_indices, read_species
from nnp.potential import Potential


def read_subset(
    potential: Potential, species: Any, periodic: bool | None, particles: Sequence[int]
) -> Species:
    """All particles of a system, with the atomic number 0 for those the potential leaves alone.

    Args:
        potential: what describes the chosen ones.
        species: see `read_species`; particles of a Topology that are not chosen need no element.
        periodic: see `read_species`.
        particles: indices of the chosen ones.

    Raises:
        OptionError: no index, one twice, or one that is not there.
        StructureError: the potential has no model for one, or it has no element.
    """
    numbers, found = _numbers(species, periodic)
    chosen = _indices(particles, len(numbers))
    for index in chosen:
        if numbers[index] == 0:
            raise StructureError(
                f"particle {index} has no element: virtual sites and extra particles cannot be "
                "part of the potential"
            )
    element_indices(potential, Species(numbers[chosen], found))
    kept = np.zeros_like(numbers)
    kept[chosen] = numbers[chosen]
    return Species(kept, found)


def spread(evaluation: Evaluation, particles: NDArray[np.int64], n: int) -> Evaluation:
    """An evaluation of some particles as one of all: indices of the System, 0 for the others.

    Args:
        evaluation: of the chosen ones.
        particles: (m,) their indices.
        n: number of all.
    """
    energies, forces = np.zeros(n), np.zeros((n, 3))
    energies[particles] = evaluation.energies
    forces[particles] = evaluation.forces
    outside = evaluation.extrapolations
    return replace(
        evaluation,
        energies=energies,
        forces=forces,
        extrapolations=replace(outside, atoms=particles[outside.atoms]),
    )


def _numbers(species: Any, periodic: bool | None) -> tuple[NDArray[np.int64], bool]:
    """Atomic numbers, 0 without an element; whether the system repeats."""
    if not isinstance(species, app.Topology):
        read = read_species(species, periodic)
        return read.atomic_numbers, read.periodic
    elements = [atom.element for atom in species.atoms()]
    numbers = [0 if element is None else element.atomic_number for element in elements]
    has_box = species.getPeriodicBoxVectors() is not None
    return np.array(numbers, np.int64), has_box if periodic is None else bool(periodic)


def _indices(particles: Sequence[int], n: int) -> NDArray[np.int64]:
    indices = np.asarray(particles)
    if indices.ndim != 1 or len(indices) == 0 or indices.dtype.kind not in "iu":
        raise OptionError(f"particles={particles!r}: give a list of indices, at least one")
    wrong = indices[(indices < 0) | (indices >= n)]
    if len(wrong):
        raise OptionError(f"particles has {wrong[0]}: the system has particles 0 to {n - 1}")
    values, counts = np.unique(indices, return_counts=True)
    if (counts > 1).any():
        raise OptionError(f"particles has {values[counts > 1][0]} more than once: give each once")
    return indices.astype(np.int64)
