"""Vashishta's potential of silica: steric repulsion, charges, charge-induced dipoles, bond angles.

Summed as in `nnp.teachers.sums`, with phi of two elements

    phi_0(r) = H / r^eta + k Z Z' exp(-r / lambda_1) / r - D exp(-r / lambda_4) / r^4 - W / r^6
    phi(r)   = phi_0(r) - phi_0(r_c) - (r - r_c) dphi_0/dr(r_c)

and a three-body term for each kind of angle A-B-A. The paper's charges act through 1 / r without
lambda_1, by Ewald's sum; the truncated form is that of P. Vashishta et al., J. Appl. Phys. 101,
103515 (2007), DOI 10.1063/1.2724570, and of LAMMPS's pair_style vashishta. Reference:
P. Vashishta, R. K. Kalia, J. P. Rino and I. Ebbsjö, Phys. Rev. B 41, 12197 (1990),
DOI 10.1103/PhysRevB.41.12197.

Lengths in Å, energies in eV, charges in e.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial, reduce
from itertools import product
from operator import add

import numpy as np

from nnp.structure import Structure
from nnp.teachers.sums import (
    Bending,
    Floats,
    Pairs,
    PairTerm,
    TeacherResult,
    bending_sum,
    check_elements,
    pair_sum,
    truncated,
)
from nnp.units import BOHR, HARTREE

COULOMB = HARTREE * BOHR  # e² / (4 pi epsilon_0), eV Å


@dataclass(frozen=True)
class VashishtaPair:
    """Constants of the pair term of two elements.

    Args:
        H: strength of the steric repulsion, eV Å^eta.
        eta: its exponent.
        D: strength of the charge-dipole attraction, eV Å⁴.
        W: strength of the dispersion, eV Å⁶.
    """

    H: float
    eta: float
    D: float = 0.0
    W: float = 0.0


@dataclass(frozen=True)
class VashishtaParameters:
    """Constants of the potential.

    Args:
        charges: Z of each element, e.
        pairs: of two elements, in either order.
        bending: three-body terms by (apex, both neighbours).
        lambda_1: screening length of the charges, Å.
        lambda_4: that of the dipoles, Å.
        cutoff: r_c of the pair term, Å.
        coulomb: k, eV Å.
    """

    charges: Mapping[str, float]
    pairs: Mapping[tuple[str, str], VashishtaPair]
    bending: Mapping[tuple[str, str], Bending]
    lambda_1: float
    lambda_4: float
    cutoff: float
    coulomb: float = COULOMB

    def pair(self, first: str, second: str) -> VashishtaPair:
        """Constants of two elements, whichever order they stand in."""
        names = (first, second) if (first, second) in self.pairs else (second, first)
        return self.pairs[names]


# The paper leaves some constants to be worked out from its energy-volume curve; these are those of
# LAMMPS's SiO.1990.vashishta (A. Thompson, 2015). Its lambda_1 of 999 Å stands for no screening.
SILICA = VashishtaParameters(
    charges={"Si": 1.6, "O": -0.8},
    pairs={
        ("Si", "Si"): VashishtaPair(H=0.82023, eta=11),
        ("Si", "O"): VashishtaPair(H=163.859, eta=9, D=44.2357),
        ("O", "O"): VashishtaPair(H=743.848, eta=7, D=22.1179),
    },
    bending={
        ("Si", "O"): Bending(5.0365, 1.0, 2.6, -1.0 / 3.0),
        ("O", "Si"): Bending(20.146, 1.0, 2.6, -0.77714596),
    },
    lambda_1=999.0,
    lambda_4=4.43,
    cutoff=10.0,
)


def vashishta(structure: Structure, parameters: VashishtaParameters = SILICA) -> TeacherResult:
    """Evaluate the potential.

    Args:
        structure: the atoms; any cell, any periodicity.
        parameters: constants of the potential.

    Raises:
        StructureError: an element without parameters, or two atoms in the same place.

    Example:
        >>> line = Structure([[0, 0, 0], [0, 0, 1.6]], [14, 8], np.eye(3), False)
        >>> float(vashishta(line).energies.sum().round(3))
        -10.445
    """
    check_elements(structure, parameters.charges, "Vashishta")
    pairs = Pairs.closer_than(parameters.cutoff, structure)
    parts = []
    for centre, neighbor in product(parameters.charges, repeat=2):
        chosen = pairs.between(centre, neighbor)
        charge_product = parameters.charges[centre] * parameters.charges[neighbor]
        formula = partial(
            _pair_term,
            own=parameters.pair(centre, neighbor),
            coulomb=parameters.coulomb * charge_product,
            lambda_1=parameters.lambda_1,
            lambda_4=parameters.lambda_4,
        )
        parts.append(pair_sum(chosen, truncated(formula, chosen.r_p, parameters.cutoff, True)))
        if (centre, neighbor) in parameters.bending:
            parts.append(bending_sum(chosen, parameters.bending[centre, neighbor]))
    return reduce(add, parts)


def _pair_term(
    r_p: Floats, own: VashishtaPair, coulomb: float, lambda_1: float, lambda_4: float
) -> PairTerm:
    """phi_0 (eV) and its slope (eV/Å); ``coulomb`` is k Z Z'."""
    steric_p = own.H / r_p**own.eta
    charge_p = coulomb * np.exp(-r_p / lambda_1) / r_p
    dipole_p = own.D * np.exp(-r_p / lambda_4) / r_p**4
    dispersion_p = own.W / r_p**6
    slope_p = (
        -own.eta * steric_p / r_p
        - charge_p * (1 / r_p + 1 / lambda_1)
        + dipole_p * (4 / r_p + 1 / lambda_4)
        + 6 * dispersion_p / r_p
    )
    return steric_p + charge_p - dipole_p - dispersion_p, slope_p
