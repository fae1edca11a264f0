"""NVE in OpenMM with a potential, timed in blocks of steps."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import openmm
from ase import Atoms
from numpy.typing import NDArray
from openmm import unit

from nnp.bench.lammps_script import Conditions
from nnp.openmm import check_platform, create_system, to_openmm
from nnp.potential import Potential
from nnp.structure import Structure
from nnp.units import KJ_PER_MOL, KJ_PER_MOL_PER_NANOMETRE, NANOMETRE

_FORCE = unit.kilojoule_per_mole / unit.nanometer
_SEED = 376847
DEVICES = ("CUDA", "OpenCL", "HIP")


class OpenMMDynamics:
    """Verlet from the structure, with new velocities before each block.

    Args:
        potential: moves the atoms.
        structure: where each block begins.
        conditions: temperature, time step, skin.
        platform: of OpenMM.
        threads: of the platform CPU and of the engine.
        precision: of GPU platforms.
        options: of `nnp.openmm.create_force`.

    Raises:
        NNPError: the route or platform is not there, or does not take the options.
    """

    def __init__(
        self,
        potential: Potential,
        structure: Structure,
        conditions: Conditions,
        platform: str = "CPU",
        threads: int = 1,
        precision: str = "mixed",
        **options: Any,
    ) -> None:
        atoms = Atoms(
            structure.symbols, positions=structure.positions, cell=structure.cell, pbc=structure.pbc
        )
        self._start = to_openmm(atoms)
        self._temperature = conditions.temperature
        system = create_system(
            potential,
            self._start,
            platform=platform,
            threads=threads,
            skin=conditions.skin,
            **options,
        )
        properties = {"Precision": precision} if platform in DEVICES else {}
        if platform == "CPU":
            properties = {"Threads": str(threads)}
        self._integrator = openmm.VerletIntegrator(conditions.timestep_fs / 1000)
        found = check_platform(system, platform)
        self._context = openmm.Context(system, self._integrator, found, properties)

    def block(self, warm_up: int, steps: int) -> tuple[float, float]:
        """Seconds per step by the wall clock, and of the processor.

        Raises:
            openmm.OpenMMException: a step failed.
        """
        self._context.setPositions(self._start.positions_nm)
        self._context.setVelocitiesToTemperature(self._temperature, _SEED)
        self._integrator.step(warm_up)
        self._finish()
        start, busy = time.perf_counter(), time.process_time()
        self._integrator.step(steps)
        self._finish()
        return (
            (time.perf_counter() - start) / steps,
            (time.process_time() - busy) / steps,
        )

    def forces(self, structure: Structure) -> tuple[float, NDArray[np.float64]]:
        """Energy, eV, and forces, shape (n, 3), eV/Å, of a structure of the same atoms.

        Raises:
            openmm.OpenMMException: they could not be computed.
        """
        self._context.setPositions(structure.positions / NANOMETRE)
        state = self._context.getState(energy=True, forces=True)
        energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
        forces = state.getForces(asNumpy=True).value_in_unit(_FORCE)
        return energy * KJ_PER_MOL, forces * KJ_PER_MOL_PER_NANOMETRE

    def _finish(self) -> None:
        """Wait for the device, whose steps run on after the call."""
        self._context.getState(positions=True)
