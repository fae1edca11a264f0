"""The truncated and shifted Lennard-Jones potential of any number of elements.

    phi(r) = 4 epsilon [(sigma/r)^12 - (sigma/r)^6] - (the same at r_c)

and with ``smooth`` less (r - r_c) times the slope at r_c, so that the force too ends at zero.
Summed as in `nnp.teachers.sums`. Reference: J. E. Jones, Proc. R. Soc. Lond. A 106, 463 (1924),
DOI 10.1098/rspa.1924.0082.

Lengths in Å, energies in eV.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import product
from operator import add

from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.structure import Structure
from nnp.teachers.sums import (
    Floats,
    Pairs,
    PairTerm,
    TeacherResult,
    check_elements,
    pair_sum,
    truncated,
)
from nnp.units import BOLTZMANN


@dataclass(frozen=True)
class LennardJonesParameters:
    """Constants of the potential.

    Args:
        elements: epsilon (eV) and sigma (Å) of each element.
        cutoff: r_c, Å.
        smooth: whether the force is shifted too.
        pairs: epsilon and sigma of pairs of elements; those left out follow from Lorentz and
            Berthelot: arithmetic mean of sigma, geometric mean of epsilon.

    Raises:
        OptionError: a value is not allowed.
    """

    elements: Mapping[str, tuple[float, float]]
    cutoff: float
    smooth: bool = False
    pairs: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.elements:
            raise OptionError("elements is empty: give epsilon (eV) and sigma (Å) of each element")
        for names, values in (*self.elements.items(), *self.pairs.items()):
            if len(values) != 2 or not all(math.isfinite(v) and v > 0 for v in values):
                raise OptionError(
                    f"Lennard-Jones parameters of {names}: {values}; epsilon (eV) and sigma (Å), "
                    "both positive, are expected"
                )
        for symbol in (*self.elements, *(symbol for pair in self.pairs for symbol in pair)):
            atomic_number(symbol)
        if not (math.isfinite(self.cutoff) and self.cutoff > 0):
            raise OptionError(f"cutoff = {self.cutoff} Å must be positive")

    def of_pair(self, first: str, second: str) -> tuple[float, float]:
        """Well depth epsilon (eV) and sigma (Å) of two elements.

        >>> mixed = LennardJonesParameters({"Ar": (4.0, 3.0), "Kr": (9.0, 4.0)}, 9.0)
        >>> mixed.of_pair("Kr", "Ar")
        (6.0, 3.5)
        """
        for names in ((first, second), (second, first)):
            if names in self.pairs:
                return self.pairs[names]
        (epsilon_1, sigma_1), (epsilon_2, sigma_2) = self.elements[first], self.elements[second]
        return math.sqrt(epsilon_1 * epsilon_2), (sigma_1 + sigma_2) / 2


# A. Rahman, Phys. Rev. 136, A405 (1964), DOI 10.1103/PhysRev.136.A405: epsilon / k_B = 120 K,
# sigma = 3.4 Å; the customary cutoff of 2.5 sigma (his was 2.25).
ARGON = LennardJonesParameters({"Ar": (120.0 * BOLTZMANN, 3.4)}, 8.5)


def lennard_jones(
    structure: Structure, parameters: LennardJonesParameters = ARGON
) -> TeacherResult:
    """Evaluate the potential.

    Args:
        structure: the atoms; any cell, any periodicity.
        parameters: constants of the potential.

    Raises:
        StructureError: an element without parameters, or two atoms in the same place.

    Example:
        >>> import numpy as np
        >>> dimer = Structure([[0, 0, 0], [0, 0, 3.4 * 2 ** (1 / 6)]], [18, 18], np.eye(3), False)
        >>> shift = 4 * (0.4**12 - 0.4**6)  # the well is less deep by the energy at the cutoff
        >>> float((lennard_jones(dimer).energies.sum() / (120 * BOLTZMANN) + shift).round(9))
        -1.0
    """
    check_elements(structure, parameters.elements, "Lennard-Jones")
    pairs = Pairs.closer_than(parameters.cutoff, structure)
    parts = []
    for centre, neighbor in product(parameters.elements, repeat=2):
        chosen = pairs.between(centre, neighbor)
        epsilon, sigma = parameters.of_pair(centre, neighbor)
        formula = partial(_pair_term, epsilon=epsilon, sigma=sigma)
        term = truncated(formula, chosen.r_p, parameters.cutoff, parameters.smooth)
        parts.append(pair_sum(chosen, term))
    return reduce(add, parts)


def _pair_term(r_p: Floats, epsilon: float, sigma: float) -> PairTerm:
    """Energy phi (eV) and dphi/dr (eV/Å), not yet shifted."""
    s6_p = (sigma / r_p) ** 6
    return 4 * epsilon * s6_p * (s6_p - 1), 24 * epsilon * s6_p * (1 - 2 * s6_p) / r_p
