"""OpenMM's parts of an ensemble: integrator, thermostat, barostat."""

from __future__ import annotations

import numpy as np
import openmm
from openmm import unit

from nnp.errors import OptionError
from nnp.md.settings import MDSettings
from nnp.openmm import OpenMMAtoms
from nnp.units import FS_PER_PS

# Barostats that change edges, and know no angles.
RECTANGULAR = ("anisotropic", "membrane")


def is_leapfrog(settings: MDSettings) -> bool:
    """Whether velocities lag half a step behind the positions."""
    return settings.ensemble == "nve" or settings.thermostat == "andersen"


def create_integrator(settings: MDSettings, seed: int) -> openmm.Integrator:
    """The integrator, with its thermostat if it has one.

    Args:
        settings: of the run.
        seed: of its noise.
    """
    timestep_ps = settings.timestep / FS_PER_PS
    rate_per_ps = FS_PER_PS / settings.thermostat_time
    if is_leapfrog(settings):
        return openmm.VerletIntegrator(timestep_ps)
    if settings.thermostat == "nose-hoover":
        return openmm.NoseHooverIntegrator(settings.temperature, rate_per_ps, timestep_ps)
    integrator = openmm.LangevinMiddleIntegrator(settings.temperature, rate_per_ps, timestep_ps)
    integrator.setRandomNumberSeed(seed)
    return integrator


def add_thermostat_and_barostat(
    system: openmm.System, start: OpenMMAtoms, settings: MDSettings, seed: int, fixed: bool
) -> openmm.Force | None:
    """Add what of an ensemble is a force in OpenMM.

    Args:
        system: to which they are added.
        start: the atoms.
        settings: of the run.
        seed: of their noise.
        fixed: whether some atoms do not move.

    Returns:
        The barostat; None without one.

    Raises:
        OptionError: a barostat that does not fit the box.
    """
    thermostat = None if settings.ensemble == "nve" else settings.thermostat
    # The remover tells Nosé-Hoover chains that three degrees of freedom are not theirs. One atom
    # alone has no others: the remover would take all its motion.
    if thermostat == "nose-hoover" and len(start.masses) > 1 and not fixed:
        system.addForce(openmm.CMMotionRemover())
    if thermostat == "andersen":
        rate_per_ps = FS_PER_PS / settings.thermostat_time
        collisions = openmm.AndersenThermostat(settings.temperature, rate_per_ps)
        collisions.setRandomNumberSeed(seed)
        system.addForce(collisions)
    check_box(start, settings, fixed)
    if settings.ensemble != "npt":
        return None
    barostat = _barostat(settings)
    barostat.setRandomNumberSeed(seed)
    system.addForce(barostat)
    return barostat


def check_box(start: OpenMMAtoms, settings: MDSettings, fixed: bool) -> None:
    """Refuse a barostat that the atoms cannot have.

    Args:
        start: the atoms.
        settings: of the run.
        fixed: whether some atoms do not move.

    Raises:
        OptionError: no box, one that is not rectangular where it must be, or fixed atoms.
    """
    if settings.ensemble != "npt":
        return
    if fixed:
        raise OptionError(
            "ensemble='npt' changes the box and would move the fixed atoms (FixAtoms): use nvt, or "
            "release them"
        )
    box_nm = start.box_nm
    if box_nm is None:
        raise OptionError("ensemble='npt' needs a periodic structure: set cell and pbc, or use nvt")
    if settings.barostat in RECTANGULAR and np.any(box_nm != np.diag(np.diag(box_nm))):
        raise OptionError(
            f"barostat={settings.barostat!r} needs a rectangular box: use 'flexible' or 'isotropic'"
        )


def set_temperature(
    temperature: float,
    context: openmm.Context,
    integrator: openmm.Integrator,
    barostat: openmm.Force | None,
) -> None:
    """Give thermostat and barostat another temperature, K."""
    if hasattr(integrator, "setTemperature"):
        integrator.setTemperature(temperature)
    else:
        context.setParameter(openmm.AndersenThermostat.Temperature(), temperature)
    if barostat is not None:
        context.setParameter(type(barostat).Temperature(), temperature)


def set_pressure(pressure: float, context: openmm.Context, barostat: openmm.Force) -> None:
    """Give a barostat another pressure, bar."""
    kind = type(barostat)
    if isinstance(barostat, openmm.MonteCarloAnisotropicBarostat):
        names = [kind.PressureX(), kind.PressureY(), kind.PressureZ()]
    else:
        names = [kind.Pressure()]
    for name in names:
        context.setParameter(name, pressure)


def _barostat(settings: MDSettings) -> openmm.Force:
    pressure, temperature = settings.pressure * unit.bar, settings.temperature
    interval = settings.barostat_interval
    if settings.barostat == "isotropic":
        return openmm.MonteCarloBarostat(pressure, temperature, interval)
    if settings.barostat == "flexible":
        return openmm.MonteCarloFlexibleBarostat(pressure, temperature, interval)
    if settings.barostat == "membrane":
        kind = openmm.MonteCarloMembraneBarostat
        tension = settings.surface_tension * unit.bar * unit.nanometer
        return kind(pressure, tension, temperature, kind.XYIsotropic, kind.ZFree, interval)
    along = [settings.pressure] * 3 * unit.bar
    return openmm.MonteCarloAnisotropicBarostat(along, temperature, True, True, True, interval)
