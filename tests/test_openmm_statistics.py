"""Ensembles: energy is conserved, thermostats keep their temperature, boxes answer to pressure."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

pytest.importorskip("openmm", reason="OpenMM is not installed")

import openmm
from openmm import unit
from pair_potential import LATTICE_CONSTANT, pair_potential

import nnp.openmm
from nnp.units import BAR, BOLTZMANN, KJ_PER_MOL, NANOMETRE

PS = 0.002  # heavy atoms and soft springs: the shortest vibration takes some 0.1 ps
BLOCKS = 20


def simulate(integrator, kelvin, barostat=None):
    """32 atoms, 2 × 2 × 2 cells, in equilibrium."""
    atoms = bulk("Si", "fcc", LATTICE_CONSTANT, cubic=True) * (2, 2, 2)
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(pair_potential(), start, "python", threads=1)
    if barostat is not None:
        system.addForce(barostat)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatform("Reference"))
    context.setPositions(start.positions_nm)
    context.setVelocitiesToTemperature(kelvin, 3)
    integrator.step(2000)
    return context


def energies(context):
    """Potential and kinetic, eV."""
    state = context.getState(energy=True)
    kj_mol = unit.kilojoule_per_mole
    potential = state.getPotentialEnergy().value_in_unit(kj_mol) * KJ_PER_MOL
    return potential, state.getKineticEnergy().value_in_unit(kj_mol) * KJ_PER_MOL


def mean_and_error(values):
    """Mean and its standard error from block averages, which correlated samples do not fool."""
    blocks = np.reshape(values, (BLOCKS, -1)).mean(axis=1)
    return blocks.mean(), blocks.std(ddof=1) / np.sqrt(BLOCKS)


def test_block_errors_see_correlation():
    """Of a random walk that forgets in 20 steps, whose error is known."""
    rng = np.random.default_rng(0)
    keep = np.exp(-1 / 20)
    values = [0.0]
    for noise in rng.normal(size=40000):
        values.append(keep * values[-1] + np.sqrt(1 - keep**2) * noise)
    _, error = mean_and_error(values[1:])
    assert error == pytest.approx(np.sqrt(2 * 20 / 40000), rel=0.5)


@pytest.mark.slow
def test_energy_does_not_drift():
    integrator = openmm.VerletIntegrator(0.001)
    context = simulate(integrator, 600)
    total = []
    for _ in range(500):
        integrator.step(20)
        total.append(sum(energies(context)) / 32)
    drift_per_ps = np.polyfit(np.arange(500) * 0.02, total, 1)[0]
    assert abs(drift_per_ps) < 1e-5
    assert np.std(total) < 1e-4


THERMOSTATS = {
    "langevin_middle": lambda kelvin: openmm.LangevinMiddleIntegrator(kelvin, 5.0, PS),
    "langevin": lambda kelvin: openmm.LangevinIntegrator(kelvin, 5.0, PS / 2),
    "nose_hoover": lambda kelvin: openmm.NoseHooverIntegrator(kelvin, 20.0, PS / 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(THERMOSTATS))
def test_mean_temperature(name):
    kelvin = 300.0
    integrator = THERMOSTATS[name](kelvin)
    if name != "nose_hoover":
        integrator.setRandomNumberSeed(17)
    context = simulate(integrator, kelvin)
    temperatures = []
    for _ in range(4000):
        integrator.step(10)
        temperatures.append(2 * energies(context)[1] / (3 * 32 * BOLTZMANN))
    mean, error = mean_and_error(temperatures)
    assert 0.05 < error < 5  # K: neither stuck nor wild
    assert abs(mean - kelvin) < 3 * error
    # canonical: the temperature fluctuates by sqrt(2 / 3N)
    assert np.std(temperatures) / kelvin == pytest.approx(np.sqrt(2 / 96), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["isotropic", "anisotropic"])
def test_volume_answers_to_pressure_and_returns(kind):
    kelvin, high_bar = 300.0, 20000.0
    if kind == "isotropic":
        barostat = openmm.MonteCarloBarostat(1.0, kelvin, 5)
        parameters = [openmm.MonteCarloBarostat.Pressure()]
    else:
        vector = openmm.Vec3(1, 1, 1)
        barostat = openmm.MonteCarloAnisotropicBarostat(vector, kelvin, True, True, True, 5)
        parameters = [getattr(barostat, f"Pressure{axis}")() for axis in "XYZ"]
    barostat.setRandomNumberSeed(8)
    integrator = openmm.LangevinMiddleIntegrator(kelvin, 5.0, PS)
    integrator.setRandomNumberSeed(9)
    context = simulate(integrator, kelvin, barostat)
    found = []
    for bar in (1.0, high_bar, 1.0):
        for parameter in parameters:
            context.setParameter(parameter, bar)
        integrator.step(2000)
        volumes = []
        for _ in range(1000):
            integrator.step(10)
            volume = context.getState().getPeriodicBoxVolume()
            volumes.append(volume.value_in_unit(unit.nanometer**3) * NANOMETRE**3)
        found.append(mean_and_error(volumes))
    (before, error), (pressed, _), (after, other_error) = found
    assert abs(after - before) < 3 * np.hypot(error, other_error)
    # bulk modulus 0.3 eV/Å³ (50 GPa) at rest; softer when warm, stiffer when pressed
    modulus = high_bar * BAR / np.log(before / pressed)
    assert 0.15 < modulus < 0.6
