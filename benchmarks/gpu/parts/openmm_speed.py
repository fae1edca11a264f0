"""OpenMM with the plugin's kernels, and its own floor: the same System without the potential."""

from __future__ import annotations

import time
from typing import Any

import openmm
from openmm import unit
from subjects import box_of, options_of, potential_of

import nnp.openmm

SIZES = {"water": (192, 8640, 69120, 1_000_000), "silicon": (512, 64000, 512_000, 4_000_000)}


def main() -> None:
    """One row per system, size and precision."""
    options, result = options_of(__doc__)
    name = "CUDA" if options.engine == "gpu" else "OpenCL"
    known = {
        openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())
    }
    if name not in known:
        result.skip(
            f"OpenMM has no platform {name} here: {openmm.Platform.getPluginLoadFailures()}"
        )
    result["openmm"] = openmm.version.version
    for subject, sizes in SIZES.items():
        potential, _ = potential_of(subject, options.small)
        for size in (24,) if options.small else sizes:
            start = nnp.openmm.to_openmm(box_of(subject, size))
            force = nnp.openmm.create_system(potential, start, route="native", gpu_kernels=True)
            floor = openmm.System()
            for mass in start.masses:
                floor.addParticle(mass)
            floor.setDefaultPeriodicBoxVectors(*start.box_nm)
            floor.addForce(openmm.CustomExternalForce("0*x"))
            for precision in ("mixed",) if options.small or size > 100_000 else ("single", "mixed"):
                row: dict[str, Any] = {"system": subject, "atoms": len(start.masses)}
                row["precision"] = precision
                steps = 2 if options.small else max(20, min(1000, 20_000_000 // size))
                timestep = (0.5 if subject == "water" else 1.0) * unit.femtoseconds
                for what, system in (("nnp", force), ("floor", floor)):
                    row[f"{what} us"] = 1e6 * _seconds(
                        system, start, name, precision, timestep, steps
                    )
                row["atom-steps/s"] = len(start.masses) / (1e-6 * row["nnp us"])
                result.row(**row)


def _seconds(
    system: Any, start: Any, platform: str, precision: str, timestep: Any, steps: int
) -> float:
    """Of a step of Verlet, neighbour lists included."""
    context = openmm.Context(
        system,
        openmm.VerletIntegrator(timestep),
        openmm.Platform.getPlatform(platform),
        {"Precision": precision},
    )
    context.setPositions(start.positions_nm)
    context.setVelocitiesToTemperature(300, 1)
    integrator = context.getIntegrator()
    integrator.step(max(2, steps // 10))
    context.getState(energy=True)
    begin = time.perf_counter()
    integrator.step(steps)
    context.getState(energy=True)  # waits
    return (time.perf_counter() - begin) / steps


if __name__ == "__main__":
    main()
