"""Analyses of what has a closed form: ideal gas, Brownian motion, oscillators, known variances."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.geometry.rdf import get_rdf

from nnp.analysis import Analysis, AnalysisSettings, AtomsList, analyse
from nnp.analysis import thermodynamics as thermo
from nnp.analysis.angles import AngleCounts
from nnp.analysis.blocks import jackknife
from nnp.analysis.correlation import autocorrelation, squared_displacements
from nnp.analysis.diffusion import displacements, finite_size_correction
from nnp.analysis.equilibration import detect_equilibration
from nnp.analysis.parts import add_thermodynamics
from nnp.analysis.rdf import TOTAL, PairCounts
from nnp.analysis.spool import Spool
from nnp.analysis.structure_factor import structure_factors
from nnp.analysis.unwrap import Unwrapper
from nnp.analysis.vibrations import vibrations
from nnp.structure import Structure, as_structure
from nnp.units import BAR, BOLTZMANN

CELL = np.array([[14.0, 0, 0], [3, 15, 0], [-2, 4, 16]])


def gas(seed, n=300):
    rng = np.random.default_rng(seed)
    return Atoms([8, 8, 14] * (n // 3), rng.random((n, 3)) @ CELL, cell=CELL, pbc=True)


def counted(frames, r_max, bins):
    pairs = PairCounts(frames[0].numbers, len(frames), r_max, bins)
    for atoms in frames:
        pairs.add(as_structure(atoms))
    return pairs.distributions()


def spooled(values):
    """A spool of (t, columns); groups and buffers are smaller than the table."""
    spool = Spool(values.shape[1], len(values))
    for row in values:
        spool.add(row)
    return spool


def test_an_ideal_gas_has_no_structure():
    found = counted([gas(seed) for seed in range(20)], 12.0, 60)
    assert list(found) == [TOTAL, "O-O", "O-Si", "Si-Si"]
    for one in found.values():
        flat = 1 - 1 / one.count if one.same else 1.0
        beyond = one.r > 3
        apart = np.abs(one.mean[beyond] - flat) / one.error[beyond]
        assert np.mean(apart < 3) > 0.85
        density = one.count / abs(np.linalg.det(CELL))
        mean, error = one.coordination(8.0)
        assert mean == pytest.approx(flat * density * 4 / 3 * np.pi * 8.0**3, abs=5 * error)
    factors = structure_factors(found)
    for name, values in factors.values.items():
        assert np.mean(np.abs(values - 1) < 4 * factors.errors[name]) > 0.9


def test_partial_distributions_are_those_of_ase():
    atoms = gas(3)
    found = counted([atoms], 6.0, 60)
    for name, pair in (("O-O", (8, 8)), ("O-Si", (8, 14)), ("Si-Si", (14, 14))):
        wanted, r = get_rdf(atoms, 6.0, 60, elements=pair)
        np.testing.assert_allclose(found[name].mean[5:], wanted[5:], rtol=0.03, atol=1e-9)
        np.testing.assert_allclose(found[name].r, r, atol=0.051)


def test_structure_factor_is_the_direct_sum():
    """Of a liquid: S(k) over the cell's own wave vectors."""
    rng = np.random.default_rng(0)
    crystal = bulk("Ar", a=5.4, cubic=True) * (5, 5, 5)
    frames = []
    for _ in range(3):
        atoms = crystal.copy()
        atoms.positions += rng.normal(scale=0.75, size=atoms.positions.shape)
        frames.append(atoms)
    found = structure_factors(counted(frames, 13.0, 650))
    length = crystal.cell[0, 0]
    # all wave vectors between 2.2 and 2.6 1/Å, where the first peaks of the crystal are smeared
    whole = np.stack(np.meshgrid(*[np.arange(-20, 21)] * 3), axis=-1).reshape(-1, 3)
    k = 2 * np.pi / length * whole
    sizes = np.linalg.norm(k, axis=1)
    for low, high in ((1.0, 2.6), (3.0, 4.5)):
        inside = (sizes > low) & (sizes < high)
        sums = [np.abs(np.exp(1j * a.positions @ k[inside].T).sum(axis=0)) ** 2 for a in frames]
        direct = np.mean(sums) / len(crystal)
        shell = (found.x > low) & (found.x < high)
        weights = found.x[shell] ** 2
        ours = np.average(found.values[TOTAL][shell], weights=weights)
        assert ours == pytest.approx(direct, rel=0.05)


def test_first_minima_and_angles_of_a_crystal():
    rng = np.random.default_rng(2)
    frames = []
    for _ in range(5):
        atoms = bulk("ZnS", "zincblende", a=5.41, cubic=True) * (2, 2, 2)
        atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
        frames.append(atoms)
    found = counted(frames, 6.0, 300)
    minimum = found["S-Zn"].first_minimum()
    assert 2.7 < minimum < 4.0
    assert found["S-Zn"].coordination(minimum) == pytest.approx((4.0, 0.0))
    assert found["S-S"].coordination(found["S-S"].first_minimum()) == pytest.approx((12.0, 0.0))
    counts = AngleCounts({"S-Zn": minimum}, 5)
    for block, atoms in enumerate(frames):
        counts.add(as_structure(atoms), block)
    curve, means = counts.curve(), counts.means()
    assert list(curve.values) == ["S-Zn-S", "Zn-S-Zn"]
    for mean, error in means.values():
        assert mean == pytest.approx(109.47, abs=0.3)
        assert error < 0.1
    assert curve.values["S-Zn-S"].sum() == pytest.approx(1.0)


def test_angles_of_water():
    water = Atoms("OH2", [(0, 0, 0), (0.96, 0, 0), (-0.24, 0.93, 0)])
    counts = AngleCounts({"O-H": 1.2}, 1)
    counts.add(Structure(water.positions, water.numbers, np.zeros((3, 3)), np.zeros(3, bool)), 0)
    angle = np.degrees(np.arccos(-0.24 / np.hypot(0.24, 0.93)))
    assert counts.means()["H-O-H"][0] == pytest.approx(angle, abs=0.5)


def test_all_time_origins():
    values = np.random.default_rng(1).normal(size=(40, 4)).cumsum(axis=0) + 100.0
    count, lags = len(values), 15
    correlated = [(values[: count - m] * values[m:]).mean(axis=0) for m in range(lags)]
    moved = [((values[m:] - values[: count - m]) ** 2).mean(axis=0) for m in range(lags)]
    np.testing.assert_allclose(autocorrelation(values, lags), correlated)
    np.testing.assert_allclose(squared_displacements(values, lags), moved, atol=1e-10)


def test_a_spool_gives_back_what_it_took(monkeypatch):
    import nnp.analysis.spool as module

    monkeypatch.setattr(module, "_BUFFER", 4 * 12 * 7)  # seven rows
    monkeypatch.setattr(module, "_GROUP", 8 * 50 * 6)
    values = np.random.default_rng(1).normal(size=(50, 12))
    spool = spooled(values)
    groups = list(spool.groups())
    assert len(groups) == 2
    for columns, found in groups:
        np.testing.assert_allclose(found, values[:, columns], rtol=1e-6)
    spool.close()


def test_a_run_that_is_just_long_enough_counts():
    """D from 0.2 ps on, where the spacing is a difference of rounded times."""
    rng = np.random.default_rng(3)
    walk = rng.normal(size=(430, 90)).cumsum(axis=0)
    for spacing, late in ((0.42 - 0.40, True), (0.019, False)):
        spool = spooled(walk)
        one = displacements(spool, np.repeat(14, 30), spacing)[14]
        assert one.window_ps[0] == pytest.approx(10 * spacing)
        assert one.late is late
        spool.close()


def test_diffusion_of_brownian_motion():
    """D of two elements, walked through the cell; its error is what repeats scatter by."""
    rng = np.random.default_rng(7)
    n, steps, spacing = 30, 600, 0.5  # ps
    numbers = np.repeat([8, 14], n // 2)
    wanted = {8: 2.0, 14: 0.5}  # 1e-5 cm²/s = 0.1 Å²/ps
    width = np.sqrt([2 * 0.1 * wanted[z] * spacing for z in numbers])[:, None]
    found = {8: [], 14: []}
    for _ in range(12):
        path = (width * rng.normal(size=(steps, n, 3))).cumsum(axis=0)
        cell = np.diag([9.0, 10.0, 11.0])
        unwrapper = Unwrapper(np.ones(n), np.ones(3, bool))
        rows = [unwrapper.follow(p - np.floor(p / 9.0) * [9, 0, 0], cell).ravel() for p in path]
        assert not unwrapper.doubtful
        spool = spooled(np.array(rows))
        for z, one in displacements(spool, numbers, spacing).items():
            found[z].append((one.coefficient, one.coefficient_error, one.diffuses))
        spool.close()
    flying = spooled((0.01 * np.arange(600)[:, None] * rng.normal(size=90)).astype(float))
    assert not displacements(flying, numbers, spacing)[8].diffuses
    flying.close()
    for z, rows in found.items():
        values, errors, diffuses = np.array(rows).T
        # the centre of mass is held: a share 1/n of the motion is taken away
        assert values.mean() == pytest.approx(wanted[z], abs=3 * values.std() / np.sqrt(12) + 0.08)
        assert np.mean(errors) == pytest.approx(values.std(ddof=1), rel=0.6)
        assert diffuses.mean() > 0.7


def test_paths_through_a_tilted_cell():
    rng = np.random.default_rng(3)
    path = rng.normal(scale=0.5, size=(80, 6, 3)).cumsum(axis=0)
    unwrapper = Unwrapper(np.ones(6), np.ones(3, bool))
    for positions in path:
        shares = positions @ np.linalg.inv(CELL)
        found = unwrapper.follow((shares - np.floor(shares)) @ CELL, CELL)
    moved = path[-1] - path[0]
    np.testing.assert_allclose(found, moved - moved.mean(axis=0), atol=1e-10)


def test_finite_size_correction():
    """Water at 298 K, 216 molecules: Yeh and Hummer's constant in SI units."""
    length, viscosity = 18.64e-10, 0.85e-3
    wanted = 2.837297 * 1.380649e-23 * 298.15 / (6 * np.pi * viscosity * length) * 1e9
    assert finite_size_correction(298.15, 18.64**3, 0.85) == pytest.approx(wanted, rel=1e-9)


def test_oscillators_have_their_lines():
    """Two elements that vibrate at 5 and 12 THz; densities of integral 1, peaks in their places."""
    rng = np.random.default_rng(5)
    spacing, steps, n = 0.004, 3000, 20
    numbers = np.repeat([8, 14], n // 2)
    frequency = np.where(numbers == 8, 12.0, 5.0)
    phase = 2 * np.pi * rng.random((n, 3))
    times = spacing * np.arange(steps)[:, None, None]
    values = np.cos(2 * np.pi * frequency[None, :, None] * times + phase).reshape(steps, -1)
    spool = spooled(values)
    found = vibrations(spool, numbers, spacing)
    spool.close()
    for z, wanted in ((8, 12.0), (14, 5.0)):
        one = found[z]
        assert one.resolved
        width = one.frequencies_thz[1]
        assert one.frequencies_thz[one.density.argmax()] == pytest.approx(wanted, abs=width)
        # the ends count half
        whole = one.density.sum() - 0.5 * (one.density[0] + one.density[-1])
        assert whole * width == pytest.approx(1.0, abs=1e-9)
        np.testing.assert_allclose(one.vacf, np.cos(2 * np.pi * wanted * one.times_ps), atol=0.02)
    spool = spooled(values[::12])
    assert not vibrations(spool, numbers, 12 * spacing)[8].resolved
    spool.close()


def test_fluctuations_give_back_their_response():
    """Gaussian energies and volumes of known variances: C_V, C_P, α and B are those put in."""
    rng = np.random.default_rng(4)
    atoms, t, count, volume, pressure = 100, 300.0, 40_000, 1000.0, 5e4
    kt = BOLTZMANN * t
    kinetic = kt * rng.gamma(1.5 * atoms, size=count)
    potential = -400 + kt * np.sqrt(1.4 * atoms) * rng.normal(size=count)  # C_U = 1.4 k an atom
    columns = {
        "potential_energy_eV": potential,
        "kinetic_energy_eV": kinetic,
        "total_energy_eV": potential + kinetic,
        "temperature_K": 2 * kinetic / (3 * atoms * BOLTZMANN),
    }
    gas_constant = 8.314462618
    assert thermo.ensemble_of(columns) == ("nvt", "as its energies and volume look")
    (capacity,) = thermo.fluctuations(columns, "nvt", atoms)
    assert capacity.value == pytest.approx((1.4 + 1.5) * gas_constant, rel=0.02)
    assert abs(capacity.value - 2.9 * gas_constant) < 4 * capacity.error
    # nve: var(K) = (3N/2)(kT)² (1 − 3Nk/2C)
    share = 1 - 1.5 / 2.9
    kinetic = 1.5 * atoms * kt + kt * np.sqrt(1.5 * atoms * share) * rng.normal(size=count)
    nve = columns | {
        "kinetic_energy_eV": kinetic,
        "potential_energy_eV": -400 - kinetic,
        "total_energy_eV": np.full(count, -400.0) + 1e-6 * rng.normal(size=count),
        "temperature_K": 2 * kinetic / (3 * atoms * BOLTZMANN),
    }
    assert thermo.ensemble_of(nve)[0] == "nve"
    (capacity,) = thermo.fluctuations(nve, "nve", atoms)
    assert capacity.value == pytest.approx(2.9 * gas_constant, rel=0.03)
    # npt: α and B from the volume, whose noise carries enthalpy with it
    modulus, alpha = 50.0 / thermo.EV_PER_A3_IN_GPA, 2e-5
    dv = np.sqrt(kt * volume / modulus) * rng.normal(size=count)
    enthalpy = alpha * kt * t * volume / (kt * volume / modulus) * dv
    npt = columns | {
        "volume_A3": volume + dv,
        "potential_energy_eV": potential + enthalpy - pressure * BAR * (volume + dv),
    }
    assert thermo.ensemble_of(npt)[0] == "npt"
    found = {q.name: q for q in thermo.fluctuations(npt, "npt", atoms, pressure)}
    assert found["bulk modulus"].value == pytest.approx(50.0, rel=0.03)
    expansion = found["thermal expansion"]
    assert expansion.value == pytest.approx(alpha, abs=4 * expansion.error)
    assert expansion.error < 0.2 * alpha
    extra = np.var(enthalpy) / (kt * BOLTZMANN * t) * BOLTZMANN / BOLTZMANN
    wanted = (2.9 + extra / atoms / BOLTZMANN * BOLTZMANN) * gas_constant
    assert found["heat capacity C_P"].value == pytest.approx(wanted, rel=0.03)


def npt_log(rng, count, slowness, correlation):
    """Volumes and energies that are correlated with one another and over time; what they tell."""
    from scipy.signal import lfilter

    def series():
        keep = np.exp(-1 / slowness)
        noise = rng.normal(size=count + 20 * slowness)
        return lfilter([np.sqrt(1 - keep**2)], [1, -keep], noise)[20 * slowness :]

    atoms, t, modulus = 100, 300.0, 0.3
    kt, wide = BOLTZMANN * t, np.sqrt(BOLTZMANN * t * 1000 / modulus)
    volume = series()
    energy = correlation * volume + np.sqrt(1 - correlation**2) * series()
    kinetic = kt * rng.gamma(1.5 * atoms, size=count)
    columns = {
        "potential_energy_eV": -400 + kt * np.sqrt(1.4 * atoms) * energy,
        "kinetic_energy_eV": kinetic,
        "temperature_K": 2 * kinetic / (3 * atoms * BOLTZMANN),
        "volume_A3": 1000 + wide * volume,
        "target_pressure_bar": np.zeros(count),
    }
    expansion = correlation * wide * kt * np.sqrt(1.4 * atoms) / (kt * t * 1000)
    wanted = {"thermal expansion": expansion, "heat capacity C_P": 2.9 * 8.314462618}
    return columns, wanted | {"bulk modulus": modulus * thermo.EV_PER_A3_IN_GPA}


def test_two_errors_hold_nineteen_of_twenty():
    """The jackknife over five blocks alone holds 84 to 91 of 100."""
    rng = np.random.default_rng(0)
    held = dict.fromkeys(("thermal expansion", "heat capacity C_P", "bulk modulus"), 0)
    for _ in range(200):
        columns, wanted = npt_log(rng, 2000, 10, 0.1)
        for one in thermo.fluctuations(columns, "npt", 100):
            held[one.name] += abs(one.value - wanted[one.name]) < 2 * one.error
    assert min(held.values()) >= 0.92 * 200


@pytest.mark.parametrize(("count", "told"), [(1500, False), (60_000, True)])
def test_an_expansion_is_told_where_it_is_known(count, told):
    columns, wanted = npt_log(np.random.default_rng(3), count, 10, 0.1)
    found = Analysis("a")
    add_thermodynamics(found, columns, 100, AnalysisSettings())
    names = {one.name for one in found.quantities}
    assert {"heat capacity C_P", "bulk modulus"} <= names
    assert ("thermal expansion" in names) == told
    assert any("times as long" in note for note in found.notes) != told
    if told:
        alpha = found["thermal expansion"]
        assert alpha.value == pytest.approx(wanted["thermal expansion"], abs=3 * alpha.error)


def test_a_volume_on_a_piston_rings():
    noise = np.random.default_rng(2).normal(size=2000)
    slow = np.convolve(noise, np.exp(-np.arange(200) / 40), mode="valid")
    assert not thermo.rings(1000 + noise)
    assert not thermo.rings(1000 + slow)
    assert thermo.rings(1000 + 20 * np.sin(np.arange(2000) / 7) + noise)
    assert not thermo.rings(np.full(100, 1000.0))


def test_drift_and_jackknife():
    time = np.arange(500) * 0.1
    noise = 0.01 * np.random.default_rng(0).normal(size=500)
    columns = {"time_ps": time, "total_energy_eV": -100 + 2e-3 * time + noise}
    found = thermo.drift(columns, "nve", 50)
    assert thermo.drift(columns, "nvt", 50) is None
    assert found.unit == "meV/atom/ns"
    assert found.value == pytest.approx(2e-3 * 1e3 * 1e3 / 50, abs=4 * found.error)
    values = np.random.default_rng(1).normal(size=1000)
    _, error = jackknife(lambda x: float(x.mean()), [values], 10)
    assert error == pytest.approx(1 / np.sqrt(1000), rel=0.6)


def test_equilibration_is_found():
    rng = np.random.default_rng(9)
    values = np.concatenate([np.linspace(5, 0, 200), np.zeros(800)]) + 0.3 * rng.normal(size=1000)
    found = detect_equilibration(values, "x")
    assert 140 <= found.start <= 240
    assert detect_equilibration(np.ones(100)).start == 0


def harmonic_run(steps, spacing_fs=6.0):
    """Einstein's crystal of two elements; frames hold energies, stress and velocities."""
    rng = np.random.default_rng(11)
    start = bulk("NaCl", "rocksalt", a=5.64, cubic=True) * (2, 2, 2)
    phase = 2 * np.pi * rng.random((len(start), 3))
    omega = 2 * np.pi * np.where(start.numbers == 11, 6.0, 4.0)[:, None] / 1000  # 1/fs
    frames = []
    for k in range(steps):
        time = spacing_fs * k
        atoms = start.copy()
        atoms.positions += 0.08 * np.sin(omega * time + phase)
        atoms.set_velocities(0.08 * omega * np.cos(omega * time + phase) / units.fs)
        atoms.info["time_fs"] = time
        frames.append(atoms)
    return frames


@pytest.fixture(scope="module")
def harmonic():
    settings = AnalysisSettings(skip=0.0, r_max=6.0, frame_time_fs=None)
    return analyse(AtomsList(harmonic_run(400)), settings, name="harmonic")


def test_a_harmonic_crystal(harmonic):
    assert set(harmonic.curves) >= {"rdf", "structure_factor", "angles", "msd", "vacf", "vdos"}
    assert harmonic["coordination Na-Cl"].value == pytest.approx(6.0)
    msd = harmonic.curves["msd"]
    for name, frequency in (("Na", 6.0), ("Cl", 4.0)):
        wanted = 3 * 0.08**2 * (1 - np.cos(2 * np.pi * frequency * msd.x))
        np.testing.assert_allclose(msd.values[name], wanted, atol=0.001)
    vdos = harmonic.curves["vdos"]
    for name, wanted in (("Na", 6.0), ("Cl", 4.0)):
        assert vdos.x[vdos.values[name].argmax()] == pytest.approx(wanted, abs=vdos.x[1])
    assert any("no diffusion coefficient of Na" in note for note in harmonic.notes)
    assert harmonic["mean temperature"].value == pytest.approx(
        np.mean([a.get_kinetic_energy() for a in harmonic_run(400)]) / (96 * BOLTZMANN), rel=1e-6
    )


def test_what_cannot_be_had_is_said():
    frames = harmonic_run(12)
    one = analyse(AtomsList(frames[:1]), AnalysisSettings(skip=0.0))
    assert any("has 1 frame here, at least 10 are expected" in note for note in one.notes)
    assert "rdf" in one.curves
    assert "msd" not in one.curves
    for atoms in frames:
        del atoms.info["time_fs"]
    timeless = analyse(AtomsList(frames), AnalysisSettings())
    assert any("--frame-time FS does" in note for note in timeless.notes)
    assert any("nothing is cut" in note for note in timeless.notes)
    told = analyse(AtomsList(frames), AnalysisSettings(skip=0.0, frame_time_fs=5.0))
    assert told.about["time between frames / ps"] == pytest.approx(0.005)
    for atoms in frames:
        atoms.pbc = False
    bare = analyse(AtomsList(frames), AnalysisSettings(skip=0.0))
    assert any("no cell with three periodic axes" in note for note in bare.notes)
    assert "rdf" not in bare.curves


def test_without_pymbar(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymbar", None)
    frames = harmonic_run(30)
    for k, atoms in enumerate(frames):
        atoms.calc = SinglePointCalculator(atoms, energy=float(k % 3))
    found = analyse(AtomsList(frames))
    assert found.about["frames taken"] == 30
    assert any("pymbar, which is not installed: pip install" in note for note in found.notes)
