"""What the cost model is fitted on: potentials of every family, few and many neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement, pairwise, product

import numpy as np

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.functions import (
    Angular,
    Argument,
    CompactAngular,
    CompactRadial,
    Core,
    MomentPair,
    MomentSum,
    MomentTriple,
    Radial,
    RadialSeries,
    SymmetryFunction,
    canonical_order,
)
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.structure import Structure
from nnp.testing import random_structure

Case = tuple[str, Potential, Structure]


def potential_of(
    elements: tuple[str, ...],
    functions: list[SymmetryFunction],
    nodes: int,
    seed: int,
    layers: int = 2,
) -> Potential:
    """All elements with the same functions and random networks of so many hidden layers."""
    rng = np.random.default_rng(seed)
    functions = canonical_order(functions)
    sizes = (len(functions), *[nodes] * layers, 1)
    models = []
    for symbol in elements:
        weights = tuple(rng.normal(0, 0.1, pair) for pair in pairwise(sizes))
        network = Network(
            weights,
            tuple(np.zeros(n) for n in sizes[1:]),
            (*[Activation.TANH] * layers, Activation.IDENTITY),
        )
        limits = [np.zeros(len(functions)) + x for x in (-1e3, 1e3, 0, 1)]
        models.append(
            ElementModel(symbol, tuple(functions), Scaling(*limits, ScalingMode.NONE), network, 0.0)
        )
    return Potential(tuple(models))


def behler(
    elements: tuple[str, ...],
    cutoff: Cutoff,
    n_radial: int,
    etas: tuple[float, ...],
    zetas: tuple[float, ...],
    narrow: bool,
) -> list[SymmetryFunction]:
    """A grid of radial and angular functions."""
    pairs = combinations_with_replacement(elements, 2)
    found: list[SymmetryFunction] = [
        Radial(e, eta, 0.0, cutoff) for e in elements for eta in np.geomspace(0.01, 1, n_radial)
    ]
    found += [
        Angular(pair, eta, lambda_, zeta, 0.0, cutoff, narrow)
        for pair, eta, lambda_, zeta in product(pairs, etas, (-1.0, 1.0), zetas)
    ]
    return found


def compact(
    elements: tuple[str, ...], radius: float, n: int, narrow: bool
) -> list[SymmetryFunction]:
    """Windows of distance times windows of angle."""
    pairs = combinations_with_replacement(elements, 2)
    ends = [(-radius, radius * (k + 1) / n) for k in range(n)]
    angles = [(k * 90.0 / n, 90 + (k + 1) * 90.0 / n) for k in range(n)]
    found: list[SymmetryFunction] = [
        CompactRadial(e, *end, Core.POLY2, False) for e in elements for end in ends
    ]
    found += [
        CompactAngular(pair, *end, *angle, Core.POLY2, False, narrow)
        for pair, end, angle in product(pairs, ends, angles)
    ]
    return found


def moments(
    elements: tuple[str, ...], radius: float, n: int, l_max: int, terms: int, triples: bool
) -> list[SymmetryFunction]:
    """Sums, the power spectrum, and some of the bispectrum."""
    rng = np.random.default_rng(1)

    def series(count: int) -> RadialSeries:
        radii = (radius,) * len(elements)
        c = rng.normal(0, 0.3, (len(elements), count, terms)).tolist()
        return RadialSeries(Argument.FALLING, CutoffKind.POLY2, 0.0, elements, radii, c)

    far, near = series(n), series(n)
    found: list[SymmetryFunction] = [MomentSum(far, 1.0, k) for k in range(n)]
    found += [
        MomentPair(near, 1.0, a, b, degree)
        for degree in range(1, l_max + 1)
        for a in range(n)
        for b in range(a, n)
    ]
    if triples:
        found += [MomentTriple(near, 1.0, k, k, k, 2, 2, 2) for k in range(n)]
        found += [MomentTriple(near, 1.0, k, k, k, 1, 1, 2) for k in range(n)]
    return found


def cases() -> Iterator[Case]:
    """Name, potential, structure."""
    one, two, three = ("Si",), ("H", "O"), ("H", "C", "O")
    cosine = CutoffKind.COSINE
    boxes = {
        (elements, density): random_structure(list(elements), 192, 5, density, 1.0)
        for elements in (one, two, three)
        for density in (0.02, 0.05, 0.1)
    }
    number = 0

    def case(
        name: str,
        elements: tuple[str, ...],
        density: float,
        functions: list[SymmetryFunction],
        nodes: int,
    ) -> Case:
        nonlocal number
        number += 1
        potential = potential_of(elements, functions, nodes, number)
        return name, potential, boxes[elements, density]

    for radius, density in ((4.0, 0.02), (5.0, 0.05), (6.0, 0.05), (6.0, 0.1)):
        cutoff = Cutoff(cosine, radius)
        for elements in (one, two):
            text = f"{len(elements)} elements, {radius} Å, {density}"
            yield case(
                f"radial 4, {text}",
                elements,
                density,
                behler(elements, cutoff, 4, (), (), True),
                10,
            )
            yield case(
                f"radial 16, {text}",
                elements,
                density,
                behler(elements, cutoff, 16, (), (), True),
                30,
            )
            yield case(
                f"narrow few, {text}",
                elements,
                density,
                behler(elements, cutoff, 2, (0.01,), (1.0,), True),
                10,
            )
            yield case(
                f"narrow many, {text}",
                elements,
                density,
                behler(elements, cutoff, 4, (0.01, 0.03, 0.1, 0.2), (1.0, 2.0, 4.0, 16.0), True),
                25,
            )
            yield case(
                f"wide few, {text}",
                elements,
                density,
                behler(elements, cutoff, 2, (0.01,), (2.0,), False),
                10,
            )
            yield case(
                f"wide many, {text}",
                elements,
                density,
                behler(elements, cutoff, 2, (0.01, 0.05), (1.0, 2.0, 4.0), False),
                25,
            )
            yield case(
                f"compact wide, {text}", elements, density, compact(elements, radius, 4, False), 15
            )
            yield case(
                f"compact narrow, {text}", elements, density, compact(elements, radius, 3, True), 15
            )
            yield case(
                f"moments l 4, {text}",
                elements,
                density,
                moments(elements, radius, 5, 4, 8, True),
                24,
            )
            yield case(
                f"moments l 2, {text}",
                elements,
                density,
                moments(elements, radius, 8, 2, 12, False),
                24,
            )
    for kind in (CutoffKind.TANH_CUBED, CutoffKind.EXPONENTIAL, CutoffKind.POLY2):
        functions = behler(two, Cutoff(kind, 6.0), 6, (0.01, 0.05), (1.0, 4.0), True)
        yield case(f"narrow, {kind.name}", two, 0.1, functions, 25)
    yield case(
        "narrow, three elements",
        three,
        0.1,
        behler(three, Cutoff(cosine, 5.0), 4, (0.01, 0.05), (1.0, 4.0), True),
        20,
    )
    yield case(
        "powers 3 and 6.5",
        one,
        0.05,
        behler(one, Cutoff(cosine, 6.0), 4, (0.01, 0.05), (3.0, 6.5), True),
        20,
    )
    yield case("moments l 8", one, 0.05, moments(one, 6.0, 5, 8, 10, False), 24)
    yield case("moments l 12", one, 0.05, moments(one, 6.0, 3, 12, 10, False), 24)
    yield case("large network", one, 0.05, behler(one, Cutoff(cosine, 5.0), 20, (), (), True), 128)
    for nodes, n_radial in ((16, 24), (24, 60), (40, 16), (48, 32), (60, 8)):
        functions = behler(one, Cutoff(cosine, 4.0), n_radial, (), (), True)
        yield case(f"network of {n_radial}-{nodes}-{nodes}", one, 0.05, functions, nodes)
