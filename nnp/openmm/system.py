"""Complete systems and simulations of atoms that one potential describes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import openmm
from openmm import app, unit

from nnp.errors import OptionError, StructureError
from nnp.openmm.box import OpenMMAtoms, to_openmm
from nnp.openmm.constraints import Constraints
from nnp.openmm.platforms import check_platform, context_errors
from nnp.openmm.routes import create_force
from nnp.openmm.topology import openmm_parts
from nnp.openmm.torch_force import is_torch_force, uncopyable
from nnp.potential import Potential


def create_system(
    potential: Potential,
    atoms: Any,
    route: str = "auto",
    periodic: bool | None = None,
    engine: str = "cpu",
    platform: str | None = None,
    **options: Any,
) -> openmm.System:
    """A System with masses, box, the constraints of the atoms, and the force of the potential.

    Args:
        potential: the potential.
        atoms: an ``ase.Atoms`` (its masses are used), an `OpenMMAtoms`, what OpenMM reads (see
            `to_openmm`), or an OpenMM Topology.
        route: see `create_force`.
        periodic: see `create_force`.
        engine: see `create_force`.
        platform: see `create_force`.
        **options: see `create_force`.

    Raises:
        StructureError: a periodic system without a box, and as for `create_force`.
        OptionError: as for `create_force`.
    """
    topology, masses, constraints = _parts(atoms)
    force = create_force(potential, topology, route, periodic, engine, platform, **options)
    system = (uncopyable(openmm.System) if is_torch_force(force) else openmm.System)()
    if topology.getPeriodicBoxVectors() is None and force.usesPeriodicBoundaryConditions():
        raise StructureError(
            "periodic=True but the atoms have no box: set the cell and pbc=True, or the "
            "topology's box vectors"
        )
    _fill(system, topology, masses, constraints)
    system.addForce(force)
    return system


def create_empty_system(atoms: Any) -> openmm.System:
    """A System with masses and box but without forces.

    Args:
        atoms: as for `create_system`.

    Raises:
        OptionError: ``atoms`` is something else.
    """
    system = openmm.System()
    _fill(system, *_parts(atoms))
    return system


def _fill(
    system: openmm.System,
    topology: app.Topology,
    masses: Iterable[float],
    constraints: Constraints,
) -> None:
    for mass in masses:
        system.addParticle(mass)
    constraints.apply(system)
    box = topology.getPeriodicBoxVectors()
    if box is not None:
        system.setDefaultPeriodicBoxVectors(*box)


def create_simulation(
    potential: Potential,
    atoms: Any,
    integrator: openmm.Integrator,
    platform: str = "CPU",
    properties: dict[str, str] | None = None,
    **force_options: Any,
) -> app.Simulation:
    """A Simulation ready to run; set velocities or minimise first as needed.

    Args:
        potential: the potential.
        atoms: an ``ase.Atoms``, or what OpenMM reads (PDBFile, PDBxFile, Modeller, a Topology with
            positions, see `to_openmm`).
        integrator: an OpenMM integrator.
        platform: name of the platform.
        properties: properties of the platform.
        **force_options: ``route``, ``periodic``, ``engine`` and its options, see `create_force`.

    Raises:
        UnavailableError: OpenMM lacks the platform, or it cannot run the route.
        OptionError, StructureError: as for `create_system`.
        NNPError: OpenMM refuses the Context.
    """
    start = to_openmm(atoms)
    system = create_system(potential, start, **force_options)
    found = check_platform(system, platform)
    if not isinstance(integrator, openmm.Integrator):  # OpenMM takes text for a file's name
        raise OptionError(
            f"integrator is a {type(integrator).__name__}: give an openmm.Integrator, such as "
            "openmm.LangevinMiddleIntegrator(300, 1, 0.001)"
        )
    with context_errors(found):
        simulation = app.Simulation(start.topology, system, integrator, found, properties or {})
    simulation.context.setPositions(start.positions_nm)
    return simulation


def _parts(atoms: Any) -> tuple[app.Topology, Any, Constraints]:
    if isinstance(atoms, app.Topology):
        elements = [atom.element for atom in atoms.atoms()]
        masses = [0.0 if e is None else e.mass.value_in_unit(unit.dalton) for e in elements]
        return atoms, masses, Constraints()
    known = isinstance(atoms, OpenMMAtoms) or openmm_parts(atoms) is not None
    if not (known or hasattr(atoms, "pbc")):
        raise OptionError(
            f"atoms is a {type(atoms).__name__}: give an ase.Atoms, what to_openmm returned, an "
            "openmm.app.PDBFile or Modeller, or an openmm.app.Topology"
        )
    start = to_openmm(atoms)
    return start.topology, np.asarray(start.masses).tolist(), start.constraints
