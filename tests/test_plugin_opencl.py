"""On a platform without kernels of its own the force goes through the host; OpenCL, also PoCL's."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from plugin_systems import context_of, energy_ev, forces_ev, need_plugin, positions_nm

import nnp.openmm
from nnp.testing import random_potential, random_structure

# What the platform keeps of positions and forces: relative to the largest force.
FORCE_RTOL = {"single": 2e-5, "mixed": 2e-6, "double": 1e-10}


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()
    count = openmm.Platform.getNumPlatforms()
    names = [openmm.Platform.getPlatform(index).getName() for index in range(count)]
    if "OpenCL" not in names:
        pytest.skip("OpenMM has no platform OpenCL here (Debian: pocl-opencl-icd)")


def water(n=60):
    potential = random_potential(("H", "O"), seed=2)
    return potential, random_structure(("H", "O"), n, 1)


@pytest.mark.parametrize(
    "precision",
    ["single", *(pytest.param(p, marks=pytest.mark.slow) for p in ("mixed", "double"))],
)
def test_agrees_with_the_cpu_engine(precision):
    """Right away, after atoms were reordered, and after NaN positions were refused."""
    potential, structure = water()
    start = nnp.openmm.to_openmm(structure)
    system = nnp.openmm.create_system(
        potential, start, route="native", scale_parameter="coupling", scale=0.5
    )
    context = context_of(system, start.positions_nm, "OpenCL", properties={"Precision": precision})

    def check():
        here = start.to_ase(positions_nm(context))
        wanted = potential.evaluate(here, "cpu")
        largest = np.abs(wanted.forces).max()
        assert 2 * energy_ev(context) == pytest.approx(wanted.energy, rel=FORCE_RTOL[precision])
        error = np.abs(2 * forces_ev(context) @ start.rotation.T - wanted.forces).max()
        assert error < FORCE_RTOL[precision] * largest

    check()
    context.setPositions(np.full_like(start.positions_nm, np.nan))
    with pytest.raises(openmm.OpenMMException, match=r"position of particle \d+ is not finite"):
        context.getState(energy=True)
    context.setPositions(start.positions_nm)
    context.getIntegrator().setStepSize(1e-5)
    context.getIntegrator().step(300)  # OpenMM reorders atoms every 250 steps
    check()
    assert nnp.openmm.monitor(system.getForce(0)).evaluations > 300
