"""The plugin's force: what it computes is what the engines compute."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
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
    positions_nm,
)

import nnp.openmm
from nnp.errors import OptionError, StructureError
from nnp.evaluation import voigt
from nnp.structure import as_structure
from nnp.testing import (
    ENERGY_PER_ATOM_FLOAT32,
    FORCE_RTOL_FLOAT32,
    random_potential,
    random_structure,
    structures,
)
from nnp.units import KJ_PER_MOL, NANOMETRE

WHOLE = sorted(
    name for name, s in structures().items() if s.pbc.all() or not s.pbc.any()
)  # OpenMM repeats all axes or none


@pytest.fixture(scope="module", autouse=True)
def plugin():
    need_plugin()


def assert_same(context, wanted, start):
    """Energy and forces of a Context against an Evaluation in the frame before OpenMM's."""
    assert energy_ev(context) == pytest.approx(wanted.energy, rel=ENERGY_RTOL)
    largest = max(np.abs(wanted.forces).max(), 1e-2)
    np.testing.assert_allclose(
        forces_ev(context) @ start.rotation.T, wanted.forces, rtol=0, atol=ENERGY_RTOL * largest
    )


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", WHOLE)
def test_agrees_with_the_reference_engine(name, platform):
    pytest.importorskip("torch", reason="the reference engine needs torch")
    potential = random_potential(("H", "O"), seed=5)
    structure = structures(("H", "O"))[name]
    start = nnp.openmm.to_openmm(structure)
    context = native_context(potential, start, platform)
    assert_same(context, potential.evaluate(structure, "reference"), start)


@pytest.mark.parametrize("route", ["native", "python"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_monitor_knows_the_stress(route, platform):
    potential = random_potential(("H", "O"), seed=5)
    structure = structures(("H", "O"))["triclinic"]
    start = nnp.openmm.to_openmm(structure)
    system = nnp.openmm.create_system(potential, start, route=route)
    watch = nnp.openmm.monitor(system.getForce(0))
    assert watch.stress is None
    forces_ev(context_of(system, start.positions_nm, platform))
    last = nnp.openmm.monitor(system.getForce(0))
    xx, yy, zz, yz, xz, xy = last.stress
    turned = start.rotation @ [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]] @ start.rotation.T
    wanted = voigt(np.asarray(turned)), potential.evaluate(structure, stress=True).stress
    np.testing.assert_allclose(*wanted, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(last.last.stress, last.stress)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_in_random_triclinic_boxes(seed):
    """The engine on ASE's cell, the plugin on OpenMM's reduced box of the same lattice."""
    potential = random_potential(("H", "O", "Si"), seed=seed)
    structure = random_structure(("H", "O", "Si"), 30, seed)
    start = nnp.openmm.to_openmm(structure)
    context = native_context(potential, start, "CPU")
    assert_same(context, potential.evaluate(structure, "cpu"), start)


def test_box_of_the_context_counts():
    """Not the System's default box, and changes of it are seen."""
    potential, atoms = pair_potential(), crystal()
    context = native_context(potential, atoms)
    before = energy_ev(context)
    stretched = atoms.copy()
    stretched.set_cell(atoms.cell * 1.05, scale_atoms=True)
    start = nnp.openmm.to_openmm(stretched)
    context.setPeriodicBoxVectors(*start.box_nm)
    context.setPositions(start.positions_nm)
    assert_same(context, potential.evaluate(stretched, "cpu"), start)
    assert energy_ev(context) != pytest.approx(before, rel=1e-3)


def test_free_force_ignores_the_box():
    potential, atoms = pair_potential(), crystal(1)
    start = nnp.openmm.to_openmm(atoms)
    context = native_context(potential, start, periodic=False)
    atoms.pbc = False
    assert_same(context, potential.evaluate(atoms, "cpu"), start)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_single_precision_is_the_cpu_platforms(platform):
    potential, structure = random_potential(("Si",), seed=3), structures()["rattled"]
    wanted = potential.evaluate(structure, "cpu")
    context = native_context(potential, structure, platform, dtype="float32")
    error = abs(energy_ev(context) - wanted.energy) / len(structure)
    largest = np.abs(forces_ev(context) - wanted.forces).max()
    rms = np.sqrt(np.mean(wanted.forces**2))
    assert error < ENERGY_PER_ATOM_FLOAT32
    assert largest < FORCE_RTOL_FLOAT32 * rms
    # the Reference platform stays with float64
    assert (largest < 1e-12) == (platform == "Reference")


def test_threads_do_not_change_a_bit():
    potential, atoms = random_potential(("Si",), seed=3), crystal()
    one = forces_ev(native_context(potential, atoms, "CPU", threads=1))
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(potential, start, route="native")
    two = forces_ev(context_of(system, start.positions_nm, "CPU", properties={"Threads": "2"}))
    assert (one == two).all()


def test_subset_sees_only_itself():
    """Two atoms of a mixed system; the others feel nothing and are not felt."""
    potential = random_potential(("H", "O"), seed=5)
    water = structures(("H", "O"))["molecule"]
    start = nnp.openmm.to_openmm(water)
    chosen = [3, 0, 2]
    force = nnp.openmm.create_force(potential, start.topology, route="native", particles=chosen)
    system = openmm.System()
    for mass in start.masses:
        system.addParticle(mass)
    system.addForce(force)
    context = context_of(system, start.positions_nm)
    part = as_structure(start.to_ase(start.positions_nm)[sorted(chosen)])
    wanted = potential.evaluate(part, "cpu")
    assert energy_ev(context) == pytest.approx(wanted.energy, rel=ENERGY_RTOL)
    found = forces_ev(context)
    np.testing.assert_allclose(found[sorted(chosen)], wanted.forces, rtol=0, atol=1e-10)
    assert (found[1] == 0).all()
    seen = nnp.openmm.monitor(system.getForce(0)).last
    assert seen.forces.shape == (4, 3)
    np.testing.assert_allclose(seen.forces, found, rtol=1e-12, atol=1e-14)
    assert seen.energies[1] == 0
    assert seen.energies.sum() == pytest.approx(wanted.energy, rel=ENERGY_RTOL)


@pytest.mark.parametrize(
    ("particles", "error", "text"),
    [
        ([], OptionError, "at least one"),
        ([0, 7], OptionError, "particles has 7: the system has particles 0 to 3"),
        ([-1], OptionError, "particles has -1"),
        ([1, 1], OptionError, "particles has 1 more than once"),
        ([0.5], OptionError, "give a list of indices"),
    ],
)
def test_refuses_bad_subsets(particles, error, text):
    topology = nnp.openmm.to_openmm(structures(("H", "O"))["molecule"]).topology
    potential = random_potential(("H", "O"), seed=5)
    with pytest.raises(error, match=text):
        nnp.openmm.create_force(potential, topology, route="native", particles=particles)
    with pytest.raises(StructureError, match="O"):
        nnp.openmm.create_force(
            random_potential(("H",)), topology, route="native", particles=[0, 1]
        )
    with pytest.raises(OptionError, match="route='torch' acts on all atoms"):
        nnp.openmm.create_force(potential, topology, route="torch", particles=[0])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_scale_parameter_and_its_derivative(platform):
    potential, atoms = pair_potential(), crystal()
    context = native_context(potential, atoms, platform, scale_parameter="coupling", scale=0.25)
    plain = native_context(potential, atoms, platform)
    energy, forces = energy_ev(plain), forces_ev(plain)
    assert context.getParameter("coupling") == 0.25
    for scale in (0.25, 0.0, 1.0, -2.0):
        context.setParameter("coupling", scale)
        assert energy_ev(context) == pytest.approx(scale * energy, rel=1e-14)
        np.testing.assert_allclose(forces_ev(context), scale * forces, rtol=1e-12, atol=1e-14)
        state = context.getState(parameterDerivatives=True)
        derivative = state.getEnergyParameterDerivatives()["coupling"]
        assert derivative * KJ_PER_MOL == pytest.approx(energy, rel=1e-14)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_derivative_belongs_to_the_forces_group(platform):
    start = nnp.openmm.to_openmm(crystal())
    options = {"route": "native", "scale_parameter": "coupling", "scale": 0.5}
    system = nnp.openmm.create_system(pair_potential(), start, **options)
    system.getForce(0).setForceGroup(4)
    context = context_of(system, start.positions_nm, platform)
    found = {}
    for groups in ({4}, {0}):
        state = context.getState(parameterDerivatives=True, groups=groups)
        found[max(groups)] = state.getEnergyParameterDerivatives()["coupling"] * KJ_PER_MOL
    assert found[4] == pytest.approx(energy_ev(context) / 0.5, rel=1e-14)
    assert found[0] == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_custom_integrators_see_the_derivative(platform):
    """As in thermodynamic integration: dE/dλ summed up while λ changes at every step."""
    potential, atoms = pair_potential(), crystal()
    integrator = openmm.CustomIntegrator(0.001)
    integrator.addGlobalVariable("total", 0)
    integrator.addComputeGlobal("coupling", "coupling + 0.25")
    integrator.addComputeGlobal("total", "total + coupling * deriv(energy, coupling)")
    options = {"scale_parameter": "coupling", "scale": 0.0}
    context = native_context(potential, atoms, platform, integrator, **options)
    integrator.step(4)
    energy = potential.evaluate(atoms, "cpu").energy  # nothing moves
    assert context.getParameter("coupling") == 1.0
    wanted = (0.25 + 0.5 + 0.75 + 1.0) * energy
    found = integrator.getGlobalVariableByName("total") * KJ_PER_MOL
    assert found == pytest.approx(wanted, rel=ENERGY_RTOL)


def test_two_forces_share_a_parameter():
    potential, atoms = pair_potential(), crystal()
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(potential, start, route="native", scale_parameter="coupling")
    system.addForce(
        nnp.openmm.create_force(
            potential, start.topology, route="native", scale_parameter="coupling"
        )
    )
    context = context_of(system, start.positions_nm)
    energy = energy_ev(native_context(potential, atoms))
    derivatives = context.getState(parameterDerivatives=True).getEnergyParameterDerivatives()
    assert derivatives["coupling"] * KJ_PER_MOL == pytest.approx(2 * energy, rel=1e-13)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_force_groups(platform):
    potential, atoms = pair_potential(), crystal()
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(potential, start, route="native")
    system.getForce(0).setForceGroup(3)
    external = openmm.CustomExternalForce("x")
    external.addParticle(0)
    system.addForce(external)
    context = context_of(system, start.positions_nm, platform)
    energy = potential.evaluate(atoms, "cpu").energy
    assert energy_ev(context, groups={3}) == pytest.approx(energy, rel=ENERGY_RTOL)
    x = start.positions_nm[0, 0] * KJ_PER_MOL
    assert energy_ev(context, groups={0}) == pytest.approx(x, rel=1e-6)
    assert energy_ev(context) == pytest.approx(energy + x, rel=ENERGY_RTOL)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("particles", [None, [0, 3, 4, 9, 17]], ids=["all", "some"])
def test_forces_are_added_to_those_of_others(platform, particles):
    """Another force before ours and one after it."""
    potential, atoms = pair_potential(), crystal()
    start = nnp.openmm.to_openmm(atoms)
    options = {"route": "native", "particles": particles}

    def forces_of(*others):
        system = nnp.openmm.create_system(potential, start, **options)
        ours = system.getForce(0).__copy__()
        system.removeForce(0)
        for force in (*others[:1], ours, *others[1:]):
            system.addForce(force)
        return forces_ev(context_of(system, start.positions_nm, platform))

    def along(axis):
        external = openmm.CustomExternalForce(f"-{axis}")
        for particle in range(len(atoms)):
            external.addParticle(particle)
        return external

    added = forces_of(along("x"), along("y")) - forces_of()
    wanted = np.array([1.0, 1.0, 0.0]) * KJ_PER_MOL / NANOMETRE
    np.testing.assert_allclose(added, np.tile(wanted, (len(atoms), 1)), rtol=0, atol=1e-8)


def test_inside_a_collective_variable():
    """As openmm-ml interpolates: E = λ E_ML, evaluated in a Context inside the Context."""
    potential, atoms = pair_potential(), crystal()
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(potential, start, route="native")
    variable = openmm.CustomCVForce("(1 - mix) * ml")
    variable.addCollectiveVariable("ml", system.getForce(0).__copy__())
    variable.addGlobalParameter("mix", 0.25)
    system.removeForce(0)
    system.addForce(variable)
    context = context_of(system, start.positions_nm, "CPU")
    wanted = potential.evaluate(atoms, "cpu")
    assert energy_ev(context) == pytest.approx(0.75 * wanted.energy, rel=ENERGY_RTOL)
    np.testing.assert_allclose(forces_ev(context), 0.75 * wanted.forces, rtol=0, atol=1e-6)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_virtual_site_hands_its_force_to_its_parents(platform):
    """Energy differences along the parents' coordinates are the forces on them."""
    potential = random_potential(("Si",), seed=7)
    positions = np.array([(0, 0, 0), (0.26, 0.05, 0), (0.1, 0.24, 0.02), (0, 0, 0)])
    system = openmm.System()
    for mass in (28.0, 28.0, 28.0, 0.0):
        system.addParticle(mass)
    system.setVirtualSite(3, openmm.ThreeParticleAverageSite(0, 1, 2, -0.9, 1.2, 0.7))
    system.addForce(nnp.openmm.create_force(potential, ["Si"] * 4, route="native", periodic=False))
    context = context_of(system, positions, platform)
    context.computeVirtualSites()
    forces, h = forces_ev(context), 1e-6

    def energy(shift):
        moved = positions.copy()
        moved[1, 0] += shift
        context.setPositions(moved)
        context.computeVirtualSites()
        return energy_ev(context)

    slope = (energy(h) - energy(-h)) / (2 * h * 10)
    assert forces[1, 0] == pytest.approx(-slope, rel=1e-5)
    direct = nnp.openmm.monitor(system.getForce(0)).last.forces
    assert abs(direct[1, 0] - forces[1, 0]) > 1e-3  # the site's share counts


def test_massless_atoms_act_but_stay():
    potential, atoms = pair_potential(), crystal()
    start = nnp.openmm.to_openmm(atoms)
    system = nnp.openmm.create_system(potential, start, route="native")
    system.setParticleMass(5, 0.0)
    context = context_of(system, start.positions_nm)
    assert energy_ev(context) == pytest.approx(
        potential.evaluate(atoms, "cpu").energy, rel=ENERGY_RTOL
    )
    context.setVelocitiesToTemperature(300, 1)
    context.getIntegrator().step(5)
    moved = np.abs(positions_nm(context) - start.positions_nm).max(axis=1)
    assert moved[5] == 0
    assert (np.delete(moved, 5) > 0).all()
