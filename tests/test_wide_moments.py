"""Behler's wide functions by moments: the numbers of the sums over pairs, in every product."""

from __future__ import annotations

import numpy as np
import pytest
from wide_potentials import wide_potential

from nnp.cutoffs import CutoffKind
from nnp.elements import atomic_number
from nnp.engines.cpu import CpuEngine
from nnp.errors import OptionError
from nnp.structure import Structure
from nnp.testing import FORCE_RTOL_FLOAT32, random_structure

# Of the largest number of a kind: 2 ((1 + λ cos θ)/2)^ζ is a sum of Legendre polynomials whose
# coefficients add up to 2 in size, so that nothing grows with ζ.
RTOL = 1e-13
CASES = {
    "silicon": (("Si",), {}),
    "three elements, shifted": (
        ("H", "C", "O"),
        {"kind": CutoffKind.POLY2, "shift": 1.0, "narrow": True},
    ),
    "inner radius, λ = 0.5": (("H", "O"), {"inner": 0.3, "zetas": (1, 3), "lambdas": (-1.0, 0.5)}),
    "high ζ beside others": (("H", "O"), {"zetas": (2, 2.5, 12, 20, 32)}),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def case(request):
    elements, options = request.param
    return wide_potential(elements, **options), random_structure(list(elements), 20, 3)


def engines(potential, **options):
    return [CpuEngine(potential, wide=way, **options) for way in ("pairs", "moments")]


def assert_same(found, known, rtol=RTOL):
    np.testing.assert_allclose(found, known, rtol=0, atol=rtol * np.abs(known).max())


def test_both_ways_give_the_same(case):
    potential, structure = case
    known, found = engines(potential)
    rng = np.random.default_rng(1)
    # it must be another way, or nothing is tested: no bit would differ
    g_known, g_found = (np.concatenate(e.descriptors(structure)) for e in (known, found))
    assert (g_known != g_found).any()
    assert_same(g_found, g_known)
    wanted, got = (e.compute(structure, stress=True, virials=True) for e in (known, found))
    for name in ("energies", "forces", "stress", "virials"):
        assert_same(getattr(got, name), getattr(wanted, name), 1e-12)
    by_g, strain = rng.normal(size=len(g_known)), rng.normal(size=(3, 3))
    for ours, theirs in zip(
        found.descriptor_vjp(structure, by_g, True),
        known.descriptor_vjp(structure, by_g, True),
        strict=True,
    ):
        assert_same(ours, theirs, 1e-12)
    move = rng.normal(size=structure.positions.shape)
    assert_same(
        found.descriptor_jvp(structure, move, strain),
        known.descriptor_jvp(structure, move, strain),
        1e-12,
    )


@pytest.mark.parametrize("target", ["baseline", "avx2", "auto"])
def test_float32_and_instruction_sets(case, target):
    potential, structure = case
    known = CpuEngine(potential, wide="pairs").compute(structure).forces
    found = CpuEngine(potential, wide="moments", target=target).compute(structure).forces
    assert_same(found, known, 1e-12)
    single = CpuEngine(potential, "float32", wide="moments", target=target)
    rms = np.sqrt((known**2).mean())
    np.testing.assert_allclose(
        single.compute(structure).forces, known, rtol=0, atol=FORCE_RTOL_FLOAT32 * rms
    )


def test_isolated_and_collinear_atoms(case):
    potential, _ = case
    numbers = [atomic_number(potential.elements[0])] * 3
    free = np.zeros((3, 3)), np.zeros(3, bool)
    line = Structure(np.array([[0.0, 0, 0], [0, 0, 1.9], [0, 0, 3.8]]), np.array(numbers), *free)
    alone = Structure(np.zeros((1, 3)), np.array(numbers[:1]), *free)
    for structure in (line, alone):
        known, found = (e.compute(structure) for e in engines(potential))
        np.testing.assert_allclose(found.energies, known.energies, rtol=1e-13)
        np.testing.assert_allclose(found.forces, known.forces, rtol=0, atol=1e-12)


def test_unknown_way_is_refused():
    with pytest.raises(OptionError, match=r"wide='both' is unknown: allowed are auto, pairs, mom"):
        CpuEngine(wide_potential(), wide="both")
