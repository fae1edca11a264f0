"""One answer through Python, ASE and OpenMM; what the routes refuse."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

pytest.importorskip("openmm", reason="OpenMM is not installed")

import openmm
from openmm import app, unit
from pair_potential import LATTICE_CONSTANT, pair_potential

import nnp
import nnp.openmm
from nnp.ase import NNPCalculator
from nnp.errors import OptionError, StructureError, UnavailableError
from nnp.openmm import torch_force
from nnp.testing import random_potential, structures
from nnp.units import KJ_PER_MOL, NANOMETRE

PLATFORMS = ("Reference", "CPU")
ROUTES = ("python", "torch")
# Rotation and two unit conversions: some rounding errors of the largest force.
RTOL = 1e-12
BOTH = ("crystal", "dimer", "far_outside", "left_handed", "lone_atom", "molecule")
BOTH += ("one_atom_cell", "rattled", "triclinic")


@pytest.fixture(scope="module")
def oxide():
    """A cheap potential of two elements."""
    return random_potential(("H", "O"), seed=4, families=("radial", "angular_narrow"))


@pytest.fixture(params=ROUTES)
def route(request):
    """Each route; the torch one where openmmtorch is installed."""
    if request.param == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
        pytest.importorskip("openmmtorch", reason="openmmtorch is not installed")
    return request.param


def as_atoms(structure):
    return Atoms(
        structure.symbols, positions=structure.positions, cell=structure.cell, pbc=structure.pbc
    )


def energy_and_forces(context, rotation):
    """eV and eV/Å, in the original frame."""
    state = context.getState(energy=True, forces=True)
    energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole) * KJ_PER_MOL
    forces = state.getForces(asNumpy=True)
    forces = forces.value_in_unit(unit.kilojoule_per_mole / unit.nanometer) * KJ_PER_MOL / NANOMETRE
    return energy, forces @ rotation.T


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", BOTH)
def test_all_ways_give_one_answer(name, platform, route, oxide):
    atoms = as_atoms(structures(("H", "O"))[name])
    wanted = oxide.evaluate(atoms)
    atoms.calc = NNPCalculator(oxide)
    np.testing.assert_array_equal(atoms.get_forces(), wanted.forces)
    start = nnp.openmm.to_openmm(atoms)
    simulation = nnp.openmm.create_simulation(
        oxide, atoms, openmm.VerletIntegrator(0.001), platform, route=route
    )
    energy, forces = energy_and_forces(simulation.context, start.rotation)
    assert energy == pytest.approx(wanted.energy, rel=RTOL, abs=1e-12)
    largest = max(np.abs(wanted.forces).max(), 0.1)
    np.testing.assert_allclose(forces, wanted.forces, rtol=0, atol=RTOL * largest)


def test_engines_and_options_pass_through(route, oxide):
    atoms = as_atoms(structures(("H", "O"))["molecule"])
    energies = {}
    for dtype in ("float64", "float32"):
        context = openmm.Context(
            nnp.openmm.create_system(oxide, atoms, route, engine="cpu", dtype=dtype, threads=1),
            openmm.VerletIntegrator(0.001),
            openmm.Platform.getPlatform("Reference"),
        )
        context.setPositions(atoms.positions / NANOMETRE)
        energies[dtype], _ = energy_and_forces(context, np.eye(3))
    assert energies["float64"] != energies["float32"]
    assert energies["float64"] == pytest.approx(energies["float32"], abs=1e-4)


def test_whole_box_shifts_change_nothing(route, oxide):
    atoms = as_atoms(structures(("H", "O"))["triclinic"])
    simulation = nnp.openmm.create_simulation(
        oxide, atoms, openmm.VerletIntegrator(0.001), "Reference", route=route
    )
    start = nnp.openmm.to_openmm(atoms)
    energy, forces = energy_and_forces(simulation.context, start.rotation)
    shifts = np.random.default_rng(1).integers(-4, 5, (len(atoms), 3)) @ start.box_nm
    simulation.context.setPositions(start.positions_nm + shifts)
    shifted_energy, shifted_forces = energy_and_forces(simulation.context, start.rotation)
    assert shifted_energy == pytest.approx(energy, rel=1e-11)
    np.testing.assert_allclose(shifted_forces, forces, rtol=0, atol=1e-10)


def test_the_box_of_the_context_counts(route):
    """Not the one the system was made with."""
    potential = pair_potential()
    atoms = bulk("Si", "fcc", LATTICE_CONSTANT)
    simulation = nnp.openmm.create_simulation(
        potential, atoms, openmm.VerletIntegrator(0.001), "Reference", route=route
    )
    start = nnp.openmm.to_openmm(atoms)
    simulation.context.setPeriodicBoxVectors(*(1.1 * start.box_nm))
    energy, _ = energy_and_forces(simulation.context, start.rotation)
    atoms.set_cell(1.1 * atoms.cell.array, scale_atoms=True)
    assert energy == pytest.approx(potential.evaluate(atoms).energy, rel=RTOL)


def test_it_adds_to_other_forces(route, oxide):
    atoms = as_atoms(structures(("H", "O"))["molecule"])
    system = nnp.openmm.create_system(oxide, atoms, route)
    spring = openmm.CustomExternalForce("2 * x")
    for index in range(len(atoms)):
        spring.addParticle(index)
    system.addForce(spring)
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("CPU")
    )
    context.setPositions(atoms.positions / NANOMETRE)
    _, forces = energy_and_forces(context, np.eye(3))
    wanted = oxide.evaluate(atoms).forces.copy()
    wanted[:, 0] -= 2 * KJ_PER_MOL / NANOMETRE
    np.testing.assert_allclose(forces, wanted, atol=1e-12)


def test_species_can_be_symbols_atoms_or_a_topology(route, oxide):
    atoms = as_atoms(structures(("H", "O"))["rattled"])
    start = nnp.openmm.to_openmm(atoms)
    periodic = {}
    for name, species in {
        "symbols": atoms.get_chemical_symbols(),
        "atoms": atoms,
        "topology": start.topology,
    }.items():
        force = nnp.openmm.create_force(
            oxide, species, route, periodic=True if name == "symbols" else None
        )
        periodic[name] = force.usesPeriodicBoundaryConditions()
    assert periodic == {"symbols": True, "atoms": True, "topology": True}
    assert not nnp.openmm.create_force(oxide, atoms, route, False).usesPeriodicBoundaryConditions()
    water = nnp.openmm.create_force(oxide, molecule("H2O"), route)
    assert not water.usesPeriodicBoundaryConditions()


def test_system_has_masses_and_box(oxide):
    atoms = as_atoms(structures(("H", "O"))["triclinic"])
    atoms.set_masses(np.arange(1.0, 9.0))
    system = nnp.openmm.create_system(oxide, atoms, "python")
    masses = [system.getParticleMass(i).value_in_unit(unit.dalton) for i in range(8)]
    assert masses == list(range(1, 9))
    vectors = system.getDefaultPeriodicBoxVectors()
    box = np.array([vector.value_in_unit(unit.nanometer) for vector in vectors])
    np.testing.assert_array_equal(box, nnp.openmm.to_openmm(atoms).box_nm)
    assert system.usesPeriodicBoundaryConditions()
    topology = nnp.openmm.to_openmm(atoms).topology
    system = nnp.openmm.create_system(oxide, topology, "python")
    assert system.getParticleMass(1).value_in_unit(unit.dalton) == pytest.approx(15.999, abs=1e-2)


# ---- refusals ----


def test_refuses_unknown_names(oxide):
    water = molecule("H2O")
    with pytest.raises(
        OptionError, match="route='plugin' is unknown: allowed are auto, native, python"
    ):
        nnp.openmm.create_force(oxide, water, route="plugin")
    with pytest.raises(OptionError, match="engine='fast' is unknown: allowed are"):
        nnp.openmm.create_force(oxide, water, engine="fast")
    with pytest.raises(OptionError, match="has no option 'colour'"):
        nnp.openmm.create_force(oxide, water, engine="reference", colour="red")
    with pytest.raises(
        UnavailableError, match="platform='Abacus' is not available: this OpenMM has"
    ):
        nnp.openmm.create_force(oxide, water, "python", platform="Abacus")
    with pytest.raises(UnavailableError, match="platform='Abacus' is not available"):
        nnp.openmm.create_simulation(oxide, water, openmm.VerletIntegrator(0.001), "Abacus")


def test_refuses_species_it_cannot_read(oxide):
    with pytest.raises(OptionError, match="periodic=None: a list of symbols does not say"):
        nnp.openmm.create_force(oxide, ["H", "O"])
    with pytest.raises(OptionError, match="species='HOH' is a str: give a list"):
        nnp.openmm.create_force(oxide, "HOH", periodic=False)
    with pytest.raises(OptionError, match="species=7 is a int"):
        nnp.openmm.create_force(oxide, 7, periodic=False)
    with pytest.raises(OptionError, match="'Q' is not the symbol of an element"):
        nnp.openmm.create_force(oxide, ["Q"], periodic=False)
    with pytest.raises(StructureError, match="there are no atoms"):
        nnp.openmm.create_force(oxide, [], periodic=False)
    with pytest.raises(StructureError, match="atom 1 is C, but the potential knows only H, O"):
        nnp.openmm.create_force(oxide, ["H", "C"], periodic=False)
    slab = Atoms("H", cell=[5, 5, 5], pbc=(True, True, False))
    with pytest.raises(StructureError, match="OpenMM repeats all axes or none"):
        nnp.openmm.create_force(oxide, slab)
    topology = app.Topology()
    topology.addAtom("EP", None, topology.addResidue("X", topology.addChain()))
    with pytest.raises(StructureError, match=r"atom 0 .* of the topology has no element"):
        nnp.openmm.create_force(oxide, topology)


def test_refuses_systems_it_cannot_build(oxide):
    with pytest.raises(StructureError, match="periodic=True but the atoms have no box"):
        nnp.openmm.create_system(oxide, molecule("H2O"), "python", periodic=True)
    with pytest.raises(OptionError, match=r"atoms is a list: give an ase\.Atoms"):
        nnp.openmm.create_system(oxide, ["H"])


class _Platform:
    """A platform of some name, with or without TorchForce."""

    def __init__(self, name, supports):
        self.name, self.supports = name, supports

    def getName(self):  # noqa: N802
        return self.name

    def supportsKernels(self, kernels):  # noqa: N802
        assert kernels == ["CalcTorchForce"]
        return self.supports


def test_torch_force_is_refused_where_it_would_crash(oxide, monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("openmmtorch", reason="openmmtorch is not installed")
    force = nnp.openmm.create_force(oxide, molecule("H2O"), "torch", platform="CPU")
    system = nnp.openmm.create_system(oxide, molecule("H2O"), "torch", platform="Reference")
    with pytest.raises(UnavailableError, match="'OpenCL' cannot run a TorchForce"):
        torch_force.check_torch_platform(_Platform("OpenCL", True))
    with pytest.raises(UnavailableError, match="platform='CUDA' has no TorchForce"):
        torch_force.check_torch_platform(_Platform("CUDA", False))
    torch_force.check_torch_platform(_Platform("CUDA", True))
    monkeypatch.setattr(nnp.openmm.platforms, "find_platform", lambda name: _Platform(name, True))
    with pytest.raises(UnavailableError, match="'OpenCL' cannot run a TorchForce"):
        nnp.openmm.check_platform(system, "OpenCL")
    nnp.openmm.check_platform(nnp.openmm.create_system(oxide, molecule("H2O"), "python"), "OpenCL")
    for thing in (force, system):
        for make in (copy.copy, copy.deepcopy):
            with pytest.raises(UnavailableError, match="a TorchForce cannot be copied"):
                make(thing)


@pytest.mark.parametrize(
    ("openmmtorch_version", "torch_version", "message"),
    [
        ("1.5", "2.8.0", "openmmtorch 1.5 works only with torch 2.9, but torch 2.8.0 is installed"),
        ("1.5", "2.10.0+cu128", "works only with torch 2.9, but torch 2.10.0"),
        ("1.6", "2.9.1", "openmmtorch 1.6 is not known to work: tested are 1.5 with torch 2.9"),
    ],
)
def test_torch_force_is_refused_with_another_torch(
    openmmtorch_version, torch_version, message, oxide, monkeypatch
):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(torch, "__version__", torch_version)
    monkeypatch.setattr(torch_force.importlib.metadata, "version", lambda _: openmmtorch_version)
    with pytest.raises(UnavailableError, match=message.replace("+", r"\+")):
        nnp.openmm.create_force(oxide, molecule("H2O"), "torch")


def test_torch_force_without_its_libraries(oxide, monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setitem(__import__("sys").modules, "openmmtorch", None)
    with pytest.raises(UnavailableError, match="openmmtorch, which cannot be imported"):
        nnp.openmm.create_force(oxide, molecule("H2O"), "torch")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(UnavailableError, match="needs torch, which is not installed: pip install"):
        nnp.openmm.create_force(oxide, molecule("H2O"), "torch")


def test_some_particles_of_a_mixed_system():
    """The potential sees silicon, whose atoms stand among others, and nothing else."""
    potential = pair_potential()
    trimer = Atoms("Si3", [(0, 0, 0), (2.5, 0.1, 0), (0.1, 2.6, 0)])
    symbols = ["H", "Si", "Si", "O", "Si"]
    chosen = [1, 2, 4]
    positions = np.full((5, 3), 0.5)
    positions[chosen] = trimer.positions
    force = nnp.openmm.create_force(potential, symbols, "python", False, particles=chosen)
    system = openmm.System()
    for _ in symbols:
        system.addParticle(1)
    system.addForce(force)
    wanted = potential.evaluate(trimer)
    for one in (system, copy.deepcopy(system)):
        context = openmm.Context(
            one, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference")
        )
        context.setPositions(positions / NANOMETRE)
        energy, forces = energy_and_forces(context, np.eye(3))
        assert energy == pytest.approx(wanted.energy, rel=RTOL)
        np.testing.assert_allclose(forces[chosen], wanted.forces, atol=1e-12)
        assert (forces[[0, 3]] == 0).all()
        monitor = nnp.openmm.monitors(one)[0]
        np.testing.assert_allclose(monitor.last.forces, forces, atol=1e-12)
        assert len(wanted.extrapolations) > 0
        np.testing.assert_array_equal(
            monitor.extrapolations.atoms, np.array(chosen)[wanted.extrapolations.atoms]
        )
    with pytest.raises(OptionError, match="route='torch' acts on all atoms"):
        nnp.openmm.create_force(potential, symbols, "torch", False, particles=chosen)
    with pytest.raises(OptionError, match="particles has 9: the system has particles 0 to 4"):
        nnp.openmm.create_force(potential, symbols, "python", False, particles=[9])
    with pytest.raises(StructureError, match="is H, but the potential knows only Si"):
        nnp.openmm.create_force(potential, symbols, "python", False, particles=[0])
