"""Cases of gpu_cases.py: cells, neighbour lists, work-groups, and what is said of a structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnp.engines.gpu import OpenCLEngine
from nnp.errors import NumericalError, StructureError
from nnp.networks import Activation
from nnp.potential import Potential
from nnp.scaling import ScalingMode
from nnp.structure import Structure
from nnp.testing import assert_engines_agree, random_potential, random_structure, structures

# By symmetry its forces are zero and its stress is the rest of a cancellation of 1e3: no measure
# of float32.
SYMMETRIC = "crystal"


def every_structure():
    """Every cell and periodicity; a function of pairs and one of triples see all of a list."""
    families = ("radial", "angular_wide")
    for elements in (("Si",), ("H", "O")):
        potential = random_potential(elements, 1, families, radius=4.0)
        for name, box in structures(elements).items():
            for dtype in ("float64", "float32"):
                if len(box) > 0 and (dtype == "float64" or name != SYMMETRIC):
                    assert_engines_agree(potential, box, "opencl", dtype)


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
