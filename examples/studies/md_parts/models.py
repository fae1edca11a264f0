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
from nnp.teachers.ase import StillingerWeber


@dataclass(frozen=True)
class Model:
    """One description of silicon.

    Attributes:
        name: in tables and legends.
        calculator: makes an ASE calculator.
        system: makes an OpenMM System of given atoms.
    """

    name: str
    calculator: Callable[[], Any]
    system: Callable[[Atoms], openmm.System]


def teacher() -> Model:
    """Stillinger and Weber's silicon."""
    return Model("Stillinger-Weber", StillingerWeber, _teacher_system)


def network(potential: Potential) -> Model:
    """A trained potential."""
    return Model(
        "network",
        lambda: NNPCalculator(potential),
        lambda atoms: create_system(potential, atoms, platform="CPU"),
    )


def _teacher_system(atoms: Atoms) -> openmm.System:
    system = create_empty_system(atoms)
    system.addForce(create_calculator_force(atoms, StillingerWeber))
    return system
