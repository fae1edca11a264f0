"""One call, several ways into OpenMM."""

from __future__ import annotations

from typing import Any

import numpy as np
import openmm

from nnp.errors import OptionError
from nnp.openmm.python_force import create_python_force
from nnp.openmm.species import read_species
from nnp.potential import Potential
from nnp.structure import Structure

ROUTES = {"python": create_python_force}
# The python route works on every platform, with every engine, needs no torch, can be copied and
# serialised, and adds the least time to a step.
DEFAULT_ROUTE = "python"


def create_force(
    potential: Potential,
    species: Any,
    route: str = "auto",
    periodic: bool | None = None,
    engine: str = "auto",
    **options: Any,
) -> openmm.Force:
    """A potential as an OpenMM Force, for ``system.addForce``.

    Args:
        potential: what to evaluate.
        species: the atoms of the system in its order: element symbols, an ``ase.Atoms``, or an
            OpenMM Topology.
        route: a key of ``ROUTES``, or ``"auto"`` for ``DEFAULT_ROUTE``.
        periodic: whether the system repeats along all axes (else along none); None: as the
            Topology's box or the Atoms' pbc say.
        engine: name of the engine, see `Potential.engine`.
        **options: of the engine.

    Raises:
        OptionError: an unknown route, engine or option, or ``periodic`` missing for symbols.
        StructureError: an element without a model, mixed pbc, no atoms.
        UnavailableError: what the route or engine needs is not there.
    """
    found = read_species(species, periodic)
    name = DEFAULT_ROUTE if route == "auto" else route
    if name not in ROUTES:
        raise OptionError(f"route={route!r} is unknown: allowed are auto, {', '.join(ROUTES)}")
    n = len(found.atomic_numbers)
    none = Structure(np.zeros((n, 3)), found.atomic_numbers, np.zeros((3, 3)), np.zeros(3, bool))
    potential.element_indices(none)
    return ROUTES[name](potential, found, engine, options)
