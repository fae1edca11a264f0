"""The Stillinger-Weber potential of silicon.

With the cutoff r_c = a sigma it is the sum (see `nnp.teachers.sums`) of

    phi_2 = A epsilon [B (sigma/r)^4 - 1] exp(sigma / (r - r_c))
    phi_3 = lambda epsilon (cos theta + 1/3)^2 g(r) g(r'),  g = exp(gamma sigma / (r - r_c))

Everything vanishes with all its derivatives at r_c. Reference: F. H. Stillinger and T. A. Weber,
Phys. Rev. B 31, 5262 (1985), DOI 10.1103/PhysRevB.31.5262, equations 2.3 to 2.7.

Lengths in Å, energies in eV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnp.structure import Structure
from nnp.teachers.sums import Bending, Floats, Pairs, PairTerm, TeacherResult, bending_sum, pair_sum


@dataclass(frozen=True)
class StillingerWeberParameters:
    """Constants of the potential; the paper's exponents p = 4, q = 0 stand in the formula.

    Args:
        epsilon: energy unit (eV). The paper's 50 kcal/mol are 2.1682; 2.1683 is what everybody,
            LAMMPS included, uses.
        sigma: length unit (Å).
        A, B: prefactors of the pair term (no unit).
        a: cutoff in units of sigma.
        lambda_: strength of the three-body term in units of epsilon.
        gamma: decay of the three-body term in units of sigma.
        cos_theta_0: cosine of the preferred angle.
    """

    epsilon: float = 2.1683
    sigma: float = 2.0951
    A: float = 7.049556277
    B: float = 0.6022245584
    a: float = 1.80
    lambda_: float = 21.0
    gamma: float = 1.20
    cos_theta_0: float = -1.0 / 3.0

    @property
    def cutoff(self) -> float:
        """Distance (Å) from which two atoms no longer feel each other."""
        return self.a * self.sigma

    @property
    def bending(self) -> Bending:
        """The three-body term as `nnp.teachers.sums` takes it."""
        strength, decay = self.lambda_ * self.epsilon, self.gamma * self.sigma
        return Bending(strength, decay, self.cutoff, self.cos_theta_0)


SILICON = StillingerWeberParameters()


def stillinger_weber(
    structure: Structure, parameters: StillingerWeberParameters = SILICON
) -> TeacherResult:
    """Evaluate the potential; every atom counts as silicon.

    Args:
        structure: the atoms; any cell, any periodicity.
        parameters: constants of the potential.

    Returns:
        Energies per atom, forces and virial.

    Raises:
        StructureError: two atoms are in the same place.

    Example:
        >>> positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0951 * 2 ** (1 / 6)]])
        >>> dimer = Structure(positions, [14, 14], np.zeros((3, 3)), False)
        >>> float(stillinger_weber(dimer).energies.sum().round(4))  # the well is epsilon deep
        -2.1683
    """
    pairs = Pairs.closer_than(parameters.cutoff, structure)
    pair_part = pair_sum(pairs, _pair_term(pairs.r_p, parameters))
    return pair_part + bending_sum(pairs, parameters.bending)


def _pair_term(r_p: Floats, parameters: StillingerWeberParameters) -> PairTerm:
    """phi_2 (eV) and dphi_2/dr (eV/Å) at each distance (Å)."""
    sigma, gap_p = parameters.sigma, r_p - parameters.cutoff
    decay_p = parameters.A * parameters.epsilon * np.exp(sigma / gap_p)
    repulsion_p = parameters.B * (sigma / r_p) ** 4
    slope_p = -4.0 * repulsion_p / r_p - (repulsion_p - 1.0) * sigma / gap_p**2
    return decay_p * (repulsion_p - 1.0), decay_p * slope_p
