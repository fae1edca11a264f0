"""Silicon at 300 K in OpenMM, with OpenMM's own tools around the potential.

    python examples/02_openmm_nvt.py

Nosé-Hoover chains, a reporter of OpenMM, the monitor of extrapolations, and one frame back in ASE.
"""

from __future__ import annotations

import sys
from importlib.resources import files

import openmm
from ase.build import bulk
from openmm import app, unit

import nnp
import nnp.openmm
from nnp.openmm.box import box_from_state


def main() -> None:
    potential = nnp.load(str(files("nnp") / "data" / "silicon_sw.nnp"))
    atoms = bulk("Si", a=5.431, cubic=True) * (3, 3, 3)
    start = nnp.openmm.to_openmm(atoms)
    integrator = openmm.NoseHooverIntegrator(
        300 * unit.kelvin, 10 / unit.picosecond, 2 * unit.femtosecond
    )
    simulation = nnp.openmm.create_simulation(potential, start, integrator, platform="CPU")
    simulation.context.setVelocitiesToTemperature(300 * unit.kelvin, 1)
    simulation.reporters.append(
        app.StateDataReporter(
            sys.stdout, 200, step=True, potentialEnergy=True, temperature=True, speed=True
        )
    )
    simulation.step(1000)

    (monitor,) = nnp.openmm.monitors(simulation.system)
    print(f"{monitor.count} atoms extrapolate")
    state = simulation.context.getState(positions=True)
    positions_nm = state.getPositions(asNumpy=True).value_in_unit(unit.nanometer)
    frame = start.to_ase(positions_nm, box_from_state(state))
    print(f"energy of the last frame: {potential.evaluate(frame).energy:.4f} eV")


if __name__ == "__main__":
    main()
