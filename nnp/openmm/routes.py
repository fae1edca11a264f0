"""One call, several ways into OpenMM."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import openmm

from nnp.errors import OptionError
from nnp.openmm._plugin import why_unavailable
from nnp.openmm.native_force import ENGINES, create_native_force
from nnp.openmm.platforms import check_force, find_platform
from nnp.openmm.python_force import create_python_force
from nnp.openmm.species import element_indices, read_species
from nnp.openmm.subset import read_subset
from nnp.openmm.torch_force import create_torch_force
from nnp.potential import Potential, require_potential

ROUTES = {
    "native": create_native_force,
    "python": create_python_force,
    "torch": create_torch_force,
}


def create_force(
    potential: Potential,
    species: Any,
    route: str = "auto",
    periodic: bool | None = None,
    engine: str = "cpu",
    platform: str | None = None,
    particles: Sequence[int] | None = None,
    **options: Any,
) -> openmm.Force:
    """A potential as an OpenMM Force, for ``system.addForce``.

    Args:
        potential: the potential.
        species: the atoms of the system in its order: element symbols, an ``ase.Atoms``, or an
            OpenMM Topology.
        route: a key of ``ROUTES``, or ``"auto"``: ``native``, or ``python`` for engines that only
            it runs and, with a warning, if the plugin is missing.
        periodic: whether the system repeats along all axes (otherwise along none); None: according
            to the Topology's box or the pbc of the Atoms.
        engine: name of the engine, see `Potential.engine`.
        platform: name of the platform that will run it; refused here if it cannot.
        particles: indices of the atoms that the potential describes, which see only each other,
            in a mixed system. None: all. Not for route ``torch``.
        **options: of the engine; of the route, see `create_native_force`.

    Raises:
        OptionError: an unknown route, engine or option, or ``periodic`` missing for symbols.
        StructureError: an element without a model, mixed pbc, no atoms.
        UnavailableError: a requirement of route or engine, or the platform, is missing.
    """
    require_potential(potential)
    name = _automatic(potential, engine) if route == "auto" else route
    if name not in ROUTES:
        raise OptionError(f"route={route!r} is unknown: allowed are auto, {', '.join(ROUTES)}")
    if particles is None:
        found = read_species(species, periodic)
        element_indices(potential, found)
    else:
        found = read_subset(potential, species, periodic, particles)
        if name == "torch":
            raise OptionError(
                f"particles={list(particles)[:3]}…: route='torch' acts on all atoms; use "
                "route='python' or 'native'"
            )
    force = ROUTES[name](potential, found, engine, options)
    if platform is not None:
        check_force(force, find_platform(platform))
    return force


def _automatic(potential: Potential, engine: str) -> str:
    """The plugin's route where it runs the engine and is there; ``python`` runs everything."""
    if engine not in ENGINES or potential.baseline:
        return "python"
    why = why_unavailable()
    if why is None:
        return "native"
    warnings.warn(f"route='auto' takes PythonForce: {why}", RuntimeWarning, stacklevel=3)
    return "python"
