"""What the reference engine works on: blocks of atoms, and its products with the Jacobian dG/dr."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd import forward_ad

from nnp.errors import UnavailableError
from nnp.neighbors import NeighborList, neighbor_list
from nnp.potential import Potential
from nnp.reference.model import AtomicEnergies
from nnp.structure import Structure

# Triples times functions of one block of atoms. Autograd keeps about thirty arrays of this many
# float64: 0.5 GB.
_BLOCK_ELEMENTS = 2_000_000


@dataclass(frozen=True)
class Block:
    """Centres ``first`` to ``last`` and their pairs ``begin`` to ``end`` (exclusive)."""

    first: int
    last: int
    begin: int
    end: int

    @property
    def span(self) -> slice:
        """Of the pairs."""
        return slice(self.begin, self.end)


class Work:
    """A structure's elements, pairs and blocks.

    Attributes:
        elements: (n,) index into the potential's models.
        pairs: the neighbour list.
        blocks: no block has more than ``_BLOCK_ELEMENTS`` triples × functions.
        starts: (n + 1,) where each atom's functions begin, one atom after the other.
    """

    def __init__(self, potential: Potential, structure: Structure) -> None:
        self.elements = potential.element_indices(structure)
        self.pairs = neighbor_list(structure, potential.cutoff)
        self._widths = np.array([len(model.functions) for model in potential.models])
        self.blocks = list(_blocks(self.pairs, len(structure), int(self._widths.max())))
        self.starts = np.concatenate([[0], np.cumsum(self._widths[self.elements])])

    def __call__(
        self, model: AtomicEnergies, block: Block, vector_pc: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Energies (n,) and raw functions (n_e, s_e) per element of a block."""
        found: tuple[torch.Tensor, list[torch.Tensor]] = model(
            torch.from_numpy(self.elements[block.first : block.last]),
            torch.from_numpy(self.pairs.i[block.span] - block.first),
            torch.from_numpy(self.elements[self.pairs.j[block.span]]),
            vector_pc,
        )
        return found

    def vectors(self, block: Block) -> torch.Tensor:
        """(p, 3) of a block's pairs."""
        return torch.from_numpy(self.pairs.vectors[block.span])

    def rows(self, block: Block) -> list[NDArray[np.int64]]:
        """Per element (n_e, s_e) places of a block's functions among those of all atoms."""
        own = self.elements[block.first : block.last]
        starts = self.starts[block.first : block.last]
        return [starts[own == e, None] + np.arange(s) for e, s in enumerate(self._widths)]

    def scatter(self, gradient_pc: NDArray[np.float64]) -> NDArray[np.float64]:
        """F = −dE/dr from dE/dr_ij, r_ij = r_j − r_i + …"""
        forces = np.zeros((len(self.elements), 3))
        np.add.at(forces, self.pairs.i, gradient_pc)
        np.subtract.at(forces, self.pairs.j, gradient_pc)
        return forces


def pair_gradient(
    model: AtomicEnergies, work: Work, dl_dg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(p, 3) dL/dr_ij from dL/dG of all atoms, one after the other.

    Raises:
        UnavailableError: torch has switched autograd off.
    """
    gradient_pc = np.zeros((len(work.pairs.i), 3))
    for block in work.blocks:
        vector_pc = work.vectors(block).requires_grad_()
        with torch.set_grad_enabled(True):
            functions = work(model, block, vector_pc)[1]
            total = 0 * vector_pc.sum()  # depends on the vectors even where no function does
            for f, rows in zip(functions, work.rows(block), strict=True):
                total = total + (f * torch.from_numpy(dl_dg[rows])).sum()
        require_autograd(total.requires_grad)
        (grad,) = torch.autograd.grad(total, vector_pc)
        gradient_pc[block.span] = grad.numpy()
    return gradient_pc


def change(
    model: AtomicEnergies, work: Work, change_pc: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Change dG of all atoms, one after the other, along a change of the pairs' vectors (p, 3).

    Raises:
        UnavailableError: torch has switched autograd off.
    """
    found = np.zeros(work.starts[-1])
    for block in work.blocks:
        tangent = torch.from_numpy(change_pc[block.span])
        with torch.no_grad(), forward_ad.dual_level():
            vector_pc = forward_ad.make_dual(work.vectors(block), tangent)  # type: ignore[no-untyped-call]
            require_autograd(_tangent(2 * vector_pc) is not None)
            for f, rows in zip(work(model, block, vector_pc)[1], work.rows(block), strict=True):
                own = _tangent(f)
                if own is not None:
                    found[rows] = own.numpy()
    return found


def _tangent(dual: torch.Tensor) -> torch.Tensor | None:
    found: torch.Tensor | None = forward_ad.unpack_dual(dual).tangent  # type: ignore[no-untyped-call]
    return found


def require_autograd(there: bool) -> None:
    """Refuse to take no derivative for one that is 0.

    Raises:
        UnavailableError: there is none.
    """
    if not there:
        raise UnavailableError(
            "engine='reference' cannot differentiate here: torch has switched autograd off (inside "
            "a torch operator or inference_mode); call it from outside"
        )


def _blocks(pairs: NeighborList, n: int, widest: int) -> Iterator[Block]:
    """Split atoms so that no block has more than ``_BLOCK_ELEMENTS`` triples × functions."""
    counts = np.bincount(pairs.i, minlength=n)
    ends = np.cumsum(counts)
    work = np.cumsum((counts * (counts - 1) // 2 + counts) * widest)
    first = 0
    while first < n:
        done = work[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(work, done + _BLOCK_ELEMENTS, side="right")))
        yield Block(first, last, int(ends[first] - counts[first]), int(ends[last - 1]))
        first = last
