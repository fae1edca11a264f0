"""ASE's constraints in OpenMM: atoms without mass do not move, bonds keep their lengths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openmm
from numpy.typing import NDArray

from nnp.errors import StructureError
from nnp.units import NANOMETRE

# A length that differs by more is another image of the neighbour, which OpenMM would not find; Å.
_SAME_IMAGE = 0.5
# Singular value (Å) of the distances' gradients below which one distance is the others'.
_INDEPENDENT = 1e-3


@dataclass(frozen=True, eq=False)
class Constraints:
    """What may not change.

    Attributes:
        fixed: (k,) atoms that do not move.
        pairs: (m, 2) atoms whose distance is kept; none of them is fixed.
        lengths_nm: (m,) these distances.
    """

    fixed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    pairs: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    lengths_nm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __bool__(self) -> bool:
        return bool(len(self.fixed) or len(self.pairs))

    def apply(self, system: openmm.System) -> None:
        """Give a System these constraints, unless it has them already."""
        for atom in self.fixed:
            system.setParticleMass(int(atom), 0.0)
        there = {
            frozenset(system.getConstraintParameters(i)[:2])
            for i in range(system.getNumConstraints())
        }
        for (i, j), length in zip(self.pairs.tolist(), self.lengths_nm, strict=True):
            if frozenset((i, j)) not in there:
                system.addConstraint(i, j, float(length))

    def project(
        self,
        velocities: NDArray[np.float64],
        positions: NDArray[np.float64],
        inverse_masses: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """(n, 3) velocities without what would move fixed atoms or change a kept distance.

        Momentum along each kept distance is exchanged between its two atoms, all at once.

        Args:
            velocities: (n, 3), any unit.
            positions: (n, 3), any unit.
            inverse_masses: (n,), zero for fixed atoms.
        """
        found = np.where(inverse_masses[:, None] > 0, velocities, 0.0)
        if len(self.pairs) == 0:
            return found
        from scipy.sparse import csr_matrix
        from scipy.sparse.linalg import spsolve

        i, j = self.pairs.T
        apart = positions[i] - positions[j]
        rows = np.repeat(np.arange(len(self.pairs)), 3)
        axes = np.arange(3)
        columns = [(3 * atoms[:, None] + axes).ravel() for atoms in (i, j)]
        values = np.concatenate([apart.ravel(), -apart.ravel()])
        where = (np.concatenate([rows, rows]), np.concatenate(columns))
        gradient = csr_matrix((values, where), shape=(len(self.pairs), found.size))
        weighted = gradient.multiply(np.repeat(inverse_masses, 3)[None, :]).tocsr()
        multipliers = np.atleast_1d(
            spsolve((weighted @ gradient.T).tocsc(), gradient @ found.ravel())
        )
        return np.asarray(found - (weighted.T @ multipliers).reshape(found.shape))


def constraints_of(atoms: Any) -> Constraints:
    """The constraints of an ``ase.Atoms``: fixed atoms, and fixed distances.

    Raises:
        StructureError: one that OpenMM cannot keep, by its name.
    """
    found = list(getattr(atoms, "constraints", None) or ())
    fixed: set[int] = set()
    lengths: dict[tuple[int, int], float] = {}
    for constraint in found:
        name = type(constraint).__name__
        if name == "FixAtoms":
            fixed |= {int(index) for index in constraint.get_indices()}
        elif name in ("FixCartesian", "FixScaled"):
            fixed |= _wholly_fixed(constraint, name)
        elif name == "FixBondLengths":
            lengths |= _lengths(atoms, constraint)
        else:
            raise StructureError(
                f"the structure has the constraint {name}, which OpenMM cannot keep: FixAtoms and "
                "FixBondLengths it can; remove the others (atoms.set_constraint()), or run with ASE"
            )
    kept = {pair: length for pair, length in lengths.items() if not set(pair) <= fixed}
    for pair in kept:
        if fixed & set(pair):
            raise StructureError(
                f"the distance of atoms {pair[0]} and {pair[1]} is kept (FixBondLengths), and one "
                "of them does not move (FixAtoms): OpenMM cannot keep both; fix both atoms, or none"
            )
    if kept:
        _require_independent(np.array(list(kept), np.int64), np.asarray(atoms.positions))
    return Constraints(
        fixed=np.array(sorted(fixed), np.int64),
        pairs=np.array(list(kept), np.int64).reshape(-1, 2),
        lengths_nm=np.array(list(kept.values()), np.float64) / NANOMETRE,
    )


def _require_independent(pairs: NDArray[np.int64], positions: NDArray[np.float64]) -> None:
    """Refuse distances that others settle already: OpenMM's solver ends in infinities.

    Args:
        pairs: (m, 2) atoms whose distance is kept.
        positions: (n, 3).

    Raises:
        StructureError: names the group of atoms.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(positions)
    graph = csr_matrix((np.ones(len(pairs)), pairs.T), shape=(n, n))
    _, group_of = connected_components(graph, directed=False)
    atoms_in, kept_in = np.bincount(group_of), np.bincount(group_of[pairs[:, 0]])
    looped = np.flatnonzero(kept_in >= atoms_in[: len(kept_in)])  # a tree cannot be too much
    order = np.argsort(group_of[pairs[:, 0]], kind="stable")
    sorted_groups = group_of[pairs[order, 0]]
    for group in looped:
        begin, end = np.searchsorted(sorted_groups, [group, group + 1])
        own = pairs[order[begin:end]]
        members, places = np.unique(own, return_inverse=True)
        i, j = places.reshape(-1, 2).T
        gradient = np.zeros((len(own), len(members), 3))
        row = np.arange(len(own))
        apart = positions[own[:, 0]] - positions[own[:, 1]]
        gradient[row, i], gradient[row, j] = apart, -apart
        rank = int(np.linalg.matrix_rank(gradient.reshape(len(own), -1), tol=_INDEPENDENT))
        if rank < len(own):
            raise StructureError(
                f"{len(own)} distances among {len(members)} atoms are to be kept (FixBondLengths; "
                f"atoms {', '.join(map(str, members[:6]))}{', …' if len(members) > 6 else ''}), "
                f"and {len(own) - rank} of them follow from the others: OpenMM cannot keep them; "
                "leave those out"
            )


def _wholly_fixed(constraint: Any, name: str) -> set[int]:
    """Atoms of which all three components are fixed; ASE's mask is True where they are."""
    mask = np.broadcast_to(constraint.mask, (len(constraint.index), 3))
    partly = np.asarray(constraint.index)[mask.any(axis=1) & ~mask.all(axis=1)]
    if len(partly):
        raise StructureError(
            f"atom {partly[0]} may move along some axes only ({name}, move_mask, Selective "
            "dynamics): OpenMM fixes an atom wholly or not at all; change it, or run with ASE"
        )
    return {int(i) for i, m in zip(constraint.index, mask, strict=True) if m.all()}


def _lengths(atoms: Any, constraint: Any) -> dict[tuple[int, int], float]:
    found = {}
    given = constraint.bondlengths
    for number, (i, j) in enumerate(np.asarray(constraint.pairs).tolist()):
        now = float(atoms.get_distance(i, j, mic=True))
        length = now if given is None else float(given[number])
        direct = float(atoms.get_distance(i, j))
        if abs(direct - length) > _SAME_IMAGE:
            raise StructureError(
                f"the distance of atoms {i} and {j} is to be kept at {length:.3f} Å "
                f"(FixBondLengths), but they are {direct:.3f} Å apart: the molecule is broken by "
                "the cell's boundary, or far from that length; make it whole"
            )
        found[min(i, j), max(i, j)] = length
    return found
