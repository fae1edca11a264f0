"""A potential that the tests of arrays share, so that its kernels are compiled once."""

from __future__ import annotations

from dataclasses import replace

from nnp.potential import Potential
from nnp.testing import random_potential

_OF_FUNCTIONS = ("minimum", "maximum", "mean", "sigma")


def uneven():
    """Radial functions, one fewer of H than of O, whose kernels visit three of them in a cycle.

    So a function's place in a caller's vector is neither a multiple nor its place in a kernel's
    row, and the way there is not the way back.
    """
    families = ("radial", "compact_radial")
    hydrogen, oxygen = random_potential(("H", "O"), 3, families, radius=3.5).models
    scaling = replace(
        hydrogen.scaling, **{name: getattr(hydrogen.scaling, name)[:-1] for name in _OF_FUNCTIONS}
    )
    first, *rest = hydrogen.network.weights
    network = replace(hydrogen.network, weights=(first[:-1], *rest))
    fewer = replace(hydrogen, functions=hydrogen.functions[:-1], scaling=scaling, network=network)
    return Potential((fewer, oxygen))
