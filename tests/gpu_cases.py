"""GPU kernels on an OpenCL device: ``python gpu_cases.py CASE`` in a process of its own.

The parent (test_gpu_kernels.py) says through the environment which OpenCL runs: PoCL, or the
simulator oclgrind, which also looks for data races and accesses out of bounds.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from gpu_potentials import uneven

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.engines.gpu import OpenCLEngine
from nnp.errors import NumericalError, OptionError, StructureError
from nnp.functions import Angular, canonical_order
from nnp.networks import Activation
from nnp.potential import ElementModel, Potential
from nnp.scaling import ScalingMode
from nnp.structure import Structure
from nnp.terms import PairRepulsion, RepulsionTerm
from nnp.testing import (
    ENERGY_PER_ATOM_FLOAT32,
    FAMILIES,
    assert_engines_agree,
    random_potential,
    random_structure,
    structures,
)

SCALES = ("minimum", "maximum", "mean", "sigma")
SMOOTH = [kind for kind in CutoffKind if kind is not CutoffKind.HARD]
SOME = ("lone_atom", "dimer", "rattled", "one_atom_cell", "slab_without_vector", "far_outside")
# By symmetry its forces are zero and its stress is the rest of a cancellation of 1e3: no measure
# of float32.
SYMMETRIC = "crystal"


def silicon(dtype="float64", names=SOME):
    """All families, one element."""
    potential = random_potential(("Si",), 1)
    for name in names:
        if dtype == "float64" or name != SYMMETRIC:
            assert_engines_agree(potential, structures()[name], "opencl", dtype)


def binary(dtype="float64", names=("molecule", "triclinic", "wire")):
    """All families, two elements."""
    potential = random_potential(("H", "O"), 2)
    for name in names:
        assert_engines_agree(potential, structures(("H", "O"))[name], "opencl", dtype)


def repulsion(dtypes=("float64", "float32", "single")):
    """ZBL, near and beyond the reach of the functions; one pair of elements has none."""
    networks = random_potential(("H", "O"), 3, ("radial", "angular_wide"), radius=3.0)
    term = RepulsionTerm(
        (
            PairRepulsion(("H", "H"), 0.4, 1.9),
            PairRepulsion(("H", "O"), 0.8, 4.0, (0.3, 0.6), (2.0, 0.5)),
        )
    )
    potential = replace(networks, terms=(term, RepulsionTerm.universal(("H",), 0.2, 2.5)))
    engine = OpenCLEngine(potential)
    assert type(potential.make_engine("opencl")) is OpenCLEngine
    for name in ("molecule", "triclinic"):
        box = structures(("H", "O"))[name]
        for dtype in dtypes:
            if dtype != "single":
                assert_engines_agree(potential, box, "opencl", dtype)
                continue
            wanted = potential.evaluate(box)
            found = potential.evaluate(box, "opencl", dtype=dtype)
            scale = np.abs(wanted.forces).max()
            np.testing.assert_allclose(found.forces, wanted.forces, rtol=0, atol=2e-5 * scale)
        assert abs(potential.evaluate(box).energy - networks.evaluate(box).energy) > 1e-3
        flat = np.concatenate(engine.descriptors(box))
        by_networks = OpenCLEngine(networks).descriptor_vjp(box, np.ones_like(flat), strain=True)
        by_both = engine.descriptor_vjp(box, np.ones_like(flat), strain=True)
        for own, other in zip(by_both, by_networks, strict=True):
            np.testing.assert_allclose(own, other, rtol=0, atol=1e-9)
    near = Structure([[0, 0, 0], [0, 0, 0.002]], [1, 8], np.zeros((3, 3)), False)
    # a force that asks for a coarser fixed point; in float32 positions are rounded by 1e-8 Å
    for dtype, tolerance in (("float64", 1e-9), ("float32", 2e-5)):
        wanted, found = (potential.evaluate(near, e, dtype=dtype) for e in ("cpu", "opencl"))
        scale = np.abs(wanted.forces).max()
        assert scale > 1e6
        np.testing.assert_allclose(found.forces, wanted.forces, rtol=0, atol=tolerance * scale)


def every_structure():
    """Every cell and periodicity; a function of pairs and one of triples see all of a list."""
    families = ("radial", "angular_wide")
    for elements in (("Si",), ("H", "O")):
        potential = random_potential(elements, 1, families, radius=4.0)
        for name, box in structures(elements).items():
            for dtype in ("float64", "float32"):
                if len(box) > 0 and (dtype == "float64" or name != SYMMETRIC):
                    assert_engines_agree(potential, box, "opencl", dtype)


def single():
    """Everything in float32: coarser than float32 with float64 sums, by the lengths of the sums."""
    potential = random_potential(("Si",), 1)
    box = structures()["rattled"]
    wanted = potential.evaluate(box, "reference")
    got = potential.evaluate(box, "opencl", dtype="single")
    rms = np.sqrt(np.mean(wanted.forces**2))
    np.testing.assert_allclose(got.forces, wanted.forces, rtol=0, atol=2e-4 * rms)
    np.testing.assert_allclose(
        got.energies, wanted.energies, rtol=0, atol=5 * ENERGY_PER_ATOM_FLOAT32
    )


def cutoffs():
    for kind in CutoffKind:
        potential = random_potential(("Si",), 3, ("radial", "angular_narrow"), cutoff_kinds=(kind,))
        assert_engines_agree(potential, structures()["molecule"], "opencl")


def activations():
    for activation in Activation:
        potential = random_potential(("Si",), 4, ("radial",), activations=(activation, activation))
        assert_engines_agree(potential, structures()["molecule"], "opencl")


def exponents():
    """Products, powers and sums of exponents; negative, fractional and zero zeta; lambda past 1."""
    cutoff = Cutoff(CutoffKind.COSINE, 4.2)
    functions = canonical_order(
        Angular(("Si", "Si"), eta, lambda_, zeta, r_shift, cutoff, narrow)
        for eta in (0.0, 0.01, 0.03, 0.04, 0.123)
        for lambda_ in (-1.0, 0.7, 1.5)
        for zeta in (-1.0, 0.0, 1.0, 2.5, 16.0)
        for r_shift, narrow in ((0.0, True), (0.9, True), (0.0, False))
    )
    count = len(functions)
    (template,) = random_potential(("Si",), 7, ("radial",) * (count // 2 + 1)).models
    scaling = replace(
        template.scaling,
        **{name: getattr(template.scaling, name)[:count] for name in SCALES},
    )
    first, *rest = template.network.weights
    network = replace(template.network, weights=(first[:count], *rest))
    potential = Potential((ElementModel("Si", tuple(functions), scaling, network),))
    assert_engines_agree(potential, structures()["molecule"], "opencl")


def five_elements():
    elements = ("H", "C", "O", "Si", "Cu")
    families = ("radial", "angular_wide", "weighted_angular")
    potential = random_potential(elements, 11, families, radius=3.5)
    assert_engines_agree(potential, random_structure(elements, 14, 3), "opencl")


def tiles():
    """Lists longer than local memory: every pair of tiles, for every kind of pair of elements."""
    potential = random_potential(
        ("H", "O"), 5, ("radial", "angular_narrow", "angular_wide", "weighted_angular"), radius=3.6
    )
    box = structures(("H", "O"))["triclinic"]
    for capacity in (8, 14):
        assert_engines_agree(potential, box, "opencl", capacity=capacity)


def many_neighbours():
    """700 neighbours of one atom, images up to eight cells away."""
    potential = random_potential(("Si",), 8, ("radial", "angular_wide"))
    box = Structure([[0.1, 0.2, 0.3]], [14], np.diag([0.8, 0.9, 0.85]), True)
    assert_engines_agree(potential, box, "opencl")


def group_sizes():
    potential = random_potential(("Si",), 9, ("radial", "angular_narrow"))
    for size in (8, 32, 128):
        assert_engines_agree(potential, structures()["rattled"], "opencl", group_size=size)


def repeats():
    """The same bits from every evaluation, every engine, with or without a fresh list."""
    potential = random_potential(("H", "O"), 12, ("radial", "angular_narrow"), radius=3.5)
    box = random_structure(("H", "O"), 20, 12)
    moved = replace(box, positions=box.positions + 0.01)
    for dtype in ("float64", "float32"):
        engine = OpenCLEngine(potential, dtype)
        first = engine.compute(box, True, True)
        engine.compute(moved, True, True)
        for other in (engine, OpenCLEngine(potential, dtype)):
            again = other.compute(box, True, True)
            assert again.energy == first.energy
            assert (again.forces == first.forces).all()
            assert (again.stress == first.stress).all()
        # fixed point: what one atom gets another one loses
        assert np.abs(first.forces.sum(axis=0)).max() < 1e-11


def extrapolations():
    base = random_potential(("H", "O"), 5, ("radial", "angular_wide"), mode=ScalingMode.SCALE)
    models = []
    for model in base.models:
        width = model.scaling.maximum - model.scaling.minimum
        minimum = model.scaling.minimum + 0.3 * width
        scaling = replace(model.scaling, minimum=minimum, maximum=minimum + 0.01 * width)
        models.append(replace(model, scaling=scaling))
    potential, box = Potential(tuple(models)), structures(("H", "O"))["rattled"]
    engine = OpenCLEngine(potential)
    got = engine.compute(box).extrapolations
    wanted = potential.evaluate(box, "reference").extrapolations
    assert len(wanted) > 3
    assert got.atoms.tolist() == wanted.atoms.tolist()
    assert got.functions.tolist() == wanted.functions.tolist()
    np.testing.assert_allclose(got.excess, wanted.excess, rtol=1e-9)
    np.testing.assert_allclose(got.relative, wanted.relative, rtol=1e-9)


def list_follows():
    """Steps inside and past the skin, lattice jumps, strain: each as the reference says."""
    rng = np.random.default_rng(3)
    potential = random_potential(("H", "O"), 13, ("radial", "angular_wide"), radius=3.5)
    engine, box = OpenCLEngine(potential, skin=0.5), random_structure(("H", "O"), 20, 12)
    builds = []

    def check(structure):
        nonlocal box
        box = structure
        got = engine.compute(box, True, True)
        wanted = potential.evaluate(box, "reference", stress=True)
        np.testing.assert_allclose(got.forces, wanted.forces, atol=1e-11)
        np.testing.assert_allclose(got.stress, wanted.stress, atol=1e-12)
        builds.append(engine.statistics["list_builds"])

    check(box)
    check(replace(box, positions=box.positions + rng.uniform(-0.05, 0.05, (20, 3))))
    check(replace(box, positions=box.positions + rng.integers(-2, 3, (20, 3)) @ box.cell))
    strain = np.eye(3) * 1.01
    check(replace(box, positions=box.positions @ strain, cell=box.cell @ strain))
    assert builds == [1, 1, 1, 1]  # all of this within the skin
    check(replace(box, positions=box.positions + rng.uniform(-0.4, 0.4, (20, 3))))
    strain = np.eye(3) * 1.1
    check(replace(box, positions=box.positions @ strain, cell=box.cell @ strain))
    check(random_structure(("H", "O"), 11, 13))
    assert builds[4:] == [2, 3, 4]


def products():
    """Descriptors, and the products of their Jacobian with vectors on either side."""
    potential = random_potential(("H", "O"), 14, ("radial", "angular_narrow", "angular_wide"))
    _check_products(potential, structures(("H", "O"))["triclinic"], "float64", 1e-6)


def tangents():
    """Products for every family and precision, two elements and tiles included."""
    for dtype, tolerance in (("float64", 1e-6), ("float32", 1e-5), ("single", 1e-4)):
        _check_products(random_potential(("Si",), 1), structures()["rattled"], dtype, tolerance)
        families = ("radial", "angular_narrow", "weighted_angular")
        potential = random_potential(("H", "O"), 5, families, radius=3.6)
        box = structures(("H", "O"))["triclinic"]
        _check_products(potential, box, dtype, tolerance, capacity=14)


def array_products():
    """Products of arrays of the device; weights of fewer functions than the atoms have now."""
    import pyopencl.array as cla

    potential, few = uneven(), random_structure(("H", "O"), 5, 3)
    few = replace(few, atomic_numbers=np.array([1, 1, 1, 8, 1]))
    more = replace(few, atomic_numbers=np.array([8, 8, 8, 1, 8]))
    engine, cpu = OpenCLEngine(potential), potential.make_engine("cpu")

    def put(values):
        return cla.to_device(engine.device.queue, np.ascontiguousarray(values))

    def arrays(box):
        return [put(v) for v in (box.positions, box.atomic_numbers, box.cell, box.pbc.astype("u1"))]

    for box in (few, more):
        wanted = np.concatenate(cpu.descriptors(box))
        weights, strain = np.linspace(-1, 1, len(wanted)), np.arange(9.0).reshape(3, 3) / 10
        direction = np.linspace(-1, 1, 15).reshape(5, 3) ** 3
        found = [engine.descriptors_arrays(*arrays(box))]
        found += engine.descriptor_vjp_arrays(*arrays(box), put(weights), strain=True)
        found += [engine.descriptor_jvp_arrays(*arrays(box), put(direction), put(strain))]
        expected = [wanted, *cpu.descriptor_vjp(box, weights, True)]
        expected += [cpu.descriptor_jvp(box, direction, strain)]
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a.get(), b, rtol=0, atol=1e-11 * np.abs(b).max())
        short = put(weights[:3])
        with pytest.raises(OptionError, match="dl_dg has 3 numbers: this structure takes"):
            engine.descriptor_vjp_arrays(*arrays(box), short)


def tangents_repeat():
    """The same bits again, after another structure; zero for a direction that changes nothing."""
    potential = random_potential(("H", "O"), 5, ("radial", "angular_wide"), radius=3.6)
    box, other = structures(("H", "O"))["rattled"], structures(("H", "O"))["triclinic"]
    engine, rng = OpenCLEngine(potential), np.random.default_rng(1)
    direction = rng.normal(size=(len(box), 3))
    first = engine.descriptor_jvp(box, direction)
    engine.descriptor_jvp(other, rng.normal(size=(len(other), 3)))
    energy = engine.compute(box).energy
    assert (engine.descriptor_jvp(box, direction) == first).all()
    assert engine.compute(box).energy == energy
    assert np.abs(first).max() > 1e-3
    np.testing.assert_array_equal(engine.descriptor_jvp(box, np.ones((len(box), 3))), 0 * first)
    with pytest.raises(OptionError, match="displacement has 3 numbers: this structure takes"):
        engine.descriptor_jvp(box, np.ones(3))
    with pytest.raises(OptionError, match="strain has 6 numbers: this structure takes 9"):
        engine.descriptor_jvp(box, direction, np.ones(6))


def _check_products(potential, box, dtype, tolerance, **options):
    """G against the reference; wᵀJ and Jv against central differences of the reference's G."""
    rng, engine = np.random.default_rng(4), OpenCLEngine(potential, dtype, **options)
    exact = 1e-11 if dtype == "float64" else tolerance
    for scaled in (False, True):
        wanted = potential.descriptors(box, scaled, "reference")
        for a, b in zip(engine.descriptors(box, scaled), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=exact, atol=exact * np.abs(b).max())
    direction, strain = rng.normal(size=(len(box), 3)), rng.normal(size=(3, 3)) / 10
    strain = strain + strain.T

    def values(t, along, deform):
        deformation = np.eye(3) + t * deform
        positions = (box.positions + t * along) @ deformation
        moved = replace(box, positions=positions, cell=box.cell @ deformation)
        return np.concatenate(potential.descriptors(moved, False, "reference"))

    def change(along, deform, h=1e-4):
        near = values(h, along, deform) - values(-h, along, deform)
        far = values(2 * h, along, deform) - values(-2 * h, along, deform)
        return (8 * near - far) / (12 * h)

    zero, still = np.zeros((3, 3)), 0 * direction
    moved, strained = change(direction, zero), change(still, strain)
    for along, deform, wanted in ((direction, zero, moved), (still, strain, strained)):
        got = engine.descriptor_jvp(box, along, deform)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())
    weights = rng.normal(size=len(moved))
    by_position, by_strain = engine.descriptor_vjp(box, weights, strain=True)
    for got, wanted in (
        (np.vdot(by_position, direction), weights @ moved),
        (np.vdot(by_strain, strain), weights @ strained),
    ):
        size = np.abs(weights).max() * np.abs(moved).max()
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * size)


def refusals():
    """What cannot be evaluated, each with its sentence."""
    potential = random_potential(("Si",), 15, ("radial", "angular_wide"))
    engine, good = OpenCLEngine(potential), structures()["rattled"]

    def refuse(error, words, box, by=engine):
        with pytest.raises(error, match=words):
            by.compute(box)

    before = engine.compute(good)
    broken = structures()["rattled"]
    broken.positions[3, 1] = np.nan
    refuse(StructureError, "position of atom 3 is not finite", broken)
    broken = structures()["rattled"]
    broken.positions[6] = broken.positions[2] + broken.cell[1]
    refuse(StructureError, "atoms 2 and 6 are in the same place", broken)
    refuse(StructureError, "no atoms", Structure(np.empty((0, 3)), [], np.eye(3), True))
    tiny = Structure([[0, 0, 0]], [14], np.diag([0.03, 3, 3]), True)
    refuse(StructureError, "the cell is so small along axis 0", tiny)
    (model,) = potential.models
    steep = replace(
        model.network,
        activations=(Activation.EXPONENTIAL, *model.network.activations[1:]),
        biases=(np.full(7, -800.0), *model.network.biases[1:]),
    )
    infinite = OpenCLEngine(Potential((replace(model, network=steep),), 1e300))
    refuse(NumericalError, "energy or force of atom 0 is not finite", good, infinite)
    # large forces: a coarser fixed point, not an overflow
    large = Potential((replace(model, energy_offset=0.0),), 1e9)
    got, wanted = OpenCLEngine(large).compute(good), large.evaluate(good, "reference")
    np.testing.assert_allclose(got.forces, wanted.forces, rtol=1e-8, atol=1e-3)
    after = engine.compute(good)
    assert (after.forces == before.forces).all()


def some_hundred_atoms():
    """Many bins along each axis, several work-groups per kernel."""
    potential = random_potential(("Si",), 16, ("radial",), radius=3.0)
    assert_engines_agree(potential, random_structure(("Si",), 900, 5), "opencl")


def random_families():
    """Families and elements drawn at random."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        elements = tuple(rng.choice(["H", "Li", "C", "O"], rng.integers(1, 4), replace=False))
        families = tuple(rng.choice(FAMILIES, 3, replace=False))
        potential = random_potential(elements, seed, families, SMOOTH, radius=3.5)
        box = random_structure(elements, int(rng.integers(1, 10)), seed)
        assert_engines_agree(potential, box, "opencl", "float64" if seed % 2 else "float32")


if __name__ == "__main__":
    try:
        import torch

        torch.set_num_threads(1)
    finally:
        for case in sys.argv[1:]:
            globals()[case]()
            print("passed", case, flush=True)  # noqa: T201
