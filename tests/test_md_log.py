"""Columns of the log: stress and pressure, cells, conserved energy, ramps, spread, speed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import make_supercell
from ase.io import read
from pair_potential import pair_potential
from runs import crystal, moving_crystal

import nnp
from nnp.md import MDSettings, Outputs, Runner, read_log, run
from nnp.md.log import COLUMNS
from nnp.metrics import block_average
from nnp.openmm import create_system
from nnp.units import BAR

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

ROOT = Path(__file__).parents[1]
SHORT = MDSettings(steps=40, log_interval=10, frame_interval=10, timestep=2.0)
STRESS = [f"stress_{name}_bar" for name in ("xx", "yy", "zz", "yz", "xz", "xy")]
CELL = [f"cell_{name}" for name in ("a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg")]


def log_of(folder, atoms, potential=None, **changes):
    settings = replace(SHORT, **changes)
    run(potential or pair_potential(), atoms, settings, Outputs.named(folder / "r"))
    return read_log(folder / "r.csv"), read(folder / "r.extxyz", ":")


def test_columns_stand_in_the_documentation(tmp_path):
    log, _ = log_of(tmp_path, crystal(), steps=0)
    assert tuple(log) == COLUMNS
    text = (ROOT / "docs" / "md.md").read_text(encoding="utf-8")
    table = text.partition("| column |")[2].partition("\n\n")[0]
    assert (
        tuple(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE))))
        == COLUMNS
    )


@pytest.mark.parametrize("changes", [{}, {"ensemble": "nve"}, {"thermostat": "andersen"}])
def test_stress_and_cell_are_those_of_the_frames(tmp_path, changes):
    """In the axes of a skewed, turned, left-handed cell; potential and motion."""
    atoms = make_supercell(crystal(1), [[1, 1, 0], [0, 1, 1], [1, 0, -2]])
    atoms.rotate(33, (1, 2, 3), rotate_cell=True)
    atoms.set_cell(atoms.cell * 1.02, scale_atoms=True)
    atoms.rattle(0.05, seed=2)
    log, frames = log_of(tmp_path, atoms, **changes)
    for row, frame in enumerate(frames):
        found = pair_potential().evaluate(frame, stress=True).stress
        v, m = frame.get_velocities(), frame.get_masses()
        motion = -np.einsum("n,nc,nd->cd", m, v, v) / frame.get_volume()
        wanted = (found + motion[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]) / BAR
        np.testing.assert_allclose([log[n][row] for n in STRESS], wanted, rtol=1e-5, atol=0.05)
        assert log["pressure_bar"][row] == pytest.approx(-wanted[:3].mean(), rel=1e-5, abs=0.05)
        np.testing.assert_allclose([log[n][row] for n in CELL], frame.cell.cellpar(), atol=1e-5)


@pytest.mark.parametrize(("engine", "own"), [("cpu", False), ("reference", True)])
def test_where_forces_bring_the_virial_no_engine_is_made_for_it(tmp_path, engine, own):
    pytest.importorskip("torch", reason="the reference engine needs torch")
    options = {} if engine == "cpu" else {"route": "python", "engine": engine}
    system = create_system(pair_potential(), moving_crystal(), **options)
    settings, outputs = MDSettings(steps=2, log_interval=1), Outputs.named(tmp_path / "r")
    potential = pair_potential()
    atoms = moving_crystal()
    runner = Runner(system, atoms, settings, outputs, machine=options, potential=potential)
    assert (runner._observer._engine is not None) == own
    runner.run()
    assert np.isfinite(read_log(tmp_path / "r.csv")["pressure_bar"]).all()


def test_a_molecule_has_no_stress_nor_cell(tmp_path):
    atoms = crystal(1)
    atoms.pbc = False
    log, _ = log_of(tmp_path, atoms)
    for name in ("pressure_bar", *STRESS, *CELL, "barostat_acceptance", "force_spread_eV_A"):
        assert np.isnan(log[name]).all()


def test_conserved_energy_of_chains(tmp_path):
    """The total energy goes to the chains and back; their sum stays."""
    changes = {"thermostat": "nose-hoover", "steps": 600, "relaxation_time": 40.0, "timestep": 1.0}
    log, _ = log_of(tmp_path, moving_crystal(200), temperature=300.0, **changes)
    exchanged = np.ptp(log["total_energy_eV"])
    assert exchanged > 0.3
    assert np.ptp(log["conserved_energy_eV"]) < 0.02 * exchanged


def test_only_what_is_conserved_is_told(tmp_path):
    log, _ = log_of(tmp_path / "a", moving_crystal(), ensemble="nve")
    np.testing.assert_array_equal(log["conserved_energy_eV"], log["total_energy_eV"])
    assert np.isnan(log["target_temperature_K"]).all()
    log, _ = log_of(tmp_path / "b", moving_crystal())
    assert np.isnan(log["conserved_energy_eV"]).all()
    np.testing.assert_array_equal(log["target_temperature_K"], 300.0)


def test_a_ramp_is_followed(tmp_path):
    changes = {"temperature": 50.0, "temperature_end": 600.0, "relaxation_time": 20.0}
    changes |= {"steps": 2000, "ramp_steps": 1600, "log_interval": 10, "frame_interval": 1000}
    log, _ = log_of(tmp_path, crystal(), **changes)
    target, step = log["target_temperature_K"], log["step"]
    np.testing.assert_allclose(target, np.minimum(50 + 550 * step / 1600, 600))
    parts = [slice(0, 40), slice(60, 100), slice(160, 201)]
    for part in parts:
        mean, error = block_average(log["temperature_K"][part])
        assert abs(mean - target[part].mean()) < 4 * error + 20


@pytest.mark.parametrize("barostat", ["isotropic", "flexible"])
def test_pressure_of_a_barostat_is_its_own(tmp_path, barostat):
    """Virial, motion, sign and unit at once: the mean is what the barostat was told."""
    changes = {"ensemble": "npt", "barostat": barostat, "pressure": 30_000.0, "steps": 6000}
    changes |= {"barostat_interval": 5, "frame_interval": 6000, "relaxation_time": 200.0}
    log, _ = log_of(tmp_path, crystal(), **changes)
    late = slice(len(log["step"]) // 3, None)
    mean, error = block_average(log["pressure_bar"][late])
    assert error < 1500
    assert abs(mean - 30_000) < 4 * error
    assert 0.1 < log["barostat_acceptance"][-1] < 0.95
    np.testing.assert_array_equal(log["target_pressure_bar"], 30_000)


def test_spread_of_a_committee(tmp_path):
    other = replace(pair_potential(), energy_scale=1.1 * pair_potential().energy_scale)
    committee = nnp.Committee.of([pair_potential(), other])
    log, frames = log_of(tmp_path, moving_crystal(), committee)
    for row, frame in enumerate(frames):
        found = committee.evaluate(frame)
        wanted = np.linalg.norm(found.forces_deviation, axis=1).max()
        assert wanted > 0.01
        assert log["force_spread_eV_A"][row] == pytest.approx(wanted, abs=1e-5)


def test_speed_and_time_left(tmp_path):
    log, _ = log_of(tmp_path, crystal())
    assert np.isnan(log["steps_per_s"][0])
    rate = log["steps_per_s"][1:]
    assert (rate > 0).all()
    np.testing.assert_allclose(log["ns_per_day"][1:], rate * 2e-6 * 86400, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(log["time_left_s"][1:], (30, 20, 10, 0) / rate, atol=1e-3)
