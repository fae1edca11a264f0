"""Cases of gpu_cases.py: families, cutoffs, networks, repulsion: what the reference engine says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.engines.gpu import OpenCLEngine
from nnp.functions import Angular, canonical_order
from nnp.networks import Activation
from nnp.potential import ElementModel, Potential
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


def random_families():
    """Families and elements drawn at random."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        elements = tuple(rng.choice(["H", "Li", "C", "O"], rng.integers(1, 4), replace=False))
        families = tuple(rng.choice(FAMILIES, 3, replace=False))
        potential = random_potential(elements, seed, families, SMOOTH, radius=3.5)
        box = random_structure(elements, int(rng.integers(1, 10)), seed)
        assert_engines_agree(potential, box, "opencl", "float64" if seed % 2 else "float32")
