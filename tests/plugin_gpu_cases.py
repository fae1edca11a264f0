"""The plugin on an OpenCL device: ``python plugin_gpu_cases.py CASE`` in a process of its own.

The parent (test_plugin_opencl.py) says through the environment which OpenCL runs: PoCL, or the
simulator oclgrind, which also looks for data races and accesses out of bounds.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import openmm
import pytest
from moment_potentials import random_moments
from plugin_systems import context_of, crystal, energy_ev, forces_ev, pair_potential, positions_nm

import nnp.openmm
from nnp.networks import Activation, Network
from nnp.structure import as_structure
from nnp.terms import RepulsionTerm
from nnp.testing import random_potential, structures
from nnp.units import KJ_PER_MOL

# Relative to the largest force. Single: positions of some nm in float32 are rounded by 1e-6 Å,
# which forces feel; mixed: the arithmetic of the functions; double: OpenMM's fixed point,
# 2^-32 kJ/mol/nm.
FORCE_RTOL = {"single": 1e-4, "mixed": 1e-5, "double": 1e-9}
PERIODIC_OR_FREE = [n for n, s in structures().items() if s.pbc.all() or not s.pbc.any()]
LIGHT = ("radial", "angular_narrow")


def opencl(system, start, precision="double", integrator=None, **properties):
    properties["Precision"] = precision
    return context_of(system, start.positions_nm, "OpenCL", integrator, properties)


def native(potential, start, precision="double", gpu_kernels=True, integrator=None, **options):
    options |= {"route": "native", "gpu_kernels": gpu_kernels}
    return opencl(
        nnp.openmm.create_system(potential, start, **options), start, precision, integrator
    )


def check(context, potential, start, precision="double", scale=1.0, engine="cpu"):
    """Energy and forces against an engine where the Context's atoms are now."""
    state = context.getState(positions=True)
    box = np.array(state.getPeriodicBoxVectors(asNumpy=True)._value)
    atoms = start.to_ase(positions_nm(context), box if start.box_nm is not None else None)
    wanted = potential.evaluate(atoms, engine)
    largest = max(np.abs(wanted.forces).max(), 1e-2)
    tolerance = FORCE_RTOL[precision] * max(abs(wanted.energy), largest)
    assert abs(energy_ev(context) - scale * wanted.energy) < tolerance
    error = np.abs(forces_ev(context) @ start.rotation.T - scale * wanted.forces).max()
    assert error < FORCE_RTOL[precision] * largest
    return wanted


def compare(potential, elements, names, precisions=FORCE_RTOL, engine="cpu"):
    for name in names:
        start = nnp.openmm.to_openmm(structures(elements)[name])
        for precision in precisions:
            check(native(potential, start, precision), potential, start, precision, engine=engine)


def one_element():
    """Every structure that OpenMM has a box for, in every precision."""
    compare(random_potential(("Si",), 1, LIGHT), ("Si",), PERIODIC_OR_FREE)


def some():
    names = ("lone_atom", "one_atom_cell", "triclinic", "far_outside")
    compare(random_potential(("Si",), 1, LIGHT), ("Si",), names)


def two_elements():
    compare(random_potential(("H", "O"), 2, LIGHT), ("H", "O"), ("molecule", "triclinic"))


def every_family():
    """All families, one and two elements, all structures, against the reference engine."""
    for elements in (("Si",), ("H", "O")):
        potential = random_potential(elements, 2)
        compare(potential, elements, PERIODIC_OR_FREE, engine="reference")


def repulsion():
    """ZBL beside the networks, in the kernels."""
    networks = random_potential(("H", "O"), 3, LIGHT)
    term = RepulsionTerm.by_pair({("H", "O"): (0.5, 3.0), ("H", "H"): (0.3, 1.5)})
    potential = replace(networks, terms=(term,))
    compare(potential, ("H", "O"), ("molecule", "triclinic"))


def moments():
    """Functions of moments in the kernels, with ZBL."""
    potential = replace(
        random_moments(("H", "O"), 1), terms=(RepulsionTerm.universal(("H",), 0.3, 1.5),)
    )
    compare(potential, ("H", "O"), ("molecule", "triclinic"), ("single", "double"))


def dynamics():
    """Right away, after atoms moved and were reordered, in another box; double and mixed."""
    potential, atoms = pair_potential(), crystal()
    start = nnp.openmm.to_openmm(atoms[np.random.default_rng(1).permutation(len(atoms))])
    for gpu_kernels in (True, False):
        for precision in FORCE_RTOL:
            context = native(potential, start, precision, gpu_kernels)
            check(context, potential, start, precision)
            context.setVelocitiesToTemperature(300, 1)
            context.getIntegrator().setStepSize(2e-4)
            context.getIntegrator().step(300)  # OpenMM reorders atoms every 250 steps
            assert np.abs(positions_nm(context) - start.positions_nm).max() > 0.01
            check(context, potential, start, precision)
            context.setPeriodicBoxVectors(*(1.02 * start.box_nm))
            check(context, potential, start, precision)
            nnp.openmm.update_force(
                context.getSystem().getForce(0), replace(potential, energy_scale=2.0), context
            )
            check(context, replace(potential, energy_scale=2.0), start, precision)


def scale():
    """The parameter and the energy's derivative by it, on the device and through the host."""
    potential, start = pair_potential(), nnp.openmm.to_openmm(crystal(1))
    for gpu_kernels in (True, False):
        context = native(
            potential, start, gpu_kernels=gpu_kernels, scale_parameter="coupling", scale=0.5
        )
        for value in (0.5, 0.0, -2.0):
            context.setParameter("coupling", value)
            wanted = check(context, potential, start, scale=value)
            state = context.getState(parameterDerivatives=True)
            derivative = state.getEnergyParameterDerivatives()["coupling"]
            assert derivative * KJ_PER_MOL == pytest.approx(wanted.energy, rel=1e-9)
        context.setParameter("coupling", np.nan)
        with pytest.raises(openmm.OpenMMException, match="parameter 'coupling' is nan"):
            energy_ev(context)
        context.setParameter("coupling", 1.0)
        none = context.getState(parameterDerivatives=True, groups={1})
        assert none.getEnergyParameterDerivatives()["coupling"] == 0


def narrowed(potential):
    """As if trained on hardly any structure."""
    models = []
    for model in potential.models:
        width = model.scaling.maximum - model.scaling.minimum
        minimum = model.scaling.minimum + 0.3 * width
        scaling = replace(model.scaling, minimum=minimum, maximum=minimum + 0.01 * width)
        models.append(replace(model, scaling=scaling))
    return replace(potential, models=tuple(models))


def monitors():
    """Per-atom energies, forces, extrapolations: the engine's, fetched when asked for."""
    # these two families stand in another order inside the kernels
    potential = narrowed(random_potential(("H", "O"), 5, ("radial", "compact_radial")))
    start = nnp.openmm.to_openmm(structures(("H", "O"))["rattled"])
    context = native(potential, start, scale_parameter="coupling", scale=0.5)
    watch = nnp.openmm.monitor(context.getSystem().getForce(0))
    wanted = check(context, potential, start, scale=0.5)
    last = watch.last
    assert last.energy == pytest.approx(wanted.energy, rel=1e-9)
    np.testing.assert_allclose(last.energies, wanted.energies, rtol=1e-9)
    np.testing.assert_allclose(last.forces @ start.rotation.T, wanted.forces, atol=1e-9)
    assert watch.count == wanted.extrapolations.n_atoms > 0
    assert watch.worst[:2] == wanted.extrapolations.worst[:2]
    found = watch.extrapolations
    np.testing.assert_array_equal(found.functions, wanted.extrapolations.functions)
    np.testing.assert_allclose(found.excess, wanted.extrapolations.excess, rtol=1e-6)
    n = wanted.extrapolations.n_atoms
    strict = native(potential, start, max_extrapolations=n - 1)
    with pytest.raises(openmm.OpenMMException, match=rf"^{n} atoms extrapolate, more than"):
        energy_ev(strict)
    forces_ev(context)
    del context, strict
    assert watch.last.energy == pytest.approx(wanted.energy, rel=1e-9)
    assert watch.last.forces is None
    assert np.isnan(watch.last.energies).all()


def subset():
    """Particles 0, 2 and 3 of four; what is said names particles of the System."""
    potential = pair_potential()
    start = nnp.openmm.to_openmm(structures()["molecule"])
    system = openmm.System()
    for mass in start.masses:
        system.addParticle(mass)
    options = {"route": "native", "gpu_kernels": True, "particles": [0, 2, 3]}
    system.addForce(nnp.openmm.create_force(potential, start.topology, **options))
    context = opencl(system, start)
    part = as_structure(start.to_ase(start.positions_nm)[[0, 2, 3]])
    wanted = potential.evaluate(part, "cpu")
    np.testing.assert_allclose(forces_ev(context)[[0, 2, 3]], wanted.forces, rtol=0, atol=1e-8)
    assert (forces_ev(context)[1] == 0).all()
    last = nnp.openmm.monitor(system.getForce(0)).last
    np.testing.assert_allclose(last.energies[[0, 2, 3]], wanted.energies, rtol=1e-9)
    assert last.energies[1] == 0
    assert (last.forces[1] == 0).all()
    overlapping = start.positions_nm.copy()
    overlapping[3] = overlapping[2]
    context.setPositions(overlapping)
    with pytest.raises(openmm.OpenMMException, match="atoms 2 and 3 are in the same place"):
        energy_ev(context)
    context.setPositions(start.positions_nm)
    assert energy_ev(context) == pytest.approx(wanted.energy, rel=1e-9)


def exploding_potential():
    """exp(large) in the network: energies that are not finite wherever an atom has neighbours."""
    potential = pair_potential()
    network = Network(
        (np.full((2, 1), 1e5), np.ones((1, 1))),
        (np.zeros(1), np.zeros(1)),
        (Activation.HARMONIC, Activation.IDENTITY),
    )
    model = replace(potential.models[0], network=network)
    return replace(potential, models=(model,), energy_scale=1e300)


def not_finite():
    """Refused in a sentence, or passed on; NaN positions; the Context lives on."""
    start = nnp.openmm.to_openmm(crystal(1))
    for gpu_kernels in (True, False):
        strict = native(exploding_potential(), start, gpu_kernels=gpu_kernels)
        with pytest.raises(openmm.OpenMMException, match="not finite: the structure is far"):
            energy_ev(strict)
        lenient = native(exploding_potential(), start, gpu_kernels=gpu_kernels, not_finite="pass")
        assert np.isnan(energy_ev(lenient))
        # OpenMM's fixed point has no NaN: its least number, -2^31 kJ/mol/nm
        forces = lenient.getState(forces=True).getForces(asNumpy=True)._value
        assert (forces == -(2.0**31)).all()
        last = nnp.openmm.monitor(lenient.getSystem().getForce(0)).last
        assert np.isnan(last.forces).all()
        potential = pair_potential()
        nnp.openmm.update_force(strict.getSystem().getForce(0), potential, strict)
        check(strict, potential, start)
        strict.setPositions(np.full_like(start.positions_nm, np.nan))
        with pytest.raises(openmm.OpenMMException, match="position of particle 0 is not finite"):
            energy_ev(strict)
        strict.setPositions(start.positions_nm)
        check(strict, potential, start)


def tiny_box():
    """Smaller than the kernels can count images for: by name."""
    start = nnp.openmm.to_openmm(structures()["one_atom_cell"])
    context = native(pair_potential(), start)
    context.setPeriodicBoxVectors(*np.diag([0.003, 1.0, 1.0]))
    with pytest.raises(openmm.OpenMMException, match="the cell is so small along axis 0"):
        energy_ev(context)


def two_devices():
    """DeviceIndex with two devices is refused: forces were lost between OpenMM's threads."""
    potential, start = pair_potential(), nnp.openmm.to_openmm(crystal(1))
    for gpu_kernels in (None, False, True):
        system = nnp.openmm.create_system(potential, start, route="native", gpu_kernels=gpu_kernels)
        with pytest.raises(openmm.OpenMMException, match="one device per Context, not on 2: give"):
            opencl(system, start, DeviceIndex="0,0")


def automatic():
    """An OpenCL device that is a CPU gets the engine; the simulator says that it is a GPU."""
    start = nnp.openmm.to_openmm(crystal(1))
    context = native(pair_potential(), start, gpu_kernels=None)
    watch = nnp.openmm.NativeMonitor(context.getSystem().getForce(0), context)
    check(context, pair_potential(), start)
    del context
    assert watch.last.forces is not None  # the device's would be lost with the Context


if __name__ == "__main__":
    for case in sys.argv[1:]:
        globals()[case]()
        print("passed", case, flush=True)  # noqa: T201
