"""The Stillinger-Weber potential of silicon: parameters, energy, forces, virial; vectorised numpy.

With pairs p = (i, j), r_p = |r_ij| and cutoff r_c = a sigma the energy is

    E    = 1/2 sum_p phi_2(r_p) + sum_i sum_{p<q at i} phi_3(p, q)
    phi_2 = A epsilon [B (sigma/r)^4 - 1] exp(sigma / (r - r_c))
    phi_3 = lambda epsilon (cos theta_pq + 1/3)^2 g(r_p) g(r_q)
    g     = exp(gamma sigma / (r - r_c))

Everything vanishes with all its derivatives at r_c. Reference: F. H. Stillinger and T. A. Weber,
Phys. Rev. B 31, 5262 (1985), DOI 10.1103/PhysRevB.31.5262, equations 2.3 to 2.7.

Lengths in Å, energies in eV; r_ij as in `nnp.neighbors`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nnp.neighbors import neighbor_list
from nnp.structure import Structure

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


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


SILICON = StillingerWeberParameters()


@dataclass(frozen=True)
class StillingerWeberResult:
    """What one evaluation gives.

    Args:
        energies: energy per atom (eV), shape (atoms,): half of each of its pairs, and the triples
            whose apex it is.
        forces: -dE/dr (eV/Å), shape (atoms, 3).
        virial: dE/d(strain) (eV), shape (3, 3); divide by the volume for the stress.
    """

    energies: Floats
    forces: Floats
    virial: Floats


def stillinger_weber(
    structure: Structure, parameters: StillingerWeberParameters = SILICON
) -> StillingerWeberResult:
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
    pairs = neighbor_list(structure, parameters.cutoff)
    i_p, j_p, r_pc, atoms = pairs.i, pairs.j, pairs.vectors, len(structure)
    r_p = np.linalg.norm(r_pc, axis=1)
    phi_p, dphi_p = _pair_term(r_p, parameters)
    first_t, second_t = _pairs_of_pairs(i_p, atoms)
    unit_pc = r_pc / r_p[:, None]
    phi_t, dphi_pc = _three_body_term(unit_pc, r_p, (first_t, second_t), parameters)
    energies = np.bincount(i_p, 0.5 * phi_p, atoms).astype(np.float64)  # for type checkers
    energies += np.bincount(i_p[first_t], phi_t, atoms)
    gradient_pc = 0.5 * dphi_p[:, None] * unit_pc + dphi_pc
    forces = _scatter(i_p, gradient_pc, atoms) - _scatter(j_p, gradient_pc, atoms)
    return StillingerWeberResult(energies, forces, r_pc.T @ gradient_pc)


def _pairs_of_pairs(i_p: Integers, atoms: int) -> tuple[Integers, Integers]:
    """All triples: p < q that share their first atom, as two index arrays into the sorted pairs."""
    counts_n = np.bincount(i_p, minlength=atoms)
    ends_n = np.cumsum(counts_n)
    later_p = ends_n[i_p] - np.arange(len(i_p)) - 1
    first_t = np.repeat(np.arange(len(i_p)), later_p)
    starts_p = np.cumsum(later_p) - later_p
    second_t = first_t + 1 + np.arange(len(first_t)) - starts_p[first_t]
    return first_t, second_t


def _pair_term(r_p: Floats, parameters: StillingerWeberParameters) -> tuple[Floats, Floats]:
    """phi_2 (eV) and dphi_2/dr (eV/Å) at each distance (Å)."""
    sigma, gap_p = parameters.sigma, r_p - parameters.cutoff
    decay_p = parameters.A * parameters.epsilon * np.exp(sigma / gap_p)
    repulsion_p = parameters.B * (sigma / r_p) ** 4
    slope_p = -4.0 * repulsion_p / r_p - (repulsion_p - 1.0) * sigma / gap_p**2
    return decay_p * (repulsion_p - 1.0), decay_p * slope_p


def _three_body_term(
    unit_pc: Floats,
    r_p: Floats,
    triples: tuple[Integers, Integers],
    parameters: StillingerWeberParameters,
) -> tuple[Floats, Floats]:
    """phi_3 (eV), shape (triples,), and its gradient by each r_ij (eV/Å), shape (pairs, 3)."""
    p, q = triples
    gap_p = r_p - parameters.cutoff
    g_p = np.exp(parameters.gamma * parameters.sigma / gap_p)
    dlog_g_p = -parameters.gamma * parameters.sigma / gap_p**2
    cos_theta_t = np.einsum("tc,tc->t", unit_pc[p], unit_pc[q])
    bend_t = cos_theta_t - parameters.cos_theta_0
    strength_t = parameters.lambda_ * parameters.epsilon * g_p[p] * g_p[q]
    phi_t = strength_t * bend_t**2
    dphi_dcos_t = 2.0 * strength_t * bend_t
    gradient_pc = np.zeros_like(unit_pc)
    for this, other in ((p, q), (q, p)):
        along_t = phi_t * dlog_g_p[this] - dphi_dcos_t * cos_theta_t / r_p[this]
        across_t = dphi_dcos_t / r_p[this]
        gradient_tc = along_t[:, None] * unit_pc[this] + across_t[:, None] * unit_pc[other]
        gradient_pc += _scatter(this, gradient_tc, len(r_p))
    return phi_t, gradient_pc


def _scatter(index: Integers, values_c: Floats, size: int) -> Floats:
    """Sum the rows of `values_c` that share an index; shape (size, 3)."""
    return np.stack([np.bincount(index, values_c[:, c], size) for c in range(3)], axis=1)
