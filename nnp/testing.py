"""Checks that any engine and any potential must pass, for our tests and for yours.

One table of tolerances, with the reason for each; structures that have caused trouble somewhere;
random potentials of every family.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import atomic_number
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure
from nnp.symmetry_functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Core,
    Radial,
    RadialCosine,
    SymmetryFunction,
    canonical_order,
)

# ---- tolerances -----------------------------------------------------------------------------

# Two float64 engines sum a few hundred terms in different order: some 1e-14 of the largest term.
ENERGY_RTOL_FLOAT64 = 1e-12
# Forces are differences of such terms; relative to the largest force.
FORCE_RTOL_FLOAT64 = 1e-10
# float32 arithmetic has 6e-8 per operation and angular functions lose three digits to
# cancellation in 1 + λ cos θ; relative to the root-mean-square force.
FORCE_RTOL_FLOAT32 = 5e-5
# eV per atom, from the same arithmetic over energies of a few eV.
ENERGY_PER_ATOM_FLOAT32 = 1e-6
# Central differences in float64 with four points and the step h: truncation is h⁴/30 of the fifth
# derivative, far below 1e-12 eV/Å; rounding is 1e-16 |E| / h, some 1e-10 for 10 eV. The cosine
# and p1 have a jump in their second derivative at their ends, which costs up to h times that
# jump when a distance happens to lie within h of one.
DIFFERENCE_STEP = 2e-5
DIFFERENCE_RTOL = 2e-7

# ---- structures -----------------------------------------------------------------------------


def structures(elements: Sequence[str] = ("Si",)) -> dict[str, Structure]:
    """Structures by name, species taken in turn from ``elements``; distances about 2.4 Å.

    Each stands for a kind of mistake: no neighbours, few, images of oneself, several images of a
    neighbour, skewed cells, periodicity along some axes, atoms outside the cell, exact angles.
    """
    rng = np.random.default_rng(20260)
    bulk = 5.43 * np.eye(3)
    diamond = np.array([(0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0)]) / 4
    diamond = np.concatenate([diamond, diamond + 0.25]) @ bulk
    rattled = diamond + rng.normal(0, 0.15, diamond.shape)
    skewed = np.array([[5.6, 0.0, 0.0], [2.1, 5.1, 0.0], [-1.7, 1.4, 5.3]])
    molecule = np.array([(0, 0, 0), (1.9, 1.2, 0), (-1.8, 1.4, 0.3), (0.2, 0.1, 2.5)])
    no_cell = np.zeros((3, 3))
    jumps = rng.integers(-3, 4, (len(rattled), 3))
    raw: dict[str, tuple[Any, Any, Any]] = {
        "lone_atom": ([[0.3, 0.2, 0.1]], no_cell, False),
        "dimer": ([[0, 0, 0], [1.1, 1.3, 1.6]], no_cell, False),
        "molecule": (molecule, no_cell, False),
        "straight_line": ([[-2.3, 0, 0], [0, 0, 0], [2.3, 0, 0], [4.7, 0, 0]], no_cell, False),
        "crystal": (diamond, bulk, True),
        "rattled": (rattled, bulk, True),
        "triclinic": (rattled @ np.linalg.inv(bulk) @ skewed, skewed, True),
        "left_handed": (rattled @ np.linalg.inv(bulk) @ skewed[::-1], skewed[::-1], True),
        "one_atom_cell": ([[0.1, 0.2, 0.3]], 2.5 * (1 - np.eye(3)) / np.sqrt(2), True),
        "slab": (rattled, bulk, (True, True, False)),
        "wire": (rattled, np.diag([0.0, 0.0, 5.43]), (False, False, True)),
        "slab_without_vector": (rattled, np.diag([5.43, 5.43, 0.0]), (True, True, False)),
        "far_outside": (rattled + jumps @ skewed, skewed * 1.08, True),
    }
    numbers = [atomic_number(symbol) for symbol in elements]
    return {
        name: Structure(positions, np.resize(numbers, len(positions)), cell, pbc)
        for name, (positions, cell, pbc) in raw.items()
    }


def random_structure(
    elements: Sequence[str], n: int, seed: int, density: float = 0.05, min_distance: float = 1.6
) -> Structure:
    """A random periodic triclinic structure.

    Args:
        elements: symbols to draw from.
        n: number of atoms.
        seed: of the generator.
        density: atoms per Å³.
        min_distance: Å; no two atoms (or images) come closer.
    """
    rng = np.random.default_rng(seed)
    edge = (n / density) ** (1 / 3)
    cell = edge * (np.eye(3) + rng.uniform(-0.25, 0.25, (3, 3)))
    cell *= (n / density / abs(np.linalg.det(cell))) ** (1 / 3)
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3) @ cell
    positions = np.empty((0, 3))
    while len(positions) < n:
        trial = rng.uniform(0, 1, 3) @ cell
        images = (positions[:, None] + shifts).reshape(-1, 3)
        if len(images) == 0 or np.linalg.norm(images - trial, axis=1).min() > min_distance:
            positions = np.vstack([positions, trial])
    numbers = rng.choice([atomic_number(symbol) for symbol in elements], n)
    return Structure(positions, numbers, cell, np.ones(3, bool))


# ---- potentials -----------------------------------------------------------------------------

FAMILIES = (
    "radial",
    "radial_cosine",
    "weighted_radial",
    "angular_narrow",
    "angular_wide",
    "weighted_angular",
    "compact_radial",
    "compact_angular_narrow",
    "compact_angular_wide",
    "weighted_compact_radial",
    "weighted_compact_angular",
)


def random_functions(
    elements: Sequence[str],
    rng: np.random.Generator,
    families: Sequence[str] = FAMILIES,
    cutoff_kinds: Sequence[CutoffKind] = (CutoffKind.COSINE,),
    radius: float = 4.5,
) -> list[SymmetryFunction]:
    """Two functions of each family for each neighbour element or pair, in canonical order."""
    pairs = [(a, b) for i, a in enumerate(elements) for b in elements[i:]]
    found: list[SymmetryFunction] = []
    for family in families:
        weighted = family.startswith("weighted")
        neighbors: Sequence[Any] = elements if "radial" in family else pairs
        for neighbor in [None] if weighted else neighbors:
            for _ in range(2):
                kind = CutoffKind(int(rng.choice([int(k) for k in cutoff_kinds])))
                cutoff = Cutoff(kind, radius * rng.uniform(0.8, 1.0), rng.choice([0.0, 0.3]))
                found.append(_random_function(family, neighbor, cutoff, rng))
    return canonical_order(found)


def random_potential(
    elements: Sequence[str] = ("Si",),
    seed: int = 0,
    families: Sequence[str] = FAMILIES,
    cutoff_kinds: Sequence[CutoffKind] = (CutoffKind.COSINE,),
    radius: float = 4.5,
    activations: Sequence[Activation] = (Activation.TANH, Activation.LOGISTIC),
    mode: ScalingMode = ScalingMode.SCALE_CENTER,
) -> Potential:
    """A potential with random functions and networks: smooth, of eV size, without physics.

    Args:
        elements: symbols.
        seed: of the generator.
        families: of ``FAMILIES``.
        cutoff_kinds: to draw from.
        radius: largest cutoff, Å.
        activations: of the hidden layers, seven neurons each.
        mode: of the scaling.
    """
    rng = np.random.default_rng(seed)
    models = []
    for symbol in sorted(elements, key=atomic_number):
        functions = random_functions(elements, rng, families, cutoff_kinds, radius)
        n = len(functions)
        minimum = rng.uniform(-1, 0, n)
        width = rng.uniform(5, 10, n)
        scaling = Scaling(minimum, minimum + width, minimum + 0.4 * width, 0.2 * width, mode)
        network = _random_network((n, *[7] * len(activations), 1), activations, rng)
        models.append(ElementModel(symbol, tuple(functions), scaling, network, rng.uniform(-1, 1)))
    return Potential(tuple(models), energy_scale=rng.uniform(0.5, 2.0))


def _random_network(
    sizes: tuple[int, ...], activations: Sequence[Activation], rng: np.random.Generator
) -> Network:
    return Network(
        tuple(rng.normal(0, a**-0.5, (a, b)) for a, b in pairwise(sizes)),
        tuple(rng.normal(0, 0.2, size) for size in sizes[1:]),
        (*activations, Activation.IDENTITY),
    )


def _random_function(
    family: str, neighbor: Any, cutoff: Cutoff, rng: np.random.Generator
) -> SymmetryFunction:
    eta, r_shift = rng.uniform(0.01, 0.6), float(rng.choice([0.0, 1.1]))
    right = cutoff.radius
    left = float(rng.choice([-right, 0.4, 1.2]))
    core, asymmetric = Core(str(rng.choice(list(Core)))), bool(rng.integers(2))
    narrow = not family.endswith("wide")
    if family == "radial_cosine":
        return RadialCosine(neighbor, rng.uniform(0.5, 2.0), cutoff)
    if family.endswith("compact_radial"):
        return CompactRadial(neighbor, left, right, core, asymmetric)
    if "compact_angular" in family:
        ends = [(-150.0, 150.0), (10.0, 170.0), (40.0, 140.0), (100.0, 260.0)]
        theta = ends[rng.integers(len(ends))]
        return CompactAngular(neighbor, left, right, *theta, core, asymmetric, narrow)
    if family.endswith("radial"):
        return Radial(neighbor, eta, r_shift, cutoff)
    zeta, lambda_ = float(rng.choice([1.0, 2.0, 3.5, 8.0])), float(rng.choice([-1.0, 1.0]))
    return Angular(neighbor, eta, lambda_, zeta, r_shift, cutoff, narrow)


# ---- checks ---------------------------------------------------------------------------------


def slope(
    potential: Potential,
    structure: Structure,
    direction: NDArray[np.float64],
    strain: NDArray[np.float64],
    engine: str = "cpu",
    **options: Any,
) -> float:
    """Derivative of the energy along a displacement and a strain, by four-point differences.

    Args:
        potential: whose energy.
        structure: where.
        direction: (n, 3) displacement per unit of the path's parameter (Å).
        strain: (3, 3) strain per unit, of positions and cell alike.
        engine: which engine.
        options: of the engine.

    Returns:
        dE/dt, eV per unit.
    """

    def energy(t: float) -> float:
        deformation = np.eye(3) + t * strain
        moved = Structure(
            structure.positions @ deformation + t * direction,
            structure.atomic_numbers,
            structure.cell @ deformation,
            structure.pbc,
        )
        return potential.evaluate(moved, engine, forces=False, **options).energy

    h = DIFFERENCE_STEP
    return (8 * (energy(h) - energy(-h)) - (energy(2 * h) - energy(-2 * h))) / (12 * h)


def assert_forces_match_energy(
    potential: Potential,
    structure: Structure,
    engine: str = "cpu",
    n_directions: int = 4,
    **options: Any,
) -> None:
    """Forces, and the stress where there is one, are the energy's derivatives.

    Compared along random directions, so that an error in any component shows in each of them.

    Raises:
        AssertionError: they differ by more than ``DIFFERENCE_RTOL`` of the largest.
    """
    rng = np.random.default_rng(len(structure))
    periodic = bool(structure.pbc.all())
    result = potential.evaluate(structure, engine, forces=True, stress=periodic, **options)
    assert result.forces is not None
    # Symmetry can make all forces vanish: below this (eV/Å) nothing is compared relative.
    scale = max(float(np.abs(result.forces).max()), 0.1)
    for _ in range(n_directions):
        direction = rng.normal(size=structure.positions.shape)
        direction /= np.linalg.norm(direction)
        numeric = slope(potential, structure, direction, np.zeros((3, 3)), engine, **options)
        np.testing.assert_allclose(
            -np.vdot(result.forces, direction), numeric, rtol=0, atol=DIFFERENCE_RTOL * scale
        )
    if result.stress is None:
        return
    still = np.zeros_like(structure.positions)
    tensor = structure.volume * result.stress[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)
    scale = max(float(np.abs(tensor).max()), 1.0)
    for _ in range(n_directions):
        strain = rng.normal(size=(3, 3))
        strain = (strain + strain.T) / potential.cutoff  # moves neighbours by about h
        numeric = slope(potential, structure, still, strain, engine, **options)
        np.testing.assert_allclose(
            np.vdot(tensor, strain), numeric, rtol=0, atol=DIFFERENCE_RTOL * scale
        )


def assert_engines_agree(
    potential: Potential, structure: Structure, engine: str, dtype: str = "float64", **options: Any
) -> None:
    """An engine gives the reference engine's answer within the table's tolerances.

    Raises:
        AssertionError: energies, forces, stress, functions or extrapolations differ.
    """
    stress = bool(structure.pbc.all())
    wanted = potential.evaluate(structure, "reference", stress=stress)
    got = potential.evaluate(structure, engine, stress=stress, dtype=dtype, **options)
    assert wanted.forces is not None
    if dtype == "float64":
        largest = max(float(np.abs(wanted.forces).max()), 1e-2)
        energy_atol = ENERGY_RTOL_FLOAT64 * max(float(np.abs(wanted.energies).max()), 1.0)
        force_atol = FORCE_RTOL_FLOAT64 * largest
    else:
        rms = max(float(np.sqrt(np.mean(wanted.forces**2))), 1e-2)
        energy_atol, force_atol = ENERGY_PER_ATOM_FLOAT32, FORCE_RTOL_FLOAT32 * rms
    np.testing.assert_allclose(got.energies, wanted.energies, rtol=0, atol=energy_atol)
    np.testing.assert_allclose(got.energy, wanted.energy, rtol=0, atol=energy_atol * len(structure))
    assert got.forces is not None
    np.testing.assert_allclose(got.forces, wanted.forces, rtol=0, atol=force_atol)
    if wanted.stress is not None:
        assert got.stress is not None
        # the virial sums force times distance over the pairs of a cell
        atol = force_atol * potential.cutoff * len(structure) / structure.volume
        np.testing.assert_allclose(got.stress, wanted.stress, rtol=0, atol=atol)
