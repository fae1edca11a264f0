"""Potentials of Behler's wide functions: grids as they are in use, and random ranges."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement, product

import numpy as np
from moment_potentials import scaled

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import atomic_number
from nnp.functions import Angular, Radial, canonical_order
from nnp.networks import Activation, Network
from nnp.potential import ElementModel, Potential
from nnp.scaling import Scaling, ScalingMode


def wide_potential(
    elements=("Si",),
    seed=0,
    etas=(0.02, 0.1),
    zetas=(1, 2, 4),
    lambdas=(-1.0, 1.0),
    radius=4.5,
    kind=CutoffKind.COSINE,
    inner=0.0,
    shift=0.0,
    weighted=True,
    narrow=False,
    nodes=8,
):
    """Wide functions of each pair of elements (and of all, weighted), with a few radial ones."""
    rng = np.random.default_rng(seed)
    elements = sorted(elements, key=atomic_number)
    cutoff = Cutoff(kind, radius, inner)
    pairs = [*combinations_with_replacement(elements, 2), *([None] if weighted else [])]
    functions = [Radial(e, eta, 0.0, cutoff) for e, eta in product(elements, (0.05, 0.5))]
    functions += [
        Angular(pair, eta, lambda_, float(zeta), shift, cutoff, False)
        for pair, eta, lambda_, zeta in product(pairs, etas, lambdas, zetas)
    ]
    if narrow:
        functions += [Angular(pair, 0.05, 1.0, 2.0, 0.0, cutoff, True) for pair in pairs]
    functions = tuple(canonical_order(functions))
    width = len(functions)
    models = []
    for symbol in elements:
        scaling = Scaling(*[np.zeros(width) + x for x in (0, 1, 0.5, 0.3)], ScalingMode.NONE)
        network = Network(
            (rng.normal(0, width**-0.5, (width, nodes)), rng.normal(0, 0.4, (nodes, 1))),
            (rng.normal(0, 0.2, nodes), np.zeros(1)),
            (Activation.TANH, Activation.IDENTITY),
        )
        models.append(ElementModel(symbol, functions, scaling, network, rng.uniform(-1, 1)))
    return replace(scaled(Potential(tuple(models))))
