"""Cases of gpu_cases.py: descriptors and the products of their Jacobian."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gpu_potentials import uneven

from nnp.engines.gpu import OpenCLEngine
from nnp.errors import OptionError
from nnp.testing import random_potential, random_structure, structures


def products():
    """Descriptors, and the products of their Jacobian with vectors on either side."""
    potential = random_potential(("H", "O"), 14, ("radial", "angular_narrow", "angular_wide"))
    check_products(potential, structures(("H", "O"))["triclinic"], "float64", 1e-6)


def tangents():
    """Products for every family and precision, two elements and tiles included."""
    for dtype, tolerance in (("float64", 1e-6), ("float32", 1e-5), ("single", 1e-4)):
        check_products(random_potential(("Si",), 1), structures()["rattled"], dtype, tolerance)
        families = ("radial", "angular_narrow", "weighted_angular")
        potential = random_potential(("H", "O"), 5, families, radius=3.6)
        box = structures(("H", "O"))["triclinic"]
        check_products(potential, box, dtype, tolerance, capacity=14)


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


def check_products(potential, box, dtype, tolerance, **options):
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
