"""Random potentials of every family: smooth, of eV size, without physics."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import atomic_number
from nnp.functions import (
    Angular,
    AngularShifted,
    CompactAngular,
    CompactRadial,
    Core,
    Radial,
    RadialCosine,
    SymmetryFunction,
    canonical_order,
)
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode

# Without "angular_shifted" and "weighted_angular_shifted", which have an edge where three atoms lie
# in a line: ask for them where no structure has one.
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
    nodes: int = 7,
) -> Potential:
    """A potential with random functions and networks: smooth, of eV size, without physics.

    Args:
        elements: symbols.
        seed: of the generator.
        families: of ``FAMILIES``.
        cutoff_kinds: to draw from.
        radius: largest cutoff, Å.
        activations: of the hidden layers.
        mode: of the scaling.
        nodes: neurons of each hidden layer.
    """
    rng = np.random.default_rng(seed)
    models = []
    for symbol in sorted(elements, key=atomic_number):
        functions = random_functions(elements, rng, families, cutoff_kinds, radius)
        n = len(functions)
        minimum = rng.uniform(-1, 0, n)
        width = rng.uniform(5, 10, n)
        scaling = Scaling(minimum, minimum + width, minimum + 0.4 * width, 0.2 * width, mode)
        network = _random_network((n, *[nodes] * len(activations), 1), activations, rng)
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
    if family.endswith("angular_shifted"):
        angle, zeta = rng.uniform(0, 180), float(rng.choice([1.0, 2.5, 8.0]))
        return AngularShifted(neighbor, eta, angle, zeta, r_shift, cutoff)
    if family.endswith("radial"):
        return Radial(neighbor, eta, r_shift, cutoff)
    zeta, lambda_ = float(rng.choice([1.0, 2.0, 3.5, 8.0])), float(rng.choice([-1.0, 1.0]))
    return Angular(neighbor, eta, lambda_, zeta, r_shift, cutoff, narrow)
