"""Structure factors from radial distributions (Faber and Ziman's partial ones).

S_ab(k) = 1 + 4π ρ ∫ r² (g_ab(r) − 1) sin(kr)/(kr) w(r) dr, ρ the density of all atoms;
w(r) = sin(πr/R)/(πr/R) takes the ripples of the end R of g(r) away and widens peaks to 5.4/R:
Lorch, J. Phys. C 2, 229 (1969), doi:10.1088/0022-3719/2/2/305.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.rdf import TOTAL, PairDistribution, sem
from nnp.analysis.results import Curve

Floats = NDArray[np.float64]

_K_MAX = 16.0  # Å⁻¹
_K_STEP = 0.05


def structure_factors(distributions: Mapping[str, PairDistribution]) -> Curve:
    """S(k) of each distribution, from the least k that its range can tell (2π/R).

    Args:
        distributions: with the one of all atoms, ``total``.
    """
    total = distributions[TOTAL]
    r_max = float(total.r[-1] + (total.r[1] - total.r[0]) / 2)
    k = np.arange(2 * np.pi / r_max, _K_MAX, _K_STEP)
    blocks = {name: _transform(one, total.density, k, r_max) for name, one in distributions.items()}
    return Curve(
        "k_1_per_A",
        k,
        {name: values.mean(axis=0) for name, values in blocks.items()},
        {name: sem(values) for name, values in blocks.items()},
    )


def _transform(one: PairDistribution, density: float, k: Floats, r_max: float) -> Floats:
    r, step = one.r, one.r[1] - one.r[0]
    # An atom has N − 1 others of its own kind: g goes to 1 − 1/N, which is no structure.
    g = one.g / (1 - 1 / one.count) if one.same and one.count > 1 else one.g
    window = np.sinc(r / r_max)
    kernel = np.sinc(np.outer(k, r) / np.pi)
    integrand = r**2 * (g - 1) * window
    return np.asarray(1 + 4 * np.pi * density * step * integrand @ kernel.T)
