"""An OpenMM Context that moves atoms: integrator, barostat, initial velocities, states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import unit

from nnp.errors import NNPError, NumericalError, OptionError
from nnp.md.settings import LARGEST_SEED, MDSettings
from nnp.md.snapshot import Snapshot
from nnp.openmm import OpenMMAtoms, context_errors, fingerprint, monitors, original_errors
from nnp.units import BOLTZMANN, KJ_PER_MOL, NANOMETRE

_FS_PER_PS = 1000.0
# eV per u (Å/fs)²: 1 kJ/mol = 1 u (nm/ps)²
_KINETIC = KJ_PER_MOL * (_FS_PER_PS / NANOMETRE) ** 2


class Dynamics:
    """One system in motion.

    Args:
        system: with its forces; barostat and centre-of-mass remover are added to it.
        start: the atoms.
        settings: of the run.
        platform: of OpenMM.
        first_step: where a continued run begins; enters the seeds, so that noise does not repeat.

    Attributes:
        forces: what the system's forces compute, see `nnp.openmm.fingerprint`, without helpers.

    Raises:
        OptionError: a barostat that does not fit the box.
        NNPError: OpenMM refuses the Context.
        NumericalError: the starting structure has no finite energy and forces.
    """

    def __init__(
        self,
        system: openmm.System,
        start: OpenMMAtoms,
        settings: MDSettings,
        platform: openmm.Platform,
        first_step: int = 0,
    ) -> None:
        self.start = start
        self.settings = settings
        self.masses = np.asarray(start.masses)
        self.forces = [fingerprint(force) for force in system.getForces()]
        self._system = system
        self._verlet = settings.ensemble == "nve"
        seed = (settings.seed + first_step) % LARGEST_SEED or 1
        _add_helpers(system, start, settings, seed)
        self._integrator = _integrator(settings, seed)
        with context_errors(platform):
            self.context = openmm.Context(system, self._integrator, platform)
        self.context.setPositions(start.positions_nm)
        if start.box_nm is not None:
            self.context.setPeriodicBoxVectors(*start.box_nm)

    @property
    def degrees_of_freedom(self) -> int:
        """3n for Langevin, which moves the centre of mass too; else 3n − 3."""
        n, still = len(self.masses), self.settings.thermostat != "langevin" or self._verlet
        return 3 * n - 3 if still and n > 1 else 3 * n

    @property
    def step(self) -> int:
        """Steps made since the beginning."""
        return int(self.context.getStepCount())

    def set_velocities(self, velocities: NDArray[np.float64] | None) -> None:
        """Set velocities, or draw them from the Maxwell-Boltzmann distribution.

        Args:
            velocities: (n, 3) Å/fs in OpenMM's axes; None: drawn at the settings' temperature,
                without motion of the centre of mass, scaled to meet the temperature.
        """
        if velocities is None:
            velocities = self._draw()
        if self._verlet:  # leapfrog keeps them half a step back
            velocities = velocities - self._half_kick(self._forces())
        self.context.setVelocities(velocities * _FS_PER_PS / NANOMETRE)

    def advance(self, steps: int) -> None:
        """Make steps.

        Raises:
            NumericalError: a coordinate is not finite.
            NNPError: what the potential raised.
        """
        with self._numbers_to_blame(), original_errors(self._system):
            self._integrator.step(steps)

    def snapshot(self, full: bool = True) -> Snapshot:
        """The present state; with energies and forces, at the price of an evaluation, if ``full``.

        Raises:
            NNPError: what the potential raised.
        """
        with self._numbers_to_blame(), original_errors(self._system):
            state = self.context.getState(positions=True, velocities=True, energy=full, forces=full)
        snapshot = self._positions(state)
        return self._with_energies(snapshot, state) if full else snapshot

    @contextmanager
    def _numbers_to_blame(self) -> Iterator[None]:
        """Whoever noticed first: if positions or velocities are not finite, that is the error."""
        try:
            yield
        except (openmm.OpenMMException, NNPError) as error:
            state = self.context.getState(positions=True, velocities=True)
            problem = self._positions(state).problem()
            if problem:
                raise NumericalError(problem) from error
            raise

    def _positions(self, state: openmm.State) -> Snapshot:
        return Snapshot(
            step=self.step,
            time_fs=self.step * self.settings.timestep,
            positions_nm=_numbers(state.getPositions(asNumpy=True)),
            velocities=_numbers(state.getVelocities(asNumpy=True)) * NANOMETRE / _FS_PER_PS,
            box_nm=None if self.start.box_nm is None else self._box(state),
        )

    def _with_energies(self, snapshot: Snapshot, state: openmm.State) -> Snapshot:
        forces = _numbers(state.getForces(asNumpy=True)) * KJ_PER_MOL / NANOMETRE
        velocities = snapshot.velocities
        if self._verlet:
            velocities = velocities + self._half_kick(forces)
        kinetic = _number(state.getKineticEnergy()) * KJ_PER_MOL
        watched = monitors(self._system)
        return replace(
            snapshot,
            velocities=velocities,
            potential_energy=_number(state.getPotentialEnergy()) * KJ_PER_MOL,
            kinetic_energy=kinetic,
            temperature=2 * kinetic / (self.degrees_of_freedom * BOLTZMANN),
            forces=forces,
            extrapolations=watched[0].extrapolations if watched else None,
        )

    def _draw(self) -> NDArray[np.float64]:
        """(n, 3) velocities, Å/fs."""
        rng = np.random.default_rng(self.settings.seed)
        masses = self.masses[:, None]
        velocities = rng.normal(size=(len(masses), 3)) / np.sqrt(masses)
        if len(masses) > 1:
            velocities -= (masses * velocities).sum(axis=0) / masses.sum()
        kinetic = 0.5 * float((masses * velocities**2).sum()) * _KINETIC
        wanted = 0.5 * self.degrees_of_freedom * BOLTZMANN * self.settings.temperature
        return np.asarray(velocities * np.sqrt(wanted / kinetic))

    def _half_kick(self, forces: NDArray[np.float64]) -> NDArray[np.float64]:
        """Change of velocity (Å/fs) by forces (eV/Å) in half a step."""
        acceleration = forces / (self.masses[:, None] * _KINETIC)
        return acceleration * (self.settings.timestep / 2)

    def _forces(self) -> NDArray[np.float64]:
        with original_errors(self._system):
            state = self.context.getState(forces=True)
        return _numbers(state.getForces(asNumpy=True)) * KJ_PER_MOL / NANOMETRE

    def _box(self, state: openmm.State) -> NDArray[np.float64]:
        return _numbers(state.getPeriodicBoxVectors(asNumpy=True))


def _integrator(settings: MDSettings, seed: int) -> openmm.Integrator:
    timestep_ps = settings.timestep / _FS_PER_PS
    rate_per_ps = _FS_PER_PS / settings.thermostat_time
    if settings.ensemble == "nve":
        return openmm.VerletIntegrator(timestep_ps)
    if settings.thermostat == "nose-hoover":
        return openmm.NoseHooverIntegrator(settings.temperature, rate_per_ps, timestep_ps)
    integrator = openmm.LangevinMiddleIntegrator(settings.temperature, rate_per_ps, timestep_ps)
    integrator.setRandomNumberSeed(seed)
    return integrator


def _add_helpers(
    system: openmm.System, start: OpenMMAtoms, settings: MDSettings, seed: int
) -> None:
    """The remover tells Nosé-Hoover chains that three degrees of freedom are not theirs.

    One atom alone has no others: the remover would take all its motion.
    """
    chains = settings.ensemble != "nve" and settings.thermostat == "nose-hoover"
    if chains and len(start.masses) > 1:
        system.addForce(openmm.CMMotionRemover())
    if settings.ensemble != "npt":
        return
    if start.box_nm is None:
        raise OptionError("ensemble='npt' needs a periodic structure: set cell and pbc, or use nvt")
    barostat = _barostat(start.box_nm, settings)
    barostat.setRandomNumberSeed(seed)
    system.addForce(barostat)


def _barostat(box_nm: NDArray[np.float64], settings: MDSettings) -> openmm.Force:
    pressure, temperature = settings.pressure * unit.bar, settings.temperature
    interval = settings.barostat_interval
    if settings.barostat == "isotropic":
        return openmm.MonteCarloBarostat(pressure, temperature, interval)
    if settings.barostat == "flexible":
        return openmm.MonteCarloFlexibleBarostat(pressure, temperature, interval)
    if np.any(box_nm != np.diag(np.diag(box_nm))):
        raise OptionError(
            "barostat='anisotropic' needs a rectangular box: use 'flexible' or 'isotropic'"
        )
    along = [settings.pressure] * 3 * unit.bar
    return openmm.MonteCarloAnisotropicBarostat(along, temperature, True, True, True, interval)


def _numbers(quantity: unit.Quantity) -> NDArray[np.float64]:
    """The numbers of an array in OpenMM's units (nm, ps, kJ/mol)."""
    return np.array(quantity.value_in_unit_system(unit.md_unit_system))


def _number(quantity: unit.Quantity) -> float:
    return float(quantity.value_in_unit_system(unit.md_unit_system))
