"""MD runs: settings, physics of each ensemble, files and their numbers."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.io import read
from openmm import unit
from pair_potential import pair_potential
from runs import crystal, moving_crystal

from nnp.errors import OptionError, OutputExistsError, StructureError, UnavailableError
from nnp.md import MDSettings, Outputs, Runner, read_log, run
from nnp.md.log import COLUMNS, WALL_CLOCK
from nnp.openmm import create_empty_system, create_system
from nnp.units import BOLTZMANN

# Where the OpenMM plugin is not built, the route "auto" says so and takes another.
pytestmark = pytest.mark.filterwarnings("ignore:route='auto' takes PythonForce:RuntimeWarning")

SHORT = MDSettings(steps=40, log_interval=10, frame_interval=20, timestep=2.0)


def short(**changes):
    return MDSettings(**(vars(SHORT) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ensemble": "nph"}, "ensemble='nph' is unknown: allowed are nve, nvt, npt"),
        (
            {"thermostat": "csvr"},
            "'csvr' is unknown: allowed are langevin, nose-hoover, andersen",
        ),
        ({"barostat": "x"}, "barostat='x' is unknown: allowed are isotropic"),
        ({"temperature": -1.0}, "temperature=-1.0: a number from 0 K"),
        ({"temperature": 0.0}, "temperature=0 with ensemble='nvt': it must be positive"),
        ({"temperature": float("nan")}, "temperature=nan: a number from 0 K"),
        ({"timestep": 0.0}, "timestep=0.0 fs is not allowed: it must be positive"),
        ({"relaxation_time": -5.0}, "relaxation_time=-5.0 fs is not allowed"),
        ({"timestep": 20.0}, "timestep=20 fs: bonds vibrate in 10 to 100 fs.* up to 10 fs"),
        (
            {"temperature_end": 400.0, "ensemble": "nve"},
            "temperature_end=400 K with ensemble='nve'",
        ),
        (
            {"pressure_end": 400.0},
            "pressure_end=400 bar with ensemble='nvt': a ramp of the pressure",
        ),
        ({"ramp_steps": 0}, "ramp_steps=0: a whole number from 1"),
        ({"pressure": float("inf")}, "pressure=inf: a finite number, in bar"),
        ({"steps": -1}, "steps=-1"),
        ({"log_interval": 0}, "log_interval=0: a whole number from 1"),
        ({"max_extrapolations": -2}, "max_extrapolations=-2"),
        ({"seed": 0}, "seed=0: a whole number from 1"),
        ({"seed": 2**31}, "seed=2147483648 is not in 1 to 2147483647"),
        ({"seed": "a"}, "seed='a': a whole number from 1"),
        ({"steps": 5.5}, "steps=5.5: a whole number from 0"),
        ({"log_interval": 2.5}, "log_interval=2.5: a whole number from 1"),
        (
            {"temperature": 300 * unit.kelvin},
            "temperature=300 K: a number from 0 K, without a unit",
        ),
        ({"timestep": "1"}, "timestep='1': a finite number, in fs"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(OptionError, match=message):
        short(**changes)


ENSEMBLES = [
    {"ensemble": "nve"},
    {"thermostat": "langevin"},
    {"thermostat": "nose-hoover"},
    {"thermostat": "andersen"},
    {"ensemble": "npt"},
    {"ensemble": "npt", "barostat": "membrane", "thermostat": "andersen"},
    {"ensemble": "npt", "barostat": "anisotropic"},
    {"ensemble": "npt", "barostat": "flexible", "thermostat": "nose-hoover"},
]


@pytest.mark.parametrize("changes", ENSEMBLES, ids=lambda c: "-".join(c.values()))
def test_log_and_trajectory_tell_one_story(tmp_path, changes):
    settings = short(barostat_interval=5, **changes)
    outcome = run(pair_potential(), crystal(), settings, Outputs.named(tmp_path / "r"))
    assert (outcome.step, outcome.interrupted) == (40, False)
    log = read_log(tmp_path / "r.csv")
    np.testing.assert_array_equal(log["step"], [0, 10, 20, 30, 40])
    np.testing.assert_allclose(log["time_ps"], [0, 0.02, 0.04, 0.06, 0.08])
    frames = read(tmp_path / "r.extxyz", ":")
    assert [frame.info["step"] for frame in frames] == [0, 20, 40]
    for frame, row in zip(frames, (0, 2, 4), strict=True):
        wanted = pair_potential().evaluate(frame)
        energy = frame.get_potential_energy()
        assert energy == pytest.approx(log["potential_energy_eV"][row], abs=1e-8)
        assert energy == pytest.approx(wanted.energy, abs=1e-6)
        np.testing.assert_allclose(frame.get_forces(), wanted.forces, atol=1e-6)
        kinetic = frame.get_kinetic_energy()
        assert kinetic == pytest.approx(log["kinetic_energy_eV"][row], rel=1e-5)
        assert frame.get_volume() == pytest.approx(log["volume_A3"][row], rel=1e-6)
        density = frame.get_masses().sum() / frame.get_volume() * 1.66053907
        assert density == pytest.approx(log["density_g_cm3"][row], rel=1e-6)
    total = log["potential_energy_eV"] + log["kinetic_energy_eV"]
    np.testing.assert_allclose(log["total_energy_eV"], total, atol=2e-9)
    last, final = frames[-1], read(tmp_path / "r.final.extxyz")
    np.testing.assert_array_equal(last.positions, final.positions)
    np.testing.assert_array_equal(last.get_momenta(), final.get_momenta())
    assert (log["volume_A3"].std() > 0) == (settings.ensemble == "npt")


def test_initial_velocities_have_the_temperature_and_no_drift(tmp_path):
    for ensemble, degrees in (("nve", 93), ("nvt", 96)):
        settings = short(ensemble=ensemble, steps=0, temperature=321.0)
        run(pair_potential(), crystal(), settings, Outputs.named(tmp_path / ensemble))
        (first,) = read(tmp_path / f"{ensemble}.extxyz", ":")
        np.testing.assert_allclose(first.get_momenta().sum(axis=0), 0, atol=1e-5)
        log = read_log(tmp_path / f"{ensemble}.csv")
        assert log["temperature_K"][0] == pytest.approx(321.0, rel=1e-6)
        kinetic = 0.5 * degrees * BOLTZMANN * 321.0
        assert log["kinetic_energy_eV"][0] == pytest.approx(kinetic, rel=1e-6)


@pytest.mark.parametrize("thermostat", ["langevin", "nose-hoover"])
def test_one_atom_moves_at_its_temperature(tmp_path, thermostat):
    """Its motion is its centre of mass's, of which nothing may be taken."""
    atoms = Atoms("Si", [(0, 0, 0)])
    system = create_empty_system(atoms)
    spring = openmm.CustomExternalForce("1000 * (x^2 + 1.3*y^2 + 1.7*z^2)")
    spring.addParticle(0)
    system.addForce(spring)
    settings = MDSettings(thermostat=thermostat, steps=10_000, log_interval=20)
    Runner(system, atoms, settings, Outputs.named(tmp_path / "r")).run()
    temperatures = read_log(tmp_path / "r.csv")["temperature_K"]
    assert 150 < temperatures.mean() < 600


def test_seeds_matter_and_repeat(tmp_path):
    logs = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(pair_potential(), crystal(), short(seed=seed), Outputs.named(tmp_path / name))
        columns = read_log(tmp_path / f"{name}.csv")
        logs.append([columns[n].tolist() for n in COLUMNS if n not in WALL_CLOCK])
    assert str(logs[0]) == str(logs[1])
    assert str(logs[0]) != str(logs[2])


@pytest.mark.parametrize("ensemble", ["nve", "nvt"])
def test_velocities_of_the_structure_are_taken(tmp_path, ensemble):
    atoms = moving_crystal()
    run(pair_potential(), atoms, short(ensemble=ensemble), Outputs.named(tmp_path / "r"))
    first = read(tmp_path / "r.extxyz", 0)
    np.testing.assert_allclose(first.get_momenta(), atoms.get_momenta(), atol=1e-6)


def test_constant_energy(tmp_path):
    settings = MDSettings(ensemble="nve", steps=500, timestep=1.0, log_interval=10)
    run(pair_potential(), moving_crystal(), settings, Outputs.named(tmp_path / "r"))
    log = read_log(tmp_path / "r.csv")
    exchanged = np.ptp(log["potential_energy_eV"])
    assert exchanged > 0.1
    assert np.ptp(log["total_energy_eV"]) < 0.01 * exchanged


def test_axes_and_cell_of_the_start_come_back(tmp_path):
    """A skewed, rotated, left-handed cell is the user's own in all files."""
    atoms = make_supercell(crystal(1), [[1, 1, 0], [0, 1, 1], [1, 0, -2]])
    atoms.rotate(33, (1, 2, 3), rotate_cell=True)
    atoms.rattle(0.05, seed=2)
    atoms.set_momenta(np.random.default_rng(3).normal(0, 0.5, (len(atoms), 3)))
    settings = short(ensemble="nve", steps=20)
    run(pair_potential(), atoms, settings, Outputs.named(tmp_path / "r"))
    first = read(tmp_path / "r.extxyz", 0)
    np.testing.assert_allclose(first.cell, atoms.cell, atol=1e-8)
    np.testing.assert_allclose(first.positions, atoms.positions, atol=1e-7)
    np.testing.assert_allclose(first.get_momenta(), atoms.get_momenta(), atol=1e-6)
    wanted = pair_potential().evaluate(atoms)
    np.testing.assert_allclose(first.get_forces(), wanted.forces, atol=1e-6)
    last = read(tmp_path / "r.final.extxyz")
    wanted = pair_potential().evaluate(last)
    np.testing.assert_allclose(last.get_forces(), wanted.forces, atol=1e-6)


def test_molecules_have_no_volume(tmp_path):
    atoms = Atoms("Si3", [(0, 0, 0), (2.6, 0, 0), (0, 2.6, 0)])
    run(pair_potential(), atoms, short(), Outputs.named(tmp_path / "r"))
    log = read_log(tmp_path / "r.csv")
    assert np.isnan(log["volume_A3"]).all()
    assert np.isnan(log["density_g_cm3"]).all()
    assert not read(tmp_path / "r.final.extxyz").pbc.any()


def test_extrapolations_stand_in_the_log(tmp_path):
    atoms = moving_crystal()
    atoms.positions[7] += (0.9, 0.0, 0.0)
    run(pair_potential(), atoms, short(steps=0), Outputs.named(tmp_path / "r"))
    log = read_log(tmp_path / "r.csv")
    found = pair_potential().evaluate(atoms).extrapolations
    assert log["extrapolating_atoms"][0] == found.n_atoms > 0
    assert log["worst_atom"][0] == found.worst.atom
    assert log["worst_function"][0] == found.worst.function + 1
    excess = 100 * found.worst.relative
    assert log["worst_excess_percent"][0] == pytest.approx(excess, abs=1e-3)


def test_routes_tell_the_same(tmp_path):
    """Each route writes the same energies and the same extrapolations."""
    atoms = moving_crystal()
    atoms.positions[7] += (0.9, 0.0, 0.0)
    rows = []
    for route in ("auto", "python"):
        outputs = Outputs.named(tmp_path / route)
        run(pair_potential(), atoms, short(ensemble="nve"), outputs, route=route)
        rows.append(read_log(tmp_path / f"{route}.csv"))
    for name in set(rows[0]) - WALL_CLOCK:
        np.testing.assert_allclose(rows[0][name], rows[1][name], rtol=1e-5, atol=1e-5)
    assert rows[0]["extrapolating_atoms"][0] > 0


def test_other_systems_run_too(tmp_path):
    """A system without our force: no extrapolations to tell, everything else the same."""
    system = openmm.System()
    for _ in range(32):
        system.addParticle(28.0)
    system.setDefaultPeriodicBoxVectors(*(np.array(crystal().cell) / 10))
    Runner(system, crystal(), short(), Outputs.named(tmp_path / "r")).run()
    log = read_log(tmp_path / "r.csv")
    assert np.isnan(log["extrapolating_atoms"]).all()
    np.testing.assert_array_equal(log["potential_energy_eV"], 0)


def test_dcd_holds_the_same_positions(tmp_path):
    outputs = Outputs.named(tmp_path / "r", trajectory=tmp_path / "r.dcd")
    run(pair_potential(), crystal(), SHORT, outputs)
    raw = (tmp_path / "r.dcd").read_bytes()
    assert np.frombuffer(raw, "<i4", 1, 8)[0] == 3
    last = np.frombuffer(raw[-3 * (8 + 4 * 32) :], "<f4").reshape(3, 34)[:, 1:-1].T
    np.testing.assert_allclose(last, read(tmp_path / "r.final.extxyz").positions, atol=1e-5)


REFUSALS = [
    (
        {"platform": "Abacus"},
        {},
        UnavailableError,
        "platform='Abacus' is not available: this OpenMM",
    ),
    ({"route": "scenic"}, {}, OptionError, "route='scenic' is unknown: allowed are auto, "),
    ({"engine": "steam"}, {}, OptionError, "engine='steam' is unknown: allowed are auto"),
    ({}, {"pbc": (True, True, False)}, StructureError, "OpenMM repeats all axes or none"),
    ({}, {"symbols": "Au32"}, StructureError, "atom 0 is Au, but the potential knows only Si"),
]


@pytest.mark.parametrize(("options", "atoms", "error", "message"), REFUSALS)
def test_refusals_write_nothing(tmp_path, options, atoms, error, message):
    structure = crystal()
    if "pbc" in atoms:
        structure.pbc = atoms["pbc"]
    if "symbols" in atoms:
        structure.symbols = atoms["symbols"]
    with pytest.raises(error, match=message):
        run(pair_potential(), structure, SHORT, Outputs.named(tmp_path / "a/r"), **options)
    assert list(tmp_path.iterdir()) == []


def test_npt_needs_a_box_that_fits(tmp_path):
    atoms = crystal()
    atoms.pbc = False
    with pytest.raises(OptionError, match="ensemble='npt' needs a periodic structure"):
        run(pair_potential(), atoms, short(ensemble="npt"), Outputs.named(tmp_path / "r"))
    skewed = bulk("Si", "fcc", 3.717) * (3, 3, 3)
    settings = short(ensemble="npt", barostat="anisotropic")
    with pytest.raises(OptionError, match="barostat='anisotropic' needs a rectangular box"):
        run(pair_potential(), skewed, settings, Outputs.named(tmp_path / "r"))
    assert list(tmp_path.iterdir()) == []


def test_overlapping_start_is_refused(tmp_path):
    atoms = crystal()
    atoms.positions[3] = atoms.positions[5]
    outputs = Outputs.named(tmp_path / "r")
    with pytest.raises(StructureError, match=r"atoms 3 \(Si\) and 5 \(Si\) are 0.000 Å apart"):
        run(pair_potential(), atoms, SHORT, outputs)
    with pytest.raises(StructureError, match=r"atoms \d+ and \d+ are in the same place"):
        run(pair_potential(), atoms, SHORT, outputs, any_geometry=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["r.csv", "r.extxyz", "r.restart", "r.final.extxyz"])
def test_existing_files_are_kept_unless_forced(tmp_path, name):
    (tmp_path / name).write_text("precious")
    with pytest.raises(OutputExistsError, match=f"{name} exists: .*--restart.*--force"):
        run(pair_potential(), crystal(), SHORT, Outputs.named(tmp_path / "r"))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]
    run(pair_potential(), crystal(), SHORT, Outputs.named(tmp_path / "r", force=True))
    assert (tmp_path / name).read_bytes() != b"precious"


def test_names_of_outputs(tmp_path):
    with pytest.raises(OptionError, match=r"x.abc: its suffix decides .*: allowed are .extxyz"):
        Outputs.named(tmp_path / "r", trajectory="x.abc").check()
    with pytest.raises(OptionError, match="two outputs of the run have one name"):
        Outputs.named(tmp_path / "r", log=tmp_path / "r.extxyz").check()


def test_temperature_is_held(tmp_path):
    """Langevin over 20 ps: the mean is the target within its standard error."""
    settings = MDSettings(steps=8000, timestep=2.5, relaxation_time=100.0, log_interval=20)
    system = create_system(pair_potential(), crystal())
    Runner(system, crystal(), settings, Outputs.named(tmp_path / "r")).run()
    temperature = read_log(tmp_path / "r.csv")["temperature_K"][40:]
    blocks = temperature[: len(temperature) // 10 * 10].reshape(10, -1).mean(axis=1)
    error = blocks.std(ddof=1) / np.sqrt(len(blocks))
    assert error < 10
    assert abs(temperature.mean() - 300) < 3.5 * error
