"""Untrained potentials of generated functions: their speed is that of finished ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np

import nnp
from nnp.functions import SymmetryFunction
from nnp.networks import Activation, Network
from nnp.potential import ElementModel
from nnp.scaling import Scaling
from nnp.structure import Structure
from nnp.train.inputs.products import DescriptorProducts

HIDDEN = (24, 24)
_MARGIN = 0.5  # of a function's range: atoms that move a little leave none


class Generated(Protocol):
    """What `[functions] generate` becomes."""

    def for_elements(
        self, elements: Sequence[str], structures: Sequence[Structure] = ()
    ) -> dict[str, tuple[SymmetryFunction, ...]]:
        """The functions of every element."""
        ...


def untrained(generated: Generated, structure: Structure) -> nnp.Potential:
    """Functions with ranges of one structure before random networks of 24-24, tanh."""
    rng = np.random.default_rng(1)
    functions = generated.for_elements(sorted(set(structure.symbols)), [structure])
    products = DescriptorProducts(functions)
    values = products.descriptors(products.place(structure))
    models = []
    for symbol, found in zip(products.elements, values, strict=True):
        g = found.numpy()
        room = _MARGIN * np.ptp(g, axis=0) + 1e-6
        scaling = Scaling(g.min(0) - room, g.max(0) + room, g.mean(0), g.std(0) + 1e-6)
        sizes = (g.shape[1], *HIDDEN, 1)
        network = Network(
            tuple(rng.normal(0, a**-0.5, (a, b)) for a, b in pairwise(sizes)),
            tuple(rng.normal(0, 0.2, size) for size in sizes[1:]),
            (Activation.TANH, Activation.TANH, Activation.IDENTITY),
        )
        models.append(ElementModel(symbol, tuple(functions[symbol]), scaling, network))
    return nnp.Potential(tuple(models))
