"""Sums over pairs and triples that analytic potentials consist of; vectorised numpy.

With pairs p = (i, j), r_p = |r_ij|, over full lists (every pair from either end):

    E    = 1/2 sum_p phi(r_p) + sum_i sum_{p<q at i} psi(p, q)
    psi  = strength b(cos theta_pq) g(r_p) g(r_q)
    b    = (cos theta - cos theta_0)^2 / (1 + softening (cos theta - cos theta_0)^2)
    g    = exp(decay / (r - r_c))

psi vanishes with all its derivatives at r_c. It is the three-body term of F. H. Stillinger and
T. A. Weber, Phys. Rev. B 31, 5262 (1985), DOI 10.1103/PhysRevB.31.5262, equations 2.5 and 2.6, with
the softening of P. Vashishta et al., J. Appl. Phys. 101, 103515 (2007), DOI 10.1063/1.2724570.

Lengths in Å, energies in eV; r_ij as in `nnp.neighbors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nnp.elements import atomic_number
from nnp.errors import StructureError
from nnp.neighbors import neighbor_list
from nnp.structure import Structure

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
PairTerm = tuple[Floats, Floats]  # phi (eV) and dphi/dr (eV/Å) of each pair
PairFormula = Callable[[Floats], PairTerm]  # of distances (Å)


@dataclass(frozen=True, eq=False)
class TeacherResult:
    """What one evaluation of an analytic potential gives; results of its parts add up.

    Attributes:
        energies: energy per atom (eV), shape (atoms,): half of each of its pairs, and the triples
            whose apex it is.
        forces: -dE/dr (eV/Å), shape (atoms, 3).
        virial: dE/d(strain) (eV), shape (3, 3); divide by the volume for the stress.
    """

    energies: Floats
    forces: Floats
    virial: Floats

    def __add__(self, other: TeacherResult) -> TeacherResult:
        return TeacherResult(
            self.energies + other.energies, self.forces + other.forces, self.virial + other.virial
        )


@dataclass(frozen=True, eq=False)
class Pairs:
    """Neighbours, sorted by i.

    Attributes:
        i, j: (p,) centre and neighbour.
        r_p: (p,) distances, Å.
        unit_pc: (p, 3) r_ij / r_p.
        numbers: (atoms,) atomic numbers of all atoms.
    """

    i: Integers
    j: Integers
    r_p: Floats
    unit_pc: Floats
    numbers: Integers

    @property
    def atoms(self) -> int:
        """How many atoms there are, with or without neighbours."""
        return len(self.numbers)

    @classmethod
    def closer_than(cls, cutoff: float, structure: Structure) -> Pairs:
        """All pairs below a cutoff (Å).

        Raises:
            StructureError: two atoms are in the same place.
        """
        found = neighbor_list(structure, cutoff)
        r_p = np.linalg.norm(found.vectors, axis=1)
        unit_pc = found.vectors / r_p[:, None]
        pairs = cls(found.i, found.j, r_p, unit_pc, structure.atomic_numbers)
        return pairs.where(r_p < cutoff)  # r_p may be rounded up to it, where g has no value

    def where(self, mask_p: npt.NDArray[np.bool_]) -> Pairs:
        """Those for which the mask holds."""
        if mask_p.all():
            return self
        return Pairs(
            self.i[mask_p], self.j[mask_p], self.r_p[mask_p], self.unit_pc[mask_p], self.numbers
        )

    def between(self, centre: str, neighbor: str) -> Pairs:
        """Those from atoms of one element to atoms of another, or of the same."""
        from_p = self.numbers[self.i] == atomic_number(centre)
        return self.where(from_p & (self.numbers[self.j] == atomic_number(neighbor)))


@dataclass(frozen=True)
class Bending:
    """Constants of the three-body term.

    Args:
        strength: eV.
        decay: Å.
        cutoff: r_c, Å.
        cos_theta_0: cosine of the preferred angle.
        softening: of the growth away from it (no unit).
    """

    strength: float
    decay: float
    cutoff: float
    cos_theta_0: float
    softening: float = 0.0


def truncated(formula: PairFormula, r_p: Floats, cutoff: float, tilted: bool) -> PairTerm:
    """phi(r) - phi(r_c), and with ``tilted`` less (r - r_c) dphi/dr(r_c): no force at r_c either.

    Args:
        formula: the pair term.
        r_p: distances below the cutoff, Å.
        cutoff: r_c, Å.
        tilted: whether the force ends smoothly too.

    Returns:
        phi (eV) and dphi/dr (eV/Å) at each distance.
    """
    phi_p, dphi_p = formula(r_p)
    (phi_end,), (dphi_end,) = formula(np.array([cutoff]))
    slope = dphi_end if tilted else 0.0
    return phi_p - phi_end - slope * (r_p - cutoff), dphi_p - slope


def check_elements(structure: Structure, known: Iterable[str], name: str) -> None:
    """Refuse atoms that a potential has no constants for.

    Raises:
        StructureError: names the elements.
    """
    others = sorted(set(structure.symbols) - set(known))
    if others:
        raise StructureError(
            f"atoms hold {', '.join(others)}: this {name} potential knows only "
            f"{', '.join(sorted(known))}; remove the other atoms or use another teacher"
        )


def pair_sum(pairs: Pairs, term: PairTerm) -> TeacherResult:
    """Half the sum of a pair term over all pairs given: each gives half of it to its centre.

    Args:
        pairs: those that the term is for; for two elements, from both sides.
        term: phi (eV) and dphi/dr (eV/Å) of each.
    """
    phi_p, dphi_p = term
    energies = np.bincount(pairs.i, 0.5 * phi_p, pairs.atoms).astype(np.float64)
    return _result(pairs, energies, 0.5 * dphi_p[:, None] * pairs.unit_pc)


def bending_sum(pairs: Pairs, bending: Bending) -> TeacherResult:
    """The sum of the three-body term over all pairs of pairs that share their centre.

    Args:
        pairs: those that take part; longer ones than the cutoff are left out.
        bending: constants.
    """
    pairs = pairs.where(pairs.r_p < bending.cutoff)
    first_t, second_t = _pairs_of_pairs(pairs)
    psi_t, gradient_pc = _bending_term(pairs, (first_t, second_t), bending)
    energies = np.bincount(pairs.i[first_t], psi_t, pairs.atoms).astype(np.float64)
    return _result(pairs, energies, gradient_pc)


def _pairs_of_pairs(pairs: Pairs) -> tuple[Integers, Integers]:
    """All triples: p < q that share their first atom, as two index arrays into the pairs."""
    n_pairs = len(pairs.i)
    ends_n = np.cumsum(np.bincount(pairs.i, minlength=pairs.atoms))
    later_p = ends_n[pairs.i] - np.arange(n_pairs) - 1
    first_t = np.repeat(np.arange(n_pairs), later_p)
    starts_p = np.cumsum(later_p) - later_p
    second_t = first_t + 1 + np.arange(len(first_t)) - starts_p[first_t]
    return first_t, second_t


def _bending_term(
    pairs: Pairs, triples: tuple[Integers, Integers], bending: Bending
) -> tuple[Floats, Floats]:
    """Energy psi (eV), shape (triples,), and its gradient by each r_ij (eV/Å), shape (pairs, 3)."""
    p, q = triples
    r_p, unit_pc = pairs.r_p, pairs.unit_pc
    gap_p = r_p - bending.cutoff
    g_p = np.exp(bending.decay / gap_p)
    dlog_g_p = -bending.decay / gap_p**2
    cos_theta_t = np.einsum("tc,tc->t", unit_pc[p], unit_pc[q])
    bend_t = cos_theta_t - bending.cos_theta_0
    soft_t = 1.0 + bending.softening * bend_t**2
    strength_t = bending.strength * g_p[p] * g_p[q]
    psi_t = strength_t * bend_t**2 / soft_t
    dpsi_dcos_t = 2.0 * strength_t * bend_t / soft_t**2
    gradient_pc = np.zeros_like(unit_pc)
    for this, other in ((p, q), (q, p)):
        along_t = psi_t * dlog_g_p[this] - dpsi_dcos_t * cos_theta_t / r_p[this]
        across_t = dpsi_dcos_t / r_p[this]
        gradient_tc = along_t[:, None] * unit_pc[this] + across_t[:, None] * unit_pc[other]
        gradient_pc += _scatter(this, gradient_tc, len(r_p))
    return psi_t, gradient_pc


def _result(pairs: Pairs, energies: Floats, gradient_pc: Floats) -> TeacherResult:
    """From energies and their gradient by each r_ij (eV/Å), shape (pairs, 3)."""
    forces = _scatter(pairs.i, gradient_pc, pairs.atoms) - _scatter(
        pairs.j, gradient_pc, pairs.atoms
    )
    r_pc = pairs.r_p[:, None] * pairs.unit_pc
    return TeacherResult(energies, forces, r_pc.T @ gradient_pc)


def _scatter(index: Integers, values_c: Floats, size: int) -> Floats:
    """Sum the rows of `values_c` that share an index; shape (size, 3)."""
    return np.stack([np.bincount(index, values_c[:, c], size) for c in range(3)], axis=1)
