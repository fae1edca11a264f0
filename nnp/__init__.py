"""nnp: neural network potentials at kernel speed in OpenMM, ASE and LAMMPS.

`load` reads a potential, and `Potential.evaluate` gives energy, forces and stress. Import the rest
by module: `nnp.ase`, `nnp.openmm`, `nnp.md`, `nnp.train`, `nnp.analysis`, `nnp.io`. Lengths are in
Å, energies in eV, stresses in eV/Å³.
"""

from collections.abc import Callable
from typing import Any

from nnp import registry
from nnp.committee import Committee, CommitteeEvaluation
from nnp.engines import Engine
from nnp.errors import NNPError
from nnp.evaluation import Evaluation, Extrapolation, Extrapolations
from nnp.io import load
from nnp.potential import ElementModel, Potential
from nnp.structure import Structure

__version__ = "0.2.0"

__all__ = [
    "Committee",
    "CommitteeEvaluation",
    "ElementModel",
    "Engine",
    "Evaluation",
    "Extrapolation",
    "Extrapolations",
    "NNPError",
    "Potential",
    "Structure",
    "__version__",
    "load",
]


def _is_harmless(name: str) -> bool:
    from nnp.teachers.by_name import is_harmless

    return is_harmless(name)


def _teacher(*args: Any, **kwargs: Any) -> Callable[[], Any]:
    from nnp.teachers.by_name import teacher

    return teacher(*args, **kwargs)


# Lower layers call these through the registry; the teachers bring ASE, so not before.
registry.is_harmless.provide(_is_harmless)
registry.teacher.provide(_teacher)
