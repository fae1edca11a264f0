"""An OpenMM Context that moves atoms: integrator, barostat, initial velocities, states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import unit

from nnp.errors import NNPError, NumericalError, OptionError
from nnp.limits import temperature_of
from nnp.md.controls import Controls
from nnp.md.ensembles import add_thermostat_and_barostat, create_integrator, is_leapfrog
from nnp.md.settings import LARGEST_SEED, MDSettings
from nnp.md.snapshot import Snapshot
from nnp.openmm import (
    Monitor,
    NativeMonitor,
    OpenMMAtoms,
    context_errors,
    fingerprint,
    monitors,
    original_errors,
)
from nnp.openmm.constraints import Constraints
from nnp.units import BOLTZMANN, EV_PER_U_A2_FS2, FS_PER_PS, KJ_PER_MOL, NANOMETRE


@dataclass(frozen=True)
class Begin:
    """Where a run begins or continues.

    Attributes:
        step: made since the beginning.
        time_fs: passed since then.
        segment: how often dynamics or forces were changed since then.
    """

    step: int = 0
    time_fs: float = 0.0
    segment: int = 0


class Dynamics:
    """One system in motion.

    Args:
        system: with its forces; constraints of the start, barostat and centre-of-mass remover are
            added to it.
        start: the atoms.
        settings: of the run.
        platform: of OpenMM.
        begin: where a continued run begins; the step enters the seeds, so that noise does not
            repeat.

    Attributes:
        begin: as the argument.
        masses: (n,) u; zero where an atom is fixed.
        constraints: of the system; fixed atoms are those without mass.
        forces: what the system's forces compute, see `nnp.openmm.fingerprint`, without helpers.
        monitor: what the potential's last evaluation here said; None where no force is ours.
        controls: ramps and the barostat's acceptance.

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
        begin: Begin | None = None,
    ) -> None:
        self.start = start
        self.settings = settings
        self.begin = begin or Begin()
        start.constraints.apply(system)
        self.masses = _masses(system)
        self.constraints = _all_constraints(system)
        self.forces = [fingerprint(force) for force in system.getForces()]
        self._system = system
        self._verlet = is_leapfrog(settings)
        seed = (settings.seed + self.begin.step) % LARGEST_SEED or 1
        barostat = add_thermostat_and_barostat(
            system, start, settings, seed, fixed=not self.masses.all()
        )
        if self.degrees_of_freedom < 1:
            raise OptionError("all atoms are fixed: nothing can move; release some (FixAtoms)")
        self._integrator = create_integrator(settings, seed)
        with context_errors(platform):
            self.context = openmm.Context(system, self._integrator, platform)
        found = monitors(system, self.context)
        self.monitor: Monitor | NativeMonitor | None = found[0] if found else None
        self.controls = Controls(settings, self.context, self._integrator, barostat)
        self.context.setPositions(start.positions_nm)
        if start.box_nm is not None:
            self.context.setPeriodicBoxVectors(*start.box_nm)
        if len(self.constraints.pairs):
            self.context.applyConstraints(self._integrator.getConstraintTolerance())

    @property
    def degrees_of_freedom(self) -> int:
        """3 of each atom that moves, less one of each kept distance.

        Three less where nothing moves the centre of mass: neither noise (langevin, andersen)
        nor the forces of fixed atoms.
        """
        n = int(np.count_nonzero(self.masses))
        still = self.settings.ensemble == "nve" or self.settings.thermostat == "nose-hoover"
        free = 3 * n - len(self.constraints.pairs)
        return free - 3 if still and 1 < n == len(self.masses) else free

    @property
    def time_fs(self) -> float:
        """Since the beginning; continuous if a run continues with another timestep."""
        return self.begin.time_fs + (self.step - self.begin.step) * self.settings.timestep

    @property
    def step(self) -> int:
        """Steps made since the beginning."""
        return int(self.context.getStepCount())

    def set_velocities(self, velocities: NDArray[np.float64] | None) -> None:
        """Set velocities, or draw them from the Maxwell-Boltzmann distribution.

        Args:
            velocities: (n, 3) Å/fs in OpenMM's axes; None: drawn at the settings' temperature,
                without motion of the centre of mass, scaled to meet the temperature
                of the first step.
        """
        if velocities is None:
            velocities = self._draw()
        else:
            velocities = self._allowed(velocities, self.start.positions_nm)
        if self._verlet:  # leapfrog keeps them half a step back
            velocities = velocities - self._half_kick(self._forces())
        self.context.setVelocities(velocities * FS_PER_PS / NANOMETRE)

    def advance(self, steps: int) -> None:
        """Make steps.

        Raises:
            NumericalError: a coordinate is not finite.
            NNPError: what the potential raised.
        """
        with self._numbers_to_blame(), original_errors(self._system):
            self.controls.advance(steps)

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
            time_fs=self.time_fs,
            segment=self.begin.segment,
            positions_nm=_numbers(state.getPositions(asNumpy=True)),
            velocities=_numbers(state.getVelocities(asNumpy=True)) * NANOMETRE / FS_PER_PS,
            box_nm=None if self.start.box_nm is None else self._box(state),
        )

    def _with_energies(self, snapshot: Snapshot, state: openmm.State) -> Snapshot:
        forces = _numbers(state.getForces(asNumpy=True)) * KJ_PER_MOL / NANOMETRE
        potential = _number(state.getPotentialEnergy()) * KJ_PER_MOL
        kinetic = _number(state.getKineticEnergy()) * KJ_PER_MOL
        velocities = snapshot.velocities
        if self._verlet:
            velocities = velocities + self._half_kick(forces)
            velocities = self._allowed(velocities, snapshot.positions_nm)
        return replace(
            snapshot,
            velocities=velocities,
            potential_energy=potential,
            kinetic_energy=kinetic,
            temperature=2 * kinetic / (self.degrees_of_freedom * BOLTZMANN),
            conserved_energy=self._conserved(potential + kinetic + self._chains_energy()),
            forces=forces,
            extrapolations=None if self.monitor is None else self.monitor.extrapolations,
        )

    def _conserved(self, with_bath: float) -> float:
        """eV; NaN where noise, a barostat or a ramp exchange what nothing counts."""
        settings = self.settings
        counted = settings.ensemble == "nve" or (
            settings.ensemble == "nvt" and settings.thermostat == "nose-hoover"
        )
        return with_bath if counted and not settings.ramps else np.nan

    def _chains_energy(self) -> float:
        """Of Nosé-Hoover chains, eV; they begin at zero, and OpenMM crashes when asked before.

        NaN where a continued run has not made a step yet.
        """
        if not isinstance(self._integrator, openmm.NoseHooverIntegrator):
            return 0.0
        if self.step == self.begin.step:
            return np.nan if self.step else 0.0
        return _number(self._integrator.computeHeatBathEnergy()) * KJ_PER_MOL

    def _draw(self) -> NDArray[np.float64]:
        """(n, 3) velocities, Å/fs."""
        rng = np.random.default_rng(self.settings.seed)
        masses = self.masses[:, None]
        velocities = rng.normal(size=(len(masses), 3)) * np.sqrt(self._inverse_masses)[:, None]
        if 1 < np.count_nonzero(masses) == len(masses):
            velocities -= (masses * velocities).sum(axis=0) / masses.sum()
        velocities = self._allowed(velocities, self.start.positions_nm)
        now = temperature_of(velocities, self.masses, self.degrees_of_freedom)
        return np.asarray(velocities * np.sqrt(self.settings.temperature / now))

    @property
    def _inverse_masses(self) -> NDArray[np.float64]:
        """(n,) 1/u; zero where an atom is fixed."""
        moves = self.masses > 0
        return np.divide(1.0, self.masses, out=np.zeros_like(self.masses), where=moves)

    def _allowed(
        self, velocities: NDArray[np.float64], positions: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(n, 3) without what the constraints forbid."""
        return self.constraints.project(velocities, positions, self._inverse_masses)

    def _half_kick(self, forces: NDArray[np.float64]) -> NDArray[np.float64]:
        """Change of velocity (Å/fs) by forces (eV/Å) in half a step."""
        acceleration = forces * self._inverse_masses[:, None] / EV_PER_U_A2_FS2
        return acceleration * (self.settings.timestep / 2)

    def _forces(self) -> NDArray[np.float64]:
        with original_errors(self._system):
            state = self.context.getState(forces=True)
        return _numbers(state.getForces(asNumpy=True)) * KJ_PER_MOL / NANOMETRE

    def _box(self, state: openmm.State) -> NDArray[np.float64]:
        return _numbers(state.getPeriodicBoxVectors(asNumpy=True))


def _masses(system: openmm.System) -> NDArray[np.float64]:
    """(n,) u."""
    count = system.getNumParticles()
    return np.array([_number(system.getParticleMass(i)) for i in range(count)])


def _all_constraints(system: openmm.System) -> Constraints:
    """Those of a System, whoever made them."""
    found = [system.getConstraintParameters(i) for i in range(system.getNumConstraints())]
    return Constraints(
        pairs=np.array([(i, j) for i, j, _ in found], np.int64).reshape(-1, 2),
        lengths_nm=np.array([_number(length) for _, _, length in found], np.float64),
    )


def _numbers(quantity: unit.Quantity) -> NDArray[np.float64]:
    """The numbers of an array in OpenMM's units (nm, ps, kJ/mol)."""
    return np.array(quantity.value_in_unit_system(unit.md_unit_system))


def _number(quantity: unit.Quantity) -> float:
    return float(quantity.value_in_unit_system(unit.md_unit_system))
