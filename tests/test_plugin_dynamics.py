"""Everything of OpenMM that moves atoms, with the plugin's force: as with any other force.

The oracle is a PythonForce that calls the same engine: with the same seeds the two must move every
atom alike. On the Reference platform OpenMM's own arithmetic repeats bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openmm
import pytest
from openmm import app, unit
from plugin_systems import (
    ENERGY_RTOL,
    PLATFORMS,
    context_of,
    crystal,
    energy_ev,
    need_plugin,
    pair_potential,
    positions_nm,
)

import nnp.openmm
from nnp.openmm._plugin import is_native

SEED = 11
STEPS = 25
# Two roads to one force differ by 1e-15 nm per step at most; chaos adds little in some steps.
SAME_NM = 1e-9


def _velocity_verlet():
    integrator = openmm.CustomIntegrator(0.002)
    integrator.addUpdateContextState()  # f2: the forces of group 2
    integrator.addComputePerDof("v", "v + 0.5 * dt * f2 / m")
    integrator.addComputePerDof("x", "x + dt * v")
    integrator.addComputePerDof("v", "v + 0.5 * dt * f2 / m")
    return integrator


def _quantum_thermal_bath():
    integrator = openmm.QTBIntegrator(300, 10, 0.001)
    integrator.setSegmentLength(0.02)  # ps; the default of 1 ps takes OpenMM a minute to set up
    return integrator


def _compound():
    integrator = openmm.CompoundIntegrator()
    integrator.addIntegrator(openmm.VerletIntegrator(0.002))
    integrator.addIntegrator(openmm.LangevinMiddleIntegrator(300, 5, 0.002))
    integrator.setCurrentIntegrator(1)
    return integrator


INTEGRATORS = {
    "verlet": lambda: openmm.VerletIntegrator(0.002),
    "langevin_middle": lambda: openmm.LangevinMiddleIntegrator(300, 5, 0.002),
    "langevin": lambda: openmm.LangevinIntegrator(300, 5, 0.002),
    "nose_hoover": lambda: openmm.NoseHooverIntegrator(300, 5, 0.002),
    "brownian": lambda: openmm.BrownianIntegrator(300, 50, 0.0005),
    "variable_verlet": lambda: openmm.VariableVerletIntegrator(1e-4),
    "variable_langevin": lambda: openmm.VariableLangevinIntegrator(300, 5, 1e-4),
    "dpd": lambda: openmm.DPDIntegrator(300, 5, 0.5, 0.002),
    "qtb": _quantum_thermal_bath,
    "accelerated": lambda: openmm.AMDIntegrator(0.002, 200.0, -2100.0),
    "multiple_time_step_langevin": lambda: openmm.MTSLangevinIntegrator(
        300, 5, 0.002, [(0, 1), (2, 2)]
    ),
    "multiple_time_step": lambda: openmm.MTSIntegrator(0.002, [(0, 1), (2, 2)]),
    "custom": _velocity_verlet,
    "compound": _compound,
    "rpmd": lambda: openmm.RPMDIntegrator(3, 300, 5, 0.0005),
}

BAROSTATS = {
    "isotropic": lambda: openmm.MonteCarloBarostat(1000, 300, 2),
    "anisotropic": lambda: openmm.MonteCarloAnisotropicBarostat((1e3, 2e3, 3e3), 300),
    "membrane": lambda: openmm.MonteCarloMembraneBarostat(
        1e3,
        0,
        300,
        openmm.MonteCarloMembraneBarostat.XYIsotropic,
        openmm.MonteCarloMembraneBarostat.ZFree,
    ),
    "flexible": lambda: openmm.MonteCarloFlexibleBarostat(1000, 300, 2),
}


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()


def system_of(route, group=0, barostat=None):
    start = nnp.openmm.to_openmm(crystal())
    system = nnp.openmm.create_system(pair_potential(), start, route=route, engine="cpu")
    system.getForce(0).setForceGroup(group)
    if barostat is not None:
        barostat.setRandomNumberSeed(SEED)
        barostat.setFrequency(2)
        system.addForce(barostat)
    return system, start.positions_nm


def run(system, positions, integrator, steps=STEPS, platform="Reference"):
    """Positions and box after some steps from 600 K."""
    seeded = integrator
    if isinstance(integrator, openmm.CompoundIntegrator):
        seeded = integrator.getIntegrator(1)
    if hasattr(seeded, "setRandomNumberSeed"):
        seeded.setRandomNumberSeed(SEED)
    context = context_of(system, positions, platform, integrator)
    context.setVelocitiesToTemperature(600, SEED)
    if isinstance(integrator, openmm.RPMDIntegrator):
        for copy in range(integrator.getNumCopies()):
            integrator.setPositions(copy, positions)
    integrator.step(steps)
    if isinstance(integrator, openmm.RPMDIntegrator):
        state = integrator.getState(2, getPositions=True)
    else:
        state = context.getState(positions=True)
    box = np.array(state.getPeriodicBoxVectors(asNumpy=True)._value)
    return np.array(state.getPositions(asNumpy=True)._value), box


def assert_same_motion(make):
    start, moved = make("native")
    _, wanted = make("python")
    assert np.abs(wanted[0] - start).max() > 1e-4  # something moved
    np.testing.assert_allclose(moved[0], wanted[0], rtol=0, atol=SAME_NM)
    np.testing.assert_allclose(moved[1], wanted[1], rtol=0, atol=SAME_NM)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", INTEGRATORS)
def test_integrators(name, platform):
    def make(route):
        # custom integrators have it in a group of its own
        group = 2 if name == "custom" or name.startswith("multiple_time_step") else 0
        system, positions = system_of(route, group)
        return positions, run(system, positions, INTEGRATORS[name](), platform=platform)

    assert_same_motion(make)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", BAROSTATS)
def test_barostats(name, platform):
    boxes = []

    def make(route):
        system, positions = system_of(route, barostat=BAROSTATS[name]())
        integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
        moved = run(system, positions, integrator, platform=platform)
        boxes.append((moved[1], system.getDefaultPeriodicBoxVectors()))
        return positions, moved

    assert_same_motion(make)
    first = np.array([[x._value for x in row] for row in boxes[0][1]])
    assert np.abs(boxes[0][0] - first).max() > 1e-5  # a move was accepted


def test_path_integral_barostat():
    boxes = []

    def make(route):
        system, positions = system_of(route)
        barostat = openmm.RPMDMonteCarloBarostat(50000, 1)
        barostat.setRandomNumberSeed(SEED)
        system.addForce(barostat)
        moved = run(system, positions, INTEGRATORS["rpmd"](), steps=5)
        boxes.append(moved[1])
        return positions, moved

    assert_same_motion(make)
    assert np.abs(boxes[0] - nnp.openmm.to_openmm(crystal()).box_nm).max() > 1e-5


def test_deterministic_forces_repeat_bit_for_bit():
    """With as many threads as there are, in two Contexts."""
    ends = []
    for _ in range(2):
        system, positions = system_of("native")
        properties = {"DeterministicForces": "true", "Threads": "2"}
        context = context_of(system, positions, "CPU", properties=properties)
        context.setVelocitiesToTemperature(600, SEED)
        context.getIntegrator().step(50)
        ends.append(positions_nm(context))
    assert (ends[0] == ends[1]).all()
    assert np.abs(ends[0] - positions).max() > 1e-3


@pytest.mark.parametrize("platform", PLATFORMS)
def test_another_potential_after_the_box_changed(platform):
    """Mid-run, under a barostat: the new potential sees the box of that moment."""
    barostat = openmm.MonteCarloBarostat(3000, 300, 1)
    barostat.setRandomNumberSeed(SEED)
    system, positions = system_of("native", barostat=barostat)
    integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
    integrator.setRandomNumberSeed(SEED)
    context = context_of(system, positions, platform, integrator)
    integrator.step(50)
    other = replace(pair_potential(), energy_scale=1.7)
    force = next(f for f in system.getForces() if is_native(f))
    nnp.openmm.update_force(force, other, context)
    state = context.getState(positions=True)
    box = np.array(state.getPeriodicBoxVectors(asNumpy=True)._value)
    start = nnp.openmm.to_openmm(crystal())
    assert np.abs(box - start.box_nm).max() > 1e-4
    wanted = other.evaluate(start.to_ase(positions_nm(context), box), "cpu").energy
    assert energy_ev(context) == pytest.approx(wanted, rel=ENERGY_RTOL)
    integrator.step(5)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_another_potential_counts_from_the_next_step_on(platform):
    """Also with integrators that keep the forces of their last step."""
    system, positions = system_of("native", group=2)
    context = context_of(system, positions, platform, _velocity_verlet())
    context.getIntegrator().step(3)
    state = context.getState(positions=True, velocities=True)
    ends = {}
    for energy_scale in (1.0, 1.7):
        other = replace(pair_potential(), energy_scale=energy_scale)
        fresh, _ = system_of("native", group=2)
        nnp.openmm.update_force(fresh.getForce(0), other)
        again = context_of(fresh, positions, platform, _velocity_verlet())
        again.setState(state)
        again.getIntegrator().step(1)
        ends[energy_scale] = positions_nm(again)
    nnp.openmm.update_force(system.getForce(0), other, context)
    context.getIntegrator().step(1)
    np.testing.assert_allclose(positions_nm(context), ends[1.7], rtol=0, atol=SAME_NM)
    assert np.abs(ends[1.7] - ends[1.0]).max() > 100 * SAME_NM


def test_metadynamics():
    def make(route):
        system, positions = system_of(route)
        distance = openmm.CustomBondForce("r")
        distance.addBond(0, 1)
        distance.setUsesPeriodicBoundaryConditions(True)
        variable = app.BiasVariable(distance, 0.1, 0.6, 0.05)
        meta = app.Metadynamics(system, [variable], 300, 5, 1.0, 5)
        topology = nnp.openmm.to_openmm(crystal()).topology
        integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
        integrator.setRandomNumberSeed(SEED)
        simulation = app.Simulation(
            topology, system, integrator, openmm.Platform.getPlatform("Reference")
        )
        simulation.context.setPositions(positions)
        simulation.context.setVelocitiesToTemperature(600, SEED)
        meta.step(simulation, STEPS)
        assert meta.getFreeEnergy().value_in_unit(unit.kilojoules_per_mole).min() < 0
        return positions, (positions_nm(simulation.context), np.zeros(3))

    assert_same_motion(make)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_minimiser(platform):
    system, positions = system_of("native")
    context = context_of(system, positions, platform)
    before = energy_ev(context)
    openmm.LocalEnergyMinimizer.minimize(context, 1.0)
    forces = context.getState(forces=True).getForces(asNumpy=True)._value
    assert energy_ev(context) < before - 0.1
    assert np.sqrt(np.mean(forces**2)) < 1.0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_energy_is_conserved(platform):
    system, positions = system_of("native")
    context = context_of(system, positions, platform, openmm.VerletIntegrator(0.001))
    context.setVelocitiesToTemperature(300, SEED)

    def total():
        state = context.getState(energy=True)
        return (state.getPotentialEnergy() + state.getKineticEnergy())._value

    context.getIntegrator().step(20)
    energies = []
    for _ in range(20):
        context.getIntegrator().step(25)
        energies.append(total())
    thermal = 3 / 2 * 32 * 300 * unit.MOLAR_GAS_CONSTANT_R._value / 1000
    assert np.ptp(energies) < 1e-3 * thermal


def test_andersen_thermostat():
    def make(route):
        system, positions = system_of(route)
        thermostat = openmm.AndersenThermostat(300, 50)
        thermostat.setRandomNumberSeed(SEED)
        system.addForce(thermostat)
        return positions, run(system, positions, openmm.VerletIntegrator(0.002))

    assert_same_motion(make)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_checkpoint_goes_on_in_another_context(platform):
    """Under a barostat: box, random numbers and the scale are in it."""
    ends, checkpoint = [], None
    for again in (False, True):
        start = nnp.openmm.to_openmm(crystal())
        options = {"route": "native", "scale_parameter": "coupling"}
        system = nnp.openmm.create_system(pair_potential(), start, **options)
        barostat = openmm.MonteCarloBarostat(3000, 300, 2)
        barostat.setRandomNumberSeed(SEED)
        system.addForce(barostat)
        integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
        integrator.setRandomNumberSeed(SEED)
        context = context_of(system, start.positions_nm, platform, integrator)
        if again:
            context.loadCheckpoint(checkpoint)
        else:
            context.setParameter("coupling", 0.75)
            context.setVelocitiesToTemperature(600, SEED)
            integrator.step(10)
            checkpoint = context.createCheckpoint()
        assert context.getParameter("coupling") == 0.75
        integrator.step(10)
        box = context.getState().getPeriodicBoxVectors(asNumpy=True)._value
        ends.append((positions_nm(context), np.array(box)))
    assert np.abs(ends[0][0] - start.positions_nm).max() > 1e-3
    assert np.abs(ends[0][1] - start.box_nm).max() > 1e-5
    for one, other in zip(*ends, strict=True):
        # sums in another order with a neighbour list of another age
        np.testing.assert_allclose(one, other, rtol=0, atol=SAME_NM)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_context_made_anew_keeps_its_state(platform):
    start = nnp.openmm.to_openmm(crystal())
    options = {"route": "native", "scale_parameter": "coupling"}
    system = nnp.openmm.create_system(pair_potential(), start, **options)
    context = context_of(system, start.positions_nm, platform)
    context.setParameter("coupling", 0.5)
    context.getIntegrator().step(10)
    before = energy_ev(context)
    watch = nnp.openmm.monitor(system.getForce(0))
    context.reinitialize(preserveState=True)
    assert energy_ev(context) == pytest.approx(before, rel=ENERGY_RTOL)
    assert watch.evaluations == 1  # of the new one
    context.getIntegrator().step(5)
    assert energy_ev(context) != before


@pytest.mark.parametrize("platform", PLATFORMS)
def test_checkpoints(platform):
    system, positions = system_of("native")
    integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
    integrator.setRandomNumberSeed(SEED)
    context = context_of(system, positions, platform, integrator)
    context.setVelocitiesToTemperature(300, SEED)
    integrator.step(10)
    checkpoint = context.createCheckpoint()
    integrator.step(10)
    wanted = positions_nm(context)
    context.loadCheckpoint(checkpoint)
    assert np.abs(positions_nm(context) - wanted).max() > 1e-4
    integrator.step(10)
    np.testing.assert_allclose(positions_nm(context), wanted, rtol=0, atol=1e-9)


def test_state_files_carry_the_scale(tmp_path):
    start = nnp.openmm.to_openmm(crystal())
    options = {"route": "native", "scale_parameter": "coupling"}
    system = nnp.openmm.create_system(pair_potential(), start, **options)
    context = context_of(system, start.positions_nm)
    context.setParameter("coupling", 0.5)
    wanted = energy_ev(context)
    state = context.getState(positions=True, parameters=True)
    path = tmp_path / "state.xml"
    path.write_text(openmm.XmlSerializer.serialize(state))
    other = context_of(system, start.positions_nm)
    other.setState(openmm.XmlSerializer.deserialize(path.read_text()))
    assert energy_ev(other) == pytest.approx(wanted, rel=ENERGY_RTOL)
