"""The two that are compared: an ASE calculator for statics, an OpenMM System for dynamics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openmm
from ase import Atoms

from nnp import Potential
from nnp.ase import NNPCalculator
from nnp.openmm import create_calculator_force, create_empty_system, create_system


@dataclass(frozen=True)
class Model:
    """One description of the interactions.

    Attributes:
        name: in tables and legends.
        calculator: makes an ASE calculator.
        system: makes an OpenMM System of given atoms.
    """

    name: str
    calculator: Callable[[], Any]
    system: Callable[[Atoms], openmm.System]


def teacher(name: str, make_calculator: Callable[[], Any]) -> Model:
    """An ASE calculator; in OpenMM it runs as a force in Python."""

    def system(atoms: Atoms) -> openmm.System:
        made = create_empty_system(atoms)
        made.addForce(create_calculator_force(atoms, make_calculator))
        return made

    return Model(name, make_calculator, system)


def network(potential: Potential) -> Model:
    """A trained potential."""
    return Model(
        "network",
        lambda: NNPCalculator(potential),
        lambda atoms: create_system(potential, atoms, platform="CPU"),
    )
