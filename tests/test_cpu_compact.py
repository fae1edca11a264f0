"""Compact angular functions of the CPU engine: windows that many functions share, or none."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nnp.engines.cpu import CpuEngine
from nnp.errors import OptionError
from nnp.functions import (
    CompactAngular,
    CompactRadial,
    Core,
    canonical_order,
)
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling
from nnp.structure import Structure
from nnp.testing import assert_engines_agree, random_structure

pytest.importorskip("torch", reason="the reference engine needs torch")

ELEMENTS = ("H", "C", "O")
RADIAL = [(-4.5, 4.5), (-3.0, 3.0), (0.5, 3.5), (2.0, 4.2)]
ANGLES = [(-90.0, 90.0), (90.0, 270.0), (0.0, 180.0), (40.0, 150.0)]


def shared_windows(rng, narrow, neighbors):
    """All products of a few windows, some left out: windows with one member and with many."""
    pairs = [pair for pair in product(RADIAL, ANGLES) if rng.random() < 0.8]
    return [
        CompactAngular(neighbors, *radial, *angle, Core.POLY2, asymmetric=False, narrow=narrow)
        for radial, angle in pairs
    ]


def lone_windows(rng, narrow, neighbors):
    """Every function with windows, core and symmetry of its own."""
    functions = []
    for core, asymmetric in product(Core, (False, True)):
        left, width = rng.uniform(-1, 2), rng.uniform(1.5, 2.5)
        first = rng.uniform(5, 60)
        angle = (first, rng.uniform(first + 30, 175))
        functions.append(
            CompactAngular(neighbors, left, left + width, *angle, core, asymmetric, narrow)
        )
    return functions


def compact_potential(make, narrow, seed):
    rng = np.random.default_rng(seed)
    models = []
    for symbol in ELEMENTS:
        functions = [CompactRadial("O", -4.5, 4.5, Core.POLY2, asymmetric=False)]
        for neighbors in (("H", "H"), ("H", "O"), ("C", "O"), None):
            functions += make(rng, narrow, neighbors)
        functions = canonical_order(set(functions))
        n = len(functions)
        width = np.array([20.0 if f.neighbor_symbols else 2000.0 for f in functions])
        scaling = Scaling(-width, width, np.zeros(n), width)
        network = Network(
            (rng.normal(size=(n, 5)) / np.sqrt(n), rng.normal(size=(5, 1))),
            (rng.normal(size=5), rng.normal(size=1)),
            (Activation.TANH, Activation.IDENTITY),
        )
        models.append(ElementModel(symbol, tuple(functions), scaling, network))
    return Potential(tuple(models))


def dense_box(n, seed):
    return random_structure(ELEMENTS, n, seed, density=0.08)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("make", [shared_windows, lone_windows])
def test_against_the_reference(make, narrow, dtype):
    potential = compact_potential(make, narrow, seed=3)
    for n in (2, 5, 40):
        assert_engines_agree(potential, dense_box(n, seed=n), "cpu", dtype)


@pytest.mark.parametrize("target", ["baseline", "avx2"])
def test_other_instruction_sets(target):
    potential = compact_potential(shared_windows, narrow=True, seed=4)
    box = dense_box(30, seed=1)
    try:
        engine = CpuEngine(potential, target=target)
    except OptionError as error:
        pytest.skip(str(error))
    best = CpuEngine(potential).compute(box, stress=True)
    other = engine.compute(box, stress=True)
    scale = np.abs(best.forces).max()
    np.testing.assert_allclose(other.forces, best.forces, atol=1e-12 * scale)
    np.testing.assert_allclose(other.stress, best.stress, atol=1e-12 * np.abs(best.stress).max())


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_products_are_each_others_transpose(narrow):
    potential = compact_potential(shared_windows, narrow, seed=5)
    box, engine = dense_box(30, seed=2), CpuEngine(potential)
    rng = np.random.default_rng(6)
    flat = np.concatenate(engine.descriptors(box))
    weights, direction = rng.normal(size=flat.shape), rng.normal(size=box.positions.shape)
    gradient, _ = engine.descriptor_vjp(box, weights)
    change = engine.descriptor_jvp(box, direction)
    np.testing.assert_allclose(weights @ change, np.vdot(gradient, direction), rtol=1e-11)
    h = 1e-5

    def moved(t):
        at = Structure(box.positions + t * direction, box.atomic_numbers, box.cell, box.pbc)
        return np.concatenate(engine.descriptors(at))

    slope = (moved(h) - moved(-h)) / (2 * h)
    np.testing.assert_allclose(change, slope, atol=1e-6 * np.abs(change).max())


def test_neighbours_in_line():
    """At 0 and 180 degrees the angle has no derivative; windows are flat there, and do not jump."""
    potential = compact_potential(shared_windows, narrow=True, seed=7)
    line = Structure(
        np.outer(np.arange(5.0), [1.1, 0, 0]), [1, 6, 8, 1, 8], np.zeros((3, 3)), False
    )
    assert_engines_agree(potential, line, "cpu", "float64")
    bent = Structure(
        line.positions + [[0, 1e-7 * i**2, 0] for i in range(5)],
        line.atomic_numbers,
        line.cell,
        False,
    )
    at, near = (np.concatenate(potential.descriptors(s)) for s in (line, bent))
    np.testing.assert_allclose(near, at, atol=1e-5 * np.abs(at).max())
