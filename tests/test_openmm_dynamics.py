"""Everything in OpenMM that moves atoms, changes boxes or writes files works with our forces."""

from __future__ import annotations

import io

import numpy as np
import pytest
from ase.build import bulk

pytest.importorskip("openmm", reason="OpenMM is not installed")

import openmm
from openmm import app, unit
from pair_potential import LATTICE_CONSTANT, pair_potential

import nnp.openmm
from nnp.units import BOLTZMANN, KJ_PER_MOL

KELVIN, BAR_IN_OPENMM, PS = 300.0, 1.0, 0.002


def _compound():
    integrator = openmm.CompoundIntegrator()
    integrator.addIntegrator(openmm.VerletIntegrator(PS))
    integrator.addIntegrator(openmm.LangevinMiddleIntegrator(KELVIN, 1.0, PS))
    return integrator


def _velocity_verlet():
    integrator = openmm.CustomIntegrator(PS)
    integrator.addComputePerDof("v", "v + 0.5 * dt * f / m")
    integrator.addComputePerDof("x", "x + dt * v")
    integrator.addComputePerDof("v", "v + 0.5 * dt * f / m")
    return integrator


def _quantum_thermal_bath():
    integrator = openmm.QTBIntegrator(KELVIN, 10.0, PS)
    integrator.setSegmentLength(0.05)  # ps; long ones take seconds to prepare
    return integrator


INTEGRATORS = {
    "verlet": lambda: openmm.VerletIntegrator(PS),
    "langevin": lambda: openmm.LangevinIntegrator(KELVIN, 1.0, PS),
    "langevin_middle": lambda: openmm.LangevinMiddleIntegrator(KELVIN, 1.0, PS),
    "nose_hoover": lambda: openmm.NoseHooverIntegrator(KELVIN, 10.0, PS),
    "brownian": lambda: openmm.BrownianIntegrator(KELVIN, 50.0, 0.0005),
    "variable_verlet": lambda: openmm.VariableVerletIntegrator(1e-4),
    "variable_langevin": lambda: openmm.VariableLangevinIntegrator(KELVIN, 1.0, 1e-4),
    "amd": lambda: openmm.AMDIntegrator(PS, 200.0, -2100.0),
    "compound": _compound,
    "custom": _velocity_verlet,
    "dpd": lambda: openmm.DPDIntegrator(KELVIN, 1.0, 0.5, PS),
    "multiple_time_steps_langevin": lambda: openmm.MTSLangevinIntegrator(KELVIN, 1.0, PS, [(0, 2)]),
    "quantum_thermal_bath": _quantum_thermal_bath,
    "multiple_time_steps": lambda: openmm.MTSIntegrator(PS, [(0, 2)]),
}


@pytest.fixture(params=["python", "torch"])
def route(request):
    """Each route; the torch one where openmmtorch is installed."""
    if request.param == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
        pytest.importorskip("openmmtorch", reason="openmmtorch is not installed")
    return request.param


def crystal(cells=(2, 2, 2), rattle=0.05):
    atoms = bulk("Si", "fcc", LATTICE_CONSTANT, cubic=True) * cells
    atoms.rattle(rattle, seed=2)
    return atoms


def simulate(integrator, route="python", platform="CPU", atoms=None, forces=()):
    """A simulation with velocities of 300 K."""
    atoms = crystal() if atoms is None else atoms
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(pair_potential(), start, route)
    for force in forces:
        system.addForce(force)
    simulation = app.Simulation(
        start.topology, system, integrator, nnp.openmm.check_platform(system, platform)
    )
    simulation.context.setPositions(start.positions_nm)
    simulation.context.setVelocitiesToTemperature(KELVIN, 7)
    return simulation


def seed(thing):
    if hasattr(thing, "setRandomNumberSeed"):
        thing.setRandomNumberSeed(11)
    return thing


def energies(simulation):
    state = simulation.context.getState(energy=True)
    kj_mol = unit.kilojoule_per_mole
    kinetic = state.getKineticEnergy().value_in_unit(kj_mol)
    return state.getPotentialEnergy().value_in_unit(kj_mol), kinetic


def volume(simulation):
    state = simulation.context.getState()
    return state.getPeriodicBoxVolume().value_in_unit(unit.nanometer**3)


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
@pytest.mark.parametrize("name", sorted(INTEGRATORS))
def test_integrators(name, platform, route):
    simulation = simulate(seed(INTEGRATORS[name]()), route, platform)
    potential, _ = energies(simulation)
    simulation.step(50)
    moved, kinetic = energies(simulation)
    assert moved != potential
    if name != "brownian":  # whose velocities are steps, not momenta
        temperature = 2 * kinetic * KJ_PER_MOL / (3 * 32 * BOLTZMANN)
        assert 100 < temperature < 600
    # bound: 0.7 eV per atom of cohesion; a wrong sign of the forces would have blown it up
    assert potential - 1 < moved < potential + 300


def test_routes_walk_the_same_path():
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("openmmtorch", reason="openmmtorch is not installed")
    ends = []
    for route in ("python", "torch"):
        simulation = simulate(openmm.VerletIntegrator(PS), route, "Reference")
        simulation.step(100)
        state = simulation.context.getState(positions=True)
        ends.append(state.getPositions(asNumpy=True).value_in_unit(unit.nanometer))
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-10)


def test_verlet_conserves_energy(route):
    simulation = simulate(openmm.VerletIntegrator(0.001), route, "Reference")
    totals, potentials = [], []
    for _ in range(40):
        simulation.step(5)
        potential, kinetic = energies(simulation)
        potentials.append(potential)
        totals.append(potential + kinetic)
    assert np.ptp(potentials) > 10  # kJ/mol went back and forth
    assert np.ptp(totals) < 0.02 * np.ptp(potentials)


def test_path_integrals(route):
    """Several copies of the system, one after the other, through one force."""
    integrator = seed(openmm.RPMDIntegrator(4, KELVIN, 1.0, PS))
    start = nnp.openmm.to_openmm(crystal())
    system = nnp.openmm.create_system(pair_potential(), start, route)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatform("Reference"))
    context.setPositions(start.positions_nm)
    for copy in range(4):
        integrator.setPositions(copy, start.positions_nm)
    integrator.step(10)
    energies_kj_mol = [
        integrator.getState(copy, getEnergy=True)
        .getPotentialEnergy()
        .value_in_unit(unit.kilojoule_per_mole)
        for copy in range(4)
    ]
    assert len(set(energies_kj_mol)) == 4
    perfect = pair_potential().evaluate(crystal(rattle=0)).energy / KJ_PER_MOL
    assert all(perfect < energy < perfect + 300 for energy in energies_kj_mol)


def test_andersen_thermostat(route):
    thermostat = seed(openmm.AndersenThermostat(KELVIN, 10.0))
    simulation = simulate(openmm.VerletIntegrator(PS), route, forces=[thermostat])
    simulation.step(50)
    assert 100 < 2 * energies(simulation)[1] * KJ_PER_MOL / (3 * 32 * BOLTZMANN) < 600


BAROSTATS = {
    "isotropic": lambda: openmm.MonteCarloBarostat(BAR_IN_OPENMM, KELVIN, 2),
    "anisotropic": lambda: openmm.MonteCarloAnisotropicBarostat(
        openmm.Vec3(1, 1, 1), KELVIN, True, True, True, 2
    ),
    "flexible": lambda: openmm.MonteCarloFlexibleBarostat(BAR_IN_OPENMM, KELVIN, 2),
    "membrane": lambda: openmm.MonteCarloMembraneBarostat(
        BAR_IN_OPENMM,
        0.0,
        KELVIN,
        openmm.MonteCarloMembraneBarostat.XYIsotropic,
        openmm.MonteCarloMembraneBarostat.ZFree,
        2,
    ),
}


@pytest.mark.parametrize("name", sorted(BAROSTATS))
def test_barostats(name, route):
    barostat = seed(BAROSTATS[name]())
    simulation = simulate(
        seed(openmm.LangevinMiddleIntegrator(KELVIN, 1.0, PS)), route, "CPU", forces=[barostat]
    )
    before = nnp.openmm.box.box_from_state(simulation.context.getState())
    simulation.step(60)
    after = nnp.openmm.box.box_from_state(simulation.context.getState())
    assert np.abs(after - before).max() > 1e-5
    assert volume(simulation) == pytest.approx(np.linalg.det(before), rel=0.2)
    potential, _ = energies(simulation)
    assert np.isfinite(potential)


def test_barostat_with_a_triclinic_box(route):
    atoms = bulk("Si", "fcc", LATTICE_CONSTANT) * (3, 3, 3)
    atoms.rattle(0.05, seed=2)
    simulation = simulate(
        seed(openmm.LangevinMiddleIntegrator(KELVIN, 1.0, PS)),
        route,
        "CPU",
        atoms,
        [seed(openmm.MonteCarloBarostat(1.0, KELVIN, 2))],
    )
    simulation.step(60)
    assert volume(simulation) == pytest.approx(27 * (LATTICE_CONSTANT / 10) ** 3 / 4, rel=0.15)


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_minimizer_finds_the_crystal(route, platform):
    atoms = crystal(rattle=0.15)
    simulation = simulate(openmm.VerletIntegrator(PS), route, platform, atoms)
    openmm.LocalEnergyMinimizer.minimize(simulation.context, 0.01, 200)
    potential, _ = energies(simulation)
    perfect = pair_potential().evaluate(crystal(rattle=0)).energy / KJ_PER_MOL
    assert potential == pytest.approx(perfect, abs=1e-2)


def test_reporters(route, tmp_path):
    simulation = simulate(openmm.VerletIntegrator(PS), route)
    log = io.StringIO()
    simulation.reporters += [
        app.StateDataReporter(
            log, 5, step=True, potentialEnergy=True, temperature=True, volume=True, speed=True
        ),
        app.DCDReporter(str(tmp_path / "md.dcd"), 5),
        app.XTCReporter(str(tmp_path / "md.xtc"), 5),
    ]
    simulation.step(20)
    simulation.reporters.clear()  # closes the files
    rows = log.getvalue().strip().splitlines()
    assert len(rows) == 5
    assert float(rows[-1].split(",")[1]) == pytest.approx(energies(simulation)[0])
    assert (tmp_path / "md.dcd").stat().st_size > 4 * 12 * 32
    assert (tmp_path / "md.xtc").stat().st_size > 0


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_a_checkpoint_continues_identically(route, platform, tmp_path):
    simulation = simulate(openmm.VerletIntegrator(PS), route, platform)
    simulation.step(10)
    simulation.saveCheckpoint(str(tmp_path / "md.chk"))
    ends = []
    for again in (False, True):
        if again:
            simulation = simulate(openmm.VerletIntegrator(PS), route, platform)
            simulation.loadCheckpoint(str(tmp_path / "md.chk"))
        simulation.step(20)
        state = simulation.context.getState(positions=True, velocities=True)
        ends.append(
            (state.getPositions(asNumpy=True)._value, state.getVelocities(asNumpy=True)._value)
        )
    for one, other in zip(*ends, strict=True):
        # engines may sum in another order with a neighbour list of another age
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_a_saved_state_continues(route, tmp_path):
    simulation = simulate(openmm.VerletIntegrator(PS), route)
    simulation.step(5)
    simulation.saveState(str(tmp_path / "md.xml"))
    saved, _ = energies(simulation)
    simulation.step(5)
    simulation.loadState(str(tmp_path / "md.xml"))
    assert energies(simulation)[0] == pytest.approx(saved, rel=1e-12)
    simulation.context.reinitialize(preserveState=True)
    assert energies(simulation)[0] == pytest.approx(saved, rel=1e-6)
