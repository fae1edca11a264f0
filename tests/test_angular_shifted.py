"""ANI's angular functions: known answers by plain NumPy, every engine, derivatives, refusals."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import sympy as sp
from ase import Atoms

import nnp
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import OptionError, UnavailableError
from nnp.functions import AngularShifted
from nnp.io.n2p2.functions import write_function
from nnp.testing import (
    assert_engines_agree,
    assert_forces_match_energy,
    random_potential,
)
from nnp.testing.structures import structures
from nnp.units import KJ_PER_MOL, KJ_PER_MOL_PER_NANOMETRE

FAMILIES = ("radial", "angular_shifted", "angular_wide", "weighted_angular_shifted")
WATER = random_potential(("H", "O"), seed=12, families=FAMILIES)


def molecule():
    return structures(("H", "O"))["molecule"]


def by_hand(function, structure, centre):
    """The paper's sum, atom by atom."""
    total, cutoff = 0.0, function.cutoff
    others = [a for a in range(len(structure)) if a != centre]
    for j, k in combinations(others, 2):
        numbers = structure.atomic_numbers[[j, k]]
        weight = 1.0
        if function.neighbors is None:
            weight = float(np.prod(numbers))
        elif sorted(numbers) != sorted({"H": 1, "O": 8}[s] for s in function.neighbors):
            continue
        a, b = (structure.positions[n] - structure.positions[centre] for n in (j, k))
        r_j, r_k = np.linalg.norm(a), np.linalg.norm(b)
        if max(r_j, r_k) >= cutoff.radius:
            continue
        theta = np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)
        inner = cutoff.inner_fraction * cutoff.radius
        f_c = [
            0.5 * (1 + np.cos(np.pi * max(r - inner, 0) / (cutoff.radius - inner)))
            for r in (r_j, r_k)
        ]
        shifted = 1 + np.cos(theta - np.radians(function.theta_shift_deg))
        gauss = np.exp(-function.eta * ((r_j + r_k) / 2 - function.r_shift) ** 2)
        total += weight * 2 ** (1 - function.zeta) * shifted**function.zeta * gauss * np.prod(f_c)
    return total


@pytest.mark.parametrize("engine", ["reference", "cpu", "opencl"])
def test_values_by_hand(engine):
    structure = molecule()
    try:
        rows = WATER.descriptors(structure, engine=engine)
    except UnavailableError as error:
        pytest.skip(str(error))
    elements = WATER.element_indices(structure)
    seen = 0
    for atom, row in enumerate(rows):
        for value, function in zip(row, WATER.models[elements[atom]].functions, strict=True):
            if isinstance(function, AngularShifted):
                np.testing.assert_allclose(
                    value, by_hand(function, structure, atom), rtol=1e-11, atol=1e-14
                )
                seen += value > 1e-6
    assert seen > 10


def test_slope_of_the_angle():
    """The formula that both compiled engines use, by SymPy."""
    from test_cpu_formulas import evaluate

    cosine, shift = sp.symbols("c s")
    value = (1 + sp.cos(sp.acos(cosine) - shift)) / 2
    points = np.linspace(-0.999, 0.999, 41)
    for angle in (0.0, 0.7, 2.1, 3.0):
        expected = sp.lambdify(cosine, value.subs(shift, angle))(points)
        slope = sp.lambdify(cosine, sp.diff(value, cosine).subs(shift, angle))(points)
        got, got_slope = evaluate(8, 0, [angle], points)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-14)
        np.testing.assert_allclose(got_slope, slope, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("engine", ["cpu", "opencl"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["molecule", "rattled", "triclinic", "slab"])
def test_engines_agree(engine, dtype, name):
    try:
        WATER.engine(engine, dtype=dtype)
    except UnavailableError as error:
        pytest.skip(str(error))
    assert_engines_agree(WATER, structures(("H", "O"))[name], engine, dtype)


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_forces_and_stress(engine):
    assert_forces_match_energy(WATER, structures(("H", "O"))["rattled"], engine)


def test_products():
    """Training needs them: products against differences, in `check_engine`; no straight lines."""
    engine = WATER.make_engine("cpu", threads=1)
    rng = np.random.default_rng(3)
    structure = structures(("H", "O"))["rattled"]
    flat = np.concatenate(engine.descriptors(structure))
    weights, direction = rng.normal(size=len(flat)), rng.normal(size=structure.positions.shape)
    pulled, _ = engine.descriptor_vjp(structure, weights)
    pushed = engine.descriptor_jvp(structure, direction)
    np.testing.assert_allclose(np.vdot(pulled, direction), weights @ pushed, rtol=1e-10)
    h = 1e-5

    def at(t):
        moved = nnp.Structure(
            structure.positions + t * direction,
            structure.atomic_numbers,
            structure.cell,
            structure.pbc,
        )
        return np.concatenate(engine.descriptors(moved))

    slopes = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    np.testing.assert_allclose(pushed, slopes, rtol=0, atol=1e-8 * np.abs(slopes).max())


def test_n2p2_has_no_such_function():
    function = AngularShifted(("H", "O"), 0.3, 30.0, 8.0, 1.2, Cutoff(CutoffKind.COSINE, 4.0))
    with pytest.raises(
        OptionError, match=r"an? angular shifted function cannot be written: n2p2 h"
    ):
        write_function("H", function, 1.0)


def test_file_and_committee(tmp_path):
    WATER.save(tmp_path / "water.nnp")
    again = nnp.load(tmp_path / "water.nnp")
    structure = molecule()
    assert again.models[0].functions == WATER.models[0].functions
    assert again.evaluate(structure).energy == WATER.evaluate(structure).energy
    other = random_potential(("H", "O"), seed=13, families=FAMILIES)
    committee = nnp.Committee.of([WATER, other])
    mean = (WATER.evaluate(structure).energy + other.evaluate(structure).energy) / 2
    np.testing.assert_allclose(committee.evaluate(structure).energy, mean, rtol=1e-12)
    np.testing.assert_allclose(committee.mean().evaluate(structure).energy, mean, rtol=1e-10)


@pytest.mark.parametrize("route", ["native", "python"])
def test_openmm(route):
    openmm = pytest.importorskip("openmm", reason="OpenMM is not installed")
    from nnp.openmm import create_force

    structure = molecule()
    system = openmm.System()
    for _ in structure.symbols:
        system.addParticle(1.0)
    try:
        system.addForce(create_force(WATER, structure.symbols, route=route, periodic=False))
    except UnavailableError as error:
        pytest.skip(str(error))
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(structure.positions / 10)
    state = context.getState(getEnergy=True, getForces=True)
    found = WATER.evaluate(structure)
    energy = state.getPotentialEnergy().value_in_unit(openmm.unit.kilojoule_per_mole)
    np.testing.assert_allclose(energy * KJ_PER_MOL, found.energy, rtol=1e-9)
    forces = state.getForces(asNumpy=True).value_in_unit(
        openmm.unit.kilojoule_per_mole / openmm.unit.nanometer
    )
    largest = np.abs(found.forces).max()
    np.testing.assert_allclose(
        forces * KJ_PER_MOL_PER_NANOMETRE, found.forces, rtol=0, atol=1e-5 * largest
    )


def test_portable_export(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    from test_torchscript import assert_export_is_right

    structure = structures(("H", "O"))["rattled"]
    atoms = Atoms(
        numbers=structure.atomic_numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=True,
    )
    assert_export_is_right(WATER, atoms, tmp_path / "water.pt", portable=True)
