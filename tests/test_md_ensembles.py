"""Thermostats and barostats: what they hold, how often they move, integrators of OpenMM's own."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from ase import units
from ase.build import bulk
from ase.io import read
from openmm import unit
from pair_potential import pair_potential
from runs import crystal, moving_crystal

from nnp.errors import OptionError
from nnp.io import load
from nnp.md import MDSettings, Outputs, controls, read_log, run
from nnp.metrics import block_average
from nnp.openmm import create_simulation

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")


def boxes(folder, potential=None, atoms=None, **changes):
    """The log, and the frames."""
    settings = MDSettings(
        ensemble="npt", timestep=2.0, **{"log_interval": 25, "frame_interval": 100} | changes
    )
    run(potential or pair_potential(), atoms or crystal(3), settings, Outputs.named(folder / "r"))
    return read_log(folder / "r.csv"), read(folder / "r.extxyz", ":")


def test_the_flexible_barostat_moves(tmp_path, monkeypatch):
    """It sat on one volume for 1,000 steps: moves of 1 % in six numbers never succeed."""
    silicon = load("silicon_sw"), bulk("Si", cubic=True) * (3, 3, 3)
    log, _ = boxes(tmp_path / "a", *silicon, barostat="flexible", steps=600)
    assert len(set(log["volume_A3"])) > 4
    assert log["barostat_acceptance"][-1] > 0.1
    monkeypatch.setattr(controls, "_MOST", 0)  # as OpenMM has it
    log, _ = boxes(tmp_path / "b", *silicon, barostat="flexible", steps=600)
    assert len(set(log["volume_A3"])) == 1


def test_acceptance_is_counted(tmp_path):
    """Each move that succeeds is another volume."""
    log, _ = boxes(tmp_path, steps=100, log_interval=1, barostat_interval=1)
    moved = np.diff(log["volume_A3"]) != 0
    tuned = 20  # the first twenty find the size of the moves; here all is well with it
    assert log["barostat_acceptance"][-1] == pytest.approx(moved[tuned:].mean(), abs=1e-4)
    assert 0.1 < moved.mean() < 0.95


def test_membranes_keep_x_and_y_together(tmp_path):
    _, frames = boxes(tmp_path, barostat="membrane", steps=600, pressure=10_000.0)
    lengths = np.array([frame.cell.lengths() for frame in frames])
    np.testing.assert_allclose(lengths[:, 0], lengths[:, 1], rtol=1e-6)
    assert np.ptp(lengths[:, 0]) > 1e-3
    assert np.ptp(lengths[:, 2] / lengths[:, 0]) > 1e-3
    skewed = crystal(2)
    skewed.set_cell(skewed.cell + np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]]))
    settings = MDSettings(ensemble="npt", barostat="membrane")
    with pytest.raises(OptionError, match="barostat='membrane' needs a rectangular box"):
        run(pair_potential(), skewed, settings, Outputs.named(tmp_path / "s"))


def test_andersen_holds_the_temperature(tmp_path):
    settings = MDSettings(
        steps=6000, timestep=2.5, thermostat="andersen", relaxation_time=100.0, log_interval=20
    )
    run(pair_potential(), crystal(), settings, Outputs.named(tmp_path / "r"))
    mean, error = block_average(read_log(tmp_path / "r.csv")["temperature_K"][40:])
    assert error < 10
    assert abs(mean - 300) < 4 * error


@pytest.mark.parametrize("route", ["native", "python"])
def test_respa_computes_the_potential_in_its_group_only(route):
    """Springs every step, the network every fourth: energy is conserved, evaluations are saved."""
    atoms = moving_crystal(100)
    integrator = openmm.MTSIntegrator(0.004, [(1, 1), (0, 4)])
    simulation = create_simulation(pair_potential(), atoms, integrator, route=route)
    springs = openmm.CustomExternalForce("50*(x-x0)^2")
    springs.addPerParticleParameter("x0")
    for index, x in enumerate(atoms.positions[:, 0] / 10):
        springs.addParticle(index, [x])
    springs.setForceGroup(1)
    simulation.system.addForce(springs)
    simulation.context.reinitialize(preserveState=True)
    simulation.context.setVelocities(atoms.get_velocities() * units.fs * 100)  # nm/ps

    def total():
        state = simulation.context.getState(energy=True)
        energy = state.getPotentialEnergy() + state.getKineticEnergy()
        return energy.value_in_unit(unit.kilojoule_per_mole)

    found = [total()]
    for _ in range(40):
        simulation.step(5)
        found.append(total())
    assert np.ptp(found) < 0.5
