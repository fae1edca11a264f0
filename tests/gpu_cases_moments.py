"""Cases of gpu_cases.py: functions of moments, against the reference engine and known answers."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from gpu_cases_products import check_products
from moment_potentials import random_moments

import nnp
from nnp.cutoffs import CutoffKind
from nnp.engines.gpu import OpenCLEngine
from nnp.errors import UnavailableError
from nnp.functions import Argument, MomentPair
from nnp.potential import Potential
from nnp.structure import as_structure
from nnp.terms import RepulsionTerm
from nnp.testing import assert_engines_agree, random_structure, structures

PAIR = ("H", "O")


def moments():
    """Two series, one shorter than the other; every kind of function; no periodicity and all."""
    potential = random_moments(PAIR, 1)
    for name in ("molecule", "lone_atom"):
        assert_engines_agree(potential, structures(PAIR)[name], "opencl")
    assert_engines_agree(potential, random_structure(PAIR, 6, 2), "opencl", "float32")


def moment_products():
    """The way back needs the moments although nobody asks for energies."""
    potential, box = random_moments(PAIR, 2, l_max=2), structures(PAIR)["molecule"]
    check_products(potential, box, "float64", 1e-6)


def moment_shares():
    """Threads that share sums, or have several; functions by blocks; tiles; a chunk and more."""
    box = structures(PAIR)["triclinic"]
    for n, size in ((1, 8), (2, 64), (3, 128), (9, 32), (11, 64)):
        potential = random_moments(PAIR, n, n=n, l_max=2)
        assert_engines_agree(potential, box, "opencl", group_size=size)
    for capacity in (8, 14):
        potential = random_moments(PAIR, capacity, l_max=2, beside=("angular_narrow",))
        assert_engines_agree(potential, box, "opencl", capacity=capacity)
        alone = random_moments(PAIR, capacity, l_max=2)
        assert_engines_agree(alone, box, "opencl", capacity=capacity)
        check_products(alone, box, "float64", 1e-6, capacity=capacity)


def moment_degrees():
    """All l, in all precisions; one to five elements."""
    for l_max, elements in ((1, ("Si",)), (4, PAIR), (6, PAIR), (8, ("H", "C", "O"))):
        potential, box = (
            random_moments(elements, l_max, l_max=l_max),
            random_structure(elements, 10, 1),
        )
        size = 16 if l_max == 8 else 64  # the simulator has 32 kB
        for dtype in ("float64", "float32"):
            assert_engines_agree(potential, box, "opencl", dtype, group_size=size)
        wanted = potential.evaluate(box)
        found = potential.evaluate(box, "opencl", dtype="single")
        scale = np.abs(wanted.forces).max()
        np.testing.assert_allclose(found.forces, wanted.forces, rtol=0, atol=5e-5 * scale)
    five = ("H", "C", "O", "Si", "Cu")
    assert_engines_agree(random_moments(five, 3), random_structure(five, 14, 3), "opencl")


def moment_series():
    """Arguments and cutoffs of the radial functions; elements that a series does not see."""
    for argument in Argument:
        for cutoff in (CutoffKind.COSINE, CutoffKind.TANH_CUBED, CutoffKind.POLY2):
            potential = random_moments(PAIR, 5, 2, argument=argument, cutoff=cutoff)
            assert_engines_agree(potential, structures(PAIR)["molecule"], "opencl")


def moment_company():
    """Beside functions of the other families, and ZBL."""
    beside = ("radial", "angular_wide", "weighted_angular")
    potential = random_moments(PAIR, 6, 2, beside=beside)
    term = RepulsionTerm.universal(PAIR, 0.5, 2.5)
    for name in ("molecule", "triclinic"):
        for dtype in ("float64", "float32"):
            both = replace(potential, terms=(term,))
            assert_engines_agree(both, structures(PAIR)[name], "opencl", dtype)
    check_products(potential, structures(PAIR)["triclinic"], "float64", 1e-6)


def moment_extrapolations():
    """Numbered as the potential numbers its functions."""
    base = random_moments(PAIR, 7, 2)
    models = []
    for model in base.models:
        width = (model.scaling.maximum - model.scaling.minimum) / 50
        middle = model.scaling.mean
        scaling = replace(model.scaling, minimum=middle - width, maximum=middle + width)
        models.append(replace(model, scaling=scaling))
    potential, box = Potential(tuple(models)), random_structure(PAIR, 8, 4)
    found = OpenCLEngine(potential).compute(box).extrapolations
    wanted = potential.evaluate(box, "reference").extrapolations
    assert len(wanted) > 20
    assert found.atoms.tolist() == wanted.atoms.tolist()
    assert found.functions.tolist() == wanted.functions.tolist()
    np.testing.assert_allclose(found.excess, wanted.excess, rtol=1e-8)


def moment_refusals():
    """More than the kernels have: by name."""
    (model,) = random_moments(("Si",), 1, 1).models
    higher = tuple(replace(f, l_1=9) if isinstance(f, MomentPair) else f for f in model.functions)
    with pytest.raises(UnavailableError, match="up to l = 8, the potential has higher ones"):
        OpenCLEngine(Potential((replace(model, functions=higher),)))


def nep_known_answers():
    """NEP_CPU's numbers, in double precision."""
    data = os.environ.get("NNP_REFERENCE_DATA")
    folders = sorted(Path(data, "nep").glob("*/nep.txt")) if data else []
    for path in folders:
        potential, wanted = nnp.load(path), np.load(path.with_name("expected.npz"))
        engine, first = OpenCLEngine(potential), 0
        for frame, atoms in enumerate(ase.io.read(path.with_name("structure.extxyz"), ":")):
            rows, periodic = slice(first, first + len(atoms)), bool(atoms.pbc.all())
            first = rows.stop
            found = engine.compute(as_structure(atoms), True, periodic)
            for got, name in ((found.energies, "atomic_energy"), (found.forces, "forces")):
                atol = 1e-11 * max(1, np.abs(wanted[name][rows]).max())
                np.testing.assert_allclose(got, wanted[name][rows], rtol=0, atol=atol)
            if periodic:
                virial = -wanted["virial"][frame].reshape(3, 3)
                stress = virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] / atoms.get_volume()
                atol = 1e-11 * max(1, np.abs(virial).max()) / atoms.get_volume()
                np.testing.assert_allclose(found.stress, stress, rtol=0, atol=atol)
