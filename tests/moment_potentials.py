"""Random potentials of functions of moments: smooth, of eV size, without physics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnp.cutoffs import CutoffKind
from nnp.elements import atomic_number
from nnp.functions import (
    Argument,
    MomentChebyshev,
    MomentPair,
    MomentQuartic,
    MomentSum,
    MomentTriple,
    RadialSeries,
    canonical_order,
)
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode
from nnp.testing import random_structure
from nnp.testing.potentials import random_functions

TRIPLES = ((1, 1, 2), (2, 2, 2), (1, 2, 3), (2, 4, 4), (3, 5, 8))


def random_series(rng, elements, n, terms, radii, argument, cutoff):
    return RadialSeries(
        argument,
        cutoff,
        0.0,
        tuple(elements),
        tuple(radii),
        rng.normal(0, 0.3, (len(elements), n, terms)).tolist(),
    )


def moment_functions(rng, elements, n, l_max, radius, argument, cutoff):
    """Sums of a long series; pairs, triples and quartics of a short one, mixed in n."""
    far = random_series(rng, elements, n + 1, 5, [radius] * len(elements), argument, cutoff)
    # of several elements each has its own radius, and the last one is not seen
    radii = radius * rng.uniform(0.6, 0.9, len(elements))
    near = random_series(rng, elements, n, 4, radii, argument, cutoff)
    found = [MomentSum(far, rng.uniform(0.5, 2), k) for k in range(n + 1)]
    found += [
        MomentPair(near, rng.uniform(0.5, 2), a, b, degree)
        for degree in range(1, l_max + 1)
        for a in range(n)
        for b in range(a, n)
        if degree <= 2 or a == b
    ]
    for degrees in TRIPLES:
        if max(degrees) <= l_max:
            numbers = rng.integers(0, n, 3).tolist()
            found += [MomentTriple(near, 1.5, *numbers, *degrees)]
            found += [MomentTriple(near, 0.5, n - 1, n - 1, n - 1, *degrees)]
    # a sum and several pairs in one function
    found += [MomentChebyshev(near, 0.4, 0, n - 1, min(l_max, 3))]
    return [*found, MomentQuartic(near, 0.1, 0)]


def random_moments(
    elements=("H", "O"),
    seed=0,
    l_max=3,
    n=2,
    radius=3.8,
    argument=Argument.SQUARE,
    cutoff=CutoffKind.COSINE,
    beside=(),
):
    """A potential whose functions have a range of about 1 around what structures show.

    Args:
        elements: symbols.
        seed: of the generator.
        l_max: largest degree.
        n: radial functions of the series with angles.
        radius: largest cutoff, Å.
        argument, cutoff: of the series.
        beside: further families of `nnp.testing.FAMILIES`.
    """
    rng = np.random.default_rng(seed)
    elements = sorted(elements, key=atomic_number)
    models = []
    for symbol in elements:
        functions = moment_functions(rng, elements, n, l_max, radius, argument, cutoff)
        functions += random_functions(elements, rng, beside, radius=radius) if beside else []
        functions = tuple(canonical_order(functions))
        width = len(functions)
        scaling = Scaling(*[np.arange(width) * 0.0 + x for x in (0, 1, 0.5, 0.3)], ScalingMode.NONE)
        network = Network(
            (rng.normal(0, width**-0.5, (width, 6)), rng.normal(0, 0.4, (6, 1))),
            (rng.normal(0, 0.2, 6), np.zeros(1)),
            (Activation.TANH, Activation.IDENTITY),
        )
        models.append(ElementModel(symbol, functions, scaling, network, rng.uniform(-1, 1)))
    return scaled(Potential(tuple(models)))


def scaled(potential):
    """With the ranges that the functions have in a random structure, widened."""
    elements = [model.symbol for model in potential.models]
    box = random_structure(elements, 24, 7)
    rows = potential.descriptors(box)
    models = []
    for model in potential.models:
        mine = box.atomic_numbers == atomic_number(model.symbol)
        values = np.array([row for row, own in zip(rows, mine, strict=True) if own])
        low, high = values.min(axis=0), values.max(axis=0)
        margin = (high - low) / 2 + 1e-3
        mean, sigma = values.mean(axis=0), values.std(axis=0) + 1e-3
        mode = ScalingMode.SCALE_CENTER
        scaling = Scaling(low - margin, high + margin, mean, sigma, mode)
        models.append(replace(model, scaling=scaling))
    return Potential(tuple(models))
