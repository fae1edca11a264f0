"""What the plugin says when something is wrong, what it shows between steps; the process lives."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import openmm
import pytest
from openmm import app
from plugin_systems import (
    ENERGY_RTOL,
    PLATFORMS,
    context_of,
    crystal,
    energy_ev,
    forces_ev,
    native_context,
    need_plugin,
    pair_potential,
)

import nnp.openmm
from nnp.errors import NumericalError, OptionError, StructureError
from nnp.networks import Activation, Network
from nnp.openmm import NativeMonitor
from nnp.structure import as_structure
from nnp.testing import random_potential, structures

pytestmark = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()


@pytest.fixture
def start():
    return nnp.openmm.to_openmm(crystal())


def exploding_potential():
    """exp(large) in the network: energies that are not finite wherever an atom has neighbours."""
    potential = pair_potential()
    model = potential.models[0]
    network = Network(
        (np.full((2, 1), 1e5), np.ones((1, 1))),
        (np.zeros(1), np.zeros(1)),
        (Activation.HARMONIC, Activation.IDENTITY),
    )
    return replace(potential, models=(replace(model, network=network),), energy_scale=1e300)


def test_positions_that_are_not_finite(start, platform):
    context = native_context(pair_potential(), start, platform)
    wanted = energy_ev(context)
    for bad in (np.nan, np.inf):
        positions = start.positions_nm.copy()
        positions[7, 1] = bad
        context.setPositions(positions)
        ours = r"position of particle 7 is not finite.*time step"
        openmms = "Particle coordinate is NaN"  # the CPU platform looks first
        with pytest.raises(openmm.OpenMMException, match=f"{ours}|{openmms}") as caught:
            context.getState(energy=True)
        assert platform == "CPU" or "particle 7" in str(caught.value)
    context.setPositions(start.positions_nm)
    assert energy_ev(context) == wanted


def test_overlapping_atoms_are_named_as_particles(platform):
    """Particle 4 is atom 2 of the potential, particle 6 atom 3."""
    system = openmm.System()
    for _ in range(7):
        system.addParticle(1.0)
    system.addForce(
        nnp.openmm.create_force(
            pair_potential(), ["Si"] * 7, "native", periodic=False, particles=[0, 1, 4, 6]
        )
    )
    positions = np.zeros((7, 3))
    positions[[0, 1, 4, 6]] = [(0, 0, 0), (0, 0, 0.25), (0, 0.25, 0.25), (0, 0.25, 0.25)]
    context = context_of(system, positions, platform)
    with pytest.raises(openmm.OpenMMException, match="atoms 4 and 6 are in the same place"):
        context.getState(forces=True)
    handle = nnp.openmm.monitor(system.getForce(0))
    assert isinstance(handle.error, StructureError)
    assert handle.error.atoms == (4, 6)
    assert handle.evaluations == 0
    assert handle.failure == handle.failures() > 0
    with (
        pytest.raises(StructureError, match="atoms 4 and 6"),
        nnp.openmm.original_errors(system),
    ):
        context.getState(forces=True)
    context.setPositions(positions + np.arange(7)[:, None] * [0.25, 0, 0])
    assert np.isfinite(energy_ev(context))
    assert handle.error is None
    assert handle.failure == 0
    assert handle.error is None
    assert handle.evaluations == 1


def test_energies_that_are_not_finite(start, platform):
    potential = exploding_potential()
    context = native_context(potential, start, platform)
    with pytest.raises(openmm.OpenMMException, match="not finite: the structure is far outside"):
        context.getState(energy=True)
    handle = nnp.openmm.monitor(context.getSystem().getForce(0))
    assert isinstance(handle.error, NumericalError)
    lenient = native_context(potential, start, platform, not_finite="pass")
    assert np.isnan(energy_ev(lenient))
    assert np.isnan(forces_ev(lenient)).all()
    last = nnp.openmm.monitor(lenient.getSystem().getForce(0)).last
    assert np.isnan([last.energy, *last.energies]).all()
    assert np.isnan(last.forces).all()


def test_an_exploding_simulation_stops_in_a_sentence(start, platform):
    """NaN forces make NaN positions, which the next step refuses."""
    integrator = openmm.VerletIntegrator(0.001)
    context = native_context(exploding_potential(), start, platform, integrator, not_finite="pass")
    with pytest.raises(openmm.OpenMMException, match=r"is not finite|is NaN"):
        integrator.step(3)
    nnp.openmm.update_force(context.getSystem().getForce(0), pair_potential(), context)
    context.setPositions(start.positions_nm)
    context.setVelocities(0 * start.positions_nm)
    integrator.step(3)
    assert np.isfinite(energy_ev(context))


def test_species_for_another_system(start, platform):
    force = nnp.openmm.create_force(pair_potential(), start.topology, "native")
    system = openmm.System()
    system.addParticle(1.0)
    system.addForce(force)
    with pytest.raises(
        openmm.OpenMMException, match="for 32 particles, but the System has 1: make the force"
    ):
        context_of(system, np.zeros((1, 3)), platform)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_scale_that_is_not_finite(start, platform, value):
    context = native_context(pair_potential(), start, platform, scale_parameter="coupling")
    wanted = energy_ev(context)
    context.setParameter("coupling", value)
    with pytest.raises(openmm.OpenMMException, match=r"parameter 'coupling' is (nan|inf) in this"):
        context.getState(energy=True)
    context.setParameter("coupling", 1.0)
    assert energy_ev(context) == wanted


def test_box_too_small(start, platform):
    """Far below the cutoff is fine; where atoms would have billions of images, it is refused."""
    context = native_context(pair_potential(), start, platform)
    context.setPeriodicBoxVectors(*np.diag([0.2] * 3))
    assert np.isfinite(energy_ev(context))
    context.setPeriodicBoxVectors(*np.diag([0.1] * 3))
    with pytest.raises(openmm.OpenMMException, match=r"neighbours within .* \(most: 10000\)"):
        context.getState(energy=True)
    context.setPeriodicBoxVectors(*np.diag([1e-3] * 3))
    with pytest.raises(openmm.OpenMMException, match=r"cell is so small .* give a larger cell"):
        context.getState(energy=True)


def test_box_without_volume(start, platform):
    context = native_context(pair_potential(), start, platform)
    context.setPeriodicBoxVectors(*np.diag([1e-8] * 3))
    with pytest.raises(openmm.OpenMMException, match="cell"):
        context.getState(energy=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "float16"}, "dtype='float16' is unknown: allowed are float64, float32"),
        ({"threads": 0}, "threads=0: a whole number from 1, or None"),
        ({"threads": 1.5}, r"threads=1\.5: a whole number from 1"),
        ({"skin": -1.0}, r"skin=-1\.0: a number from 0, or None"),
        ({"skin": float("nan")}, "skin=nan: a number from 0"),
        ({"target": "sse"}, "target='sse' is unknown"),
        ({"scale": 2.0}, r"scale=2\.0 needs the name of its parameter"),
        ({"scale": np.inf, "scale_parameter": "s"}, "scale=inf: a finite number"),
        ({"max_extrapolations": -1}, "max_extrapolations=-1: a whole number from 0"),
        ({"not_finite": "ignore"}, "not_finite='ignore' is unknown: allowed are raise, pass"),
        ({"colour": "red"}, "route='native' has no option 'colour': it takes dtype, threads"),
        ({"engine": "reference"}, "route='native' evaluates with engine='cpu' only"),
    ],
)
def test_options_that_are_refused(start, platform, options, message):
    del platform
    with pytest.raises(OptionError, match=message):
        nnp.openmm.create_force(pair_potential(), start.topology, route="native", **options)


def test_gpu_kernels_need_a_gpu_platform(start, platform):
    options = {"route": "native", "gpu_kernels": True}
    text = f"gpu_kernels=True with platform='{platform}', which runs on no GPU: use platform='CUDA'"
    with pytest.raises(OptionError, match=text):
        nnp.openmm.create_force(pair_potential(), start.topology, platform=platform, **options)
    integrator = openmm.VerletIntegrator(0.001)
    with pytest.raises(OptionError, match=text):
        nnp.openmm.create_simulation(pair_potential(), start, integrator, platform, **options)
    for other in (None, False):
        kernels = options | {"gpu_kernels": other}
        nnp.openmm.create_force(pair_potential(), start.topology, platform=platform, **kernels)


def test_extrapolations_are_the_engines(platform):
    potential = random_potential(("H", "O"), seed=5)
    structure = structures(("H", "O"))["rattled"]
    context = native_context(potential, structure, platform)
    handle = nnp.openmm.monitor(context.getSystem().getForce(0))
    assert handle.last is None
    assert handle.extrapolations is None
    assert (handle.count, handle.worst, handle.evaluations) == (0, None, 0)
    context.getState(energy=True, forces=True)
    wanted = potential.evaluate(structure, "cpu").extrapolations
    assert handle.count == wanted.n_atoms > 0
    assert handle.worst[:2] == wanted.worst[:2]
    assert handle.worst.relative == pytest.approx(wanted.worst.relative)
    found = handle.extrapolations
    np.testing.assert_array_equal(found.atoms, wanted.atoms)
    np.testing.assert_array_equal(found.functions, wanted.functions)
    np.testing.assert_allclose(found.relative, wanted.relative, rtol=1e-9)
    np.testing.assert_allclose(found.excess, wanted.excess, rtol=1e-9)
    assert handle.last.energy == pytest.approx(energy_ev(context), rel=1e-14)


def test_the_worst_may_lie_below_its_range(platform):
    potential, models = random_potential(("H", "O"), seed=5), []
    for model in potential.models:
        low, high = model.scaling.minimum, model.scaling.maximum
        scaling = replace(
            model.scaling, minimum=high + (high - low), maximum=high + 2 * (high - low)
        )
        models.append(replace(model, scaling=scaling))
    potential = replace(potential, models=tuple(models))
    structure = structures(("H", "O"))["rattled"]
    wanted = potential.evaluate(structure, "cpu").extrapolations.worst
    assert wanted.relative < -1
    context = native_context(potential, structure, platform)
    energy_ev(context)
    found = nnp.openmm.monitor(context.getSystem().getForce(0)).worst
    assert found[:2] == wanted[:2]
    assert found.relative == pytest.approx(wanted.relative, rel=1e-9)


def test_extrapolations_after_another_potential_are_its(platform):
    """Other functions, other ranges; the numbers of atoms stay."""
    structure = structures(("H", "O"))["rattled"]
    first = random_potential(("H", "O"), seed=6, families=("radial",))
    context = native_context(first, structure, platform)
    energy_ev(context)
    other = random_potential(("H", "O"), seed=5)
    nnp.openmm.update_force(context.getSystem().getForce(0), other, context)
    energy_ev(context)
    found = nnp.openmm.monitor(context.getSystem().getForce(0)).extrapolations
    wanted = other.evaluate(structure, "cpu").extrapolations
    assert wanted.n_atoms > 0
    np.testing.assert_array_equal(found.atoms, wanted.atoms)
    np.testing.assert_array_equal(found.functions, wanted.functions)
    np.testing.assert_allclose(found.relative, wanted.relative, rtol=1e-9)


def test_too_many_extrapolating_atoms_stop_the_run(start, platform):
    potential = pair_potential()
    warm = start.to_ase(start.positions_nm)
    warm.rattle(0.2, seed=2)
    start = nnp.openmm.to_openmm(warm)
    n = potential.evaluate(warm, "cpu").extrapolations.n_atoms
    assert 0 < n < len(warm)
    context = native_context(potential, start, platform, max_extrapolations=n - 1)
    with pytest.raises(
        openmm.OpenMMException,
        match=rf"^{n} atoms extrapolate, more than the {n - 1} that.*function \d of particle \d+",
    ):
        context.getState(energy=True)
    allowed = native_context(potential, start, platform, max_extrapolations=n)
    assert np.isfinite(energy_ev(allowed))


def test_monitors_by_context(start, platform):
    """One force, two Contexts; the force's own monitor shows the one evaluated last."""
    system = nnp.openmm.create_system(pair_potential(), start, route="native")
    one = context_of(system, start.positions_nm, platform)
    two = context_of(system, start.positions_nm * 1.001, platform)
    force = system.getForce(0)
    both = nnp.openmm.monitor(force)
    first, second = NativeMonitor(force, one), NativeMonitor(force, two)
    energies = [energy_ev(one), energy_ev(two)]
    assert energies[0] != energies[1]
    assert first.last.energy == pytest.approx(energies[0], rel=1e-14)
    assert second.last.energy == both.last.energy == pytest.approx(energies[1], rel=1e-14)
    energy_ev(one)
    assert both.last.energy == first.last.energy
    assert (first.evaluations, second.evaluations) == (2, 1)
    assert nnp.openmm.monitors(system)[0].evaluations == 2
    foreign = native_context(pair_potential(), start, platform)
    with pytest.raises(OptionError, match="not in this Context"):
        NativeMonitor(force, foreign)


def test_a_monitor_outlives_its_force(start, platform):
    context = native_context(pair_potential(), start, platform)
    handle = nnp.openmm.monitor(context.getSystem().getForce(0))
    energy = energy_ev(context)
    del context
    assert handle.last.energy == pytest.approx(energy, rel=1e-14)
    python = nnp.openmm.create_force(pair_potential(), start.topology, route="python")
    with pytest.raises(OptionError, match="not an NNPForce"):
        NativeMonitor(python)


def test_contexts_in_threads(platform):
    """Several Contexts of several potentials step at once, as if alone."""
    structure = crystal()
    potentials = [random_potential(("Si",), seed=seed) for seed in range(4)]
    wanted = [potential.evaluate(as_structure(structure), "cpu").energy for potential in potentials]
    contexts = [native_context(p, structure, platform, threads=1) for p in potentials]
    found = [[] for _ in potentials]

    def work(index):
        found[index] = [energy_ev(contexts[index], groups={0}) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(potentials))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for energies, energy in zip(found, wanted, strict=True):
        assert len(energies) == 20
        assert energies == pytest.approx([energy] * 20, rel=ENERGY_RTOL)


def test_positions_never_set(start, platform):
    system = nnp.openmm.create_system(pair_potential(), start, route="native")
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform(platform)
    )
    with pytest.raises(openmm.OpenMMException, match="positions have not been set"):
        context.getState(energy=True)


def test_simulations_report(start, platform, tmp_path):
    """OpenMM's own reporters and a Simulation around it."""
    simulation = nnp.openmm.create_simulation(
        pair_potential(), start, openmm.VerletIntegrator(0.001), platform, route="native"
    )
    log = tmp_path / "log.csv"
    simulation.reporters.append(app.StateDataReporter(str(log), 5, step=True, totalEnergy=True))
    simulation.step(10)
    assert len(log.read_text().splitlines()) == 3
