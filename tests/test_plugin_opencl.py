"""The GPU kernels inside OpenMM, on whatever OpenCL device there is: PoCL runs them on the CPU."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from plugin_systems import (
    context_of,
    crystal,
    energy_ev,
    forces_ev,
    need_plugin,
    pair_potential,
    positions_nm,
)

import nnp.openmm
from nnp.structure import as_structure
from nnp.testing import structures
from nnp.units import KJ_PER_MOL

# Relative to the largest force. Single: positions of some nm in float32 are rounded by 1e-6 Å,
# which forces feel; mixed: the arithmetic of the functions; double: OpenMM's fixed point,
# 2^-32 kJ/mol/nm.
FORCE_RTOL = {"single": 1e-4, "mixed": 1e-5, "double": 1e-9}
PRECISIONS = ["single", "mixed", "double"]
SMALL = ("dimer", "far_outside")


# PoCL takes a quarter of a minute and more to compile the kernels of one potential.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()
    count = openmm.Platform.getNumPlatforms()
    names = [openmm.Platform.getPlatform(index).getName() for index in range(count)]
    if "OpenCL" not in names:
        pytest.skip("OpenMM has no platform OpenCL here (Debian: pocl-opencl-icd)")


@pytest.fixture(scope="module")
def potential():
    return pair_potential()


def check(context, potential, start, precision, scale=1.0):
    """Energy and forces against the CPU engine where the Context's atoms are now."""
    wanted = potential.evaluate(start.to_ase(positions_nm(context)), "cpu")
    largest = max(np.abs(wanted.forces).max(), 1e-2)
    tolerance = FORCE_RTOL[precision] * max(abs(wanted.energy), largest)
    assert abs(energy_ev(context) - scale * wanted.energy) < tolerance
    error = np.abs(forces_ev(context) @ start.rotation.T - scale * wanted.forces).max()
    assert error < FORCE_RTOL[precision] * largest


@pytest.mark.parametrize("precision", PRECISIONS)
def test_agrees_with_the_cpu_engine(potential, precision):
    """Right away, after NaN positions were refused, after atoms moved and were reordered."""
    structure = as_structure(crystal())
    start = nnp.openmm.to_openmm(structure)
    options = {"route": "native", "gpu_kernels": True, "scale_parameter": "coupling", "scale": 0.5}
    system = nnp.openmm.create_system(potential, start, **options)
    context = context_of(system, start.positions_nm, "OpenCL", properties={"Precision": precision})
    check(context, potential, start, precision, scale=0.5)
    derivatives = context.getState(parameterDerivatives=True).getEnergyParameterDerivatives()
    assert derivatives["coupling"] * KJ_PER_MOL == pytest.approx(2 * energy_ev(context), rel=1e-5)
    context.setPositions(np.full_like(start.positions_nm, np.nan))
    with pytest.raises(openmm.OpenMMException, match=r"position of particle \d+ is not finite"):
        context.getState(energy=True)
    context.setPositions(start.positions_nm)
    context.setVelocitiesToTemperature(300, 1)
    context.getIntegrator().setStepSize(2e-4)
    context.getIntegrator().step(300)  # OpenMM reorders atoms every 250 steps
    assert np.abs(positions_nm(context) - start.positions_nm).max() > 0.01
    check(context, potential, start, precision, scale=0.5)
    context.setPeriodicBoxVectors(*(1.02 * start.box_nm))
    stretched = nnp.openmm.to_openmm(
        nnp.Structure(
            structure.positions, structure.atomic_numbers, 1.02 * structure.cell, structure.pbc
        )
    )
    context.setPositions(stretched.positions_nm)
    wanted = potential.evaluate(stretched.to_ase(stretched.positions_nm), "cpu")
    assert energy_ev(context) == pytest.approx(0.5 * wanted.energy, rel=1e-4)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_without_gpu_kernels_the_engine_computes_on_the_host(potential, precision):
    """The default: positions go to the host and forces come back, after reordering too."""
    start = nnp.openmm.to_openmm(as_structure(crystal()))
    system = nnp.openmm.create_system(potential, start, route="native")
    context = context_of(system, start.positions_nm, "OpenCL", properties={"Precision": precision})
    check(context, potential, start, precision)
    context.setVelocitiesToTemperature(300, 1)
    context.getIntegrator().setStepSize(2e-4)
    context.getIntegrator().step(300)  # OpenMM reorders atoms every 250 steps
    assert np.abs(positions_nm(context) - start.positions_nm).max() > 0.01
    check(context, potential, start, precision)


@pytest.mark.parametrize("name", SMALL)
def test_small_boxes_and_free_atoms(potential, name):
    structure = structures()[name]
    start = nnp.openmm.to_openmm(structure)
    system = nnp.openmm.create_system(potential, start, route="native", gpu_kernels=True)
    context = context_of(system, start.positions_nm, "OpenCL", properties={"Precision": "double"})
    check(context, potential, start, "double")


def test_subset_extrapolations_and_refusals(potential):
    """Particles 0, 2 and 3 of four; what is said names particles of the System."""
    structure = structures()["molecule"]
    start = nnp.openmm.to_openmm(structure)
    system = openmm.System()
    for mass in start.masses:
        system.addParticle(mass)
    system.addForce(
        nnp.openmm.create_force(
            potential, start.topology, route="native", gpu_kernels=True, particles=[0, 2, 3]
        )
    )
    context = context_of(system, start.positions_nm, "OpenCL", properties={"Precision": "double"})
    part = as_structure(start.to_ase(start.positions_nm)[[0, 2, 3]])
    wanted = potential.evaluate(part, "cpu")
    np.testing.assert_allclose(forces_ev(context)[[0, 2, 3]], wanted.forces, rtol=0, atol=1e-8)
    assert (forces_ev(context)[1] == 0).all()
    watch = nnp.openmm.monitor(system.getForce(0))
    assert watch.count == wanted.extrapolations.n_atoms
    assert watch.last.energy == pytest.approx(wanted.energy, rel=1e-9)
    if watch.count:
        assert watch.worst.atom == [0, 2, 3][wanted.extrapolations.worst.atom]
        assert watch.worst.relative == pytest.approx(wanted.extrapolations.worst.relative)
    overlapping = start.positions_nm.copy()
    overlapping[3] = overlapping[2]
    context.setPositions(overlapping)
    with pytest.raises(openmm.OpenMMException, match="particle 2 is in the same place as another"):
        context.getState(energy=True)
    context.setPositions(start.positions_nm)
    assert energy_ev(context) == pytest.approx(wanted.energy, rel=1e-9)
