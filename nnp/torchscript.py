"""The reference model as one scriptable module of plain torch operators: atoms in, forces out.

Å and eV. Needs nothing but torch to load and run; slow beside the engines. Atoms are binned, so
time and memory grow with their number; forces are computed a block of atoms at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from nnp.neighbors import OVERLAP_DISTANCE
from nnp.potential import Potential
from nnp.reference.model import AtomicEnergies

# Share of the candidates from the 27 bins around an atom that lie within the cutoff: a sphere of
# radius 1 in a cube of edge 3.
_SPHERE_IN_CUBE = 0.155
# Triples times functions of one block: see nnp.engines.reference.
_BLOCK_ELEMENTS = 2e6


class Images(NamedTuple):
    """The atoms, moved into the cell, and all images within the cutoff of it.

    Attributes:
        inside: (n, 3) the atoms, Å.
        positions: (g, 3) the images, the atoms themselves among them, Å.
        atom: (g,) whose image.
        home: (g,) whether it is the atom itself.
    """

    inside: Tensor
    positions: Tensor
    atom: Tensor
    home: Tensor


class Bins(NamedTuple):
    """Images sorted into cubes with edges of the cutoff; three cubes along z follow one another.

    Attributes:
        order: (g,) images, sorted by cube.
        first: (n, 9) per atom and column of three cubes around it: first of its candidates.
        length: (n, 9) how many there are.
    """

    order: Tensor
    first: Tensor
    length: Tensor


def images(positions: Tensor, cell: Tensor, periodic: bool, cutoff: float) -> Images:
    """All images an atom of the cell can see.

    Args:
        positions: (n, 3), anywhere, Å.
        cell: (3, 3), rows are cell vectors, Å; not looked at unless periodic.
        periodic: whether all three axes repeat.
        cutoff: Å.
    """
    atom = torch.arange(positions.size(0), device=positions.device)
    if not periodic:
        return Images(positions, positions, atom, torch.ones_like(atom, dtype=torch.bool))
    inverse = torch.linalg.inv(cell)
    fractional = positions @ inverse
    whole = torch.floor(fractional)
    fractional = fractional - whole
    # Heights of the cell are 1 / |columns of its inverse|. A hair more, for rounding.
    reach = cutoff * torch.linalg.norm(inverse, dim=0) * (1 + 1e-9)
    steps = torch.ceil(reach).to(torch.int64)
    axes = [torch.arange(-int(s), int(s) + 1, device=cell.device) for s in steps]
    shifts = torch.cartesian_prod(axes[0], axes[1], axes[2]).to(cell.dtype)
    shifted = fractional.unsqueeze(0) + shifts.unsqueeze(1)
    near = ((shifted >= -reach) & (shifted < 1 + reach)).all(2)
    shift, atom = torch.nonzero(near).unbind(1)
    inside = positions - whole @ cell
    home = (shifts[shift] == 0).all(1)
    return Images(inside, inside[atom] + shifts[shift] @ cell, atom, home)


def bins(around: Images, cutoff: float) -> Bins:
    """Sort images into cubes and find the 3×3 columns of cubes around each atom."""
    low = around.positions.min(0)[0]
    cube_gc = torch.floor((around.positions - low) / cutoff).to(torch.int64) + 1
    cube_nc = torch.floor((around.inside - low) / cutoff).to(torch.int64) + 1
    ny, nz = int(cube_gc[:, 1].max()) + 2, int(cube_gc[:, 2].max()) + 2
    number_g, order = torch.sort((cube_gc[:, 0] * ny + cube_gc[:, 1]) * nz + cube_gc[:, 2])
    step = torch.arange(-1, 2, device=low.device)
    column = (step.unsqueeze(1) * ny + step.unsqueeze(0)).flatten() * nz
    middle = (cube_nc[:, 0] * ny + cube_nc[:, 1]) * nz + cube_nc[:, 2]
    middle = middle.unsqueeze(1) + column
    first = torch.searchsorted(number_g, middle - 1)
    last = torch.searchsorted(number_g, middle + 1, right=True)
    return Bins(order, first, last - first)


def pairs(
    around: Images,
    sorted_: Bins,
    begin: int,
    end: int,
    cutoff: float,
    overlap: float = OVERLAP_DISTANCE,
) -> tuple[Tensor, Tensor, Tensor]:
    """All pairs of the centres ``begin`` to ``end`` (exclusive).

    Returns:
        (p,) centre, ascending, (p,) neighbour, and (p, 3) vectors r_j − r_i, Å.
    """
    count = sorted_.length[begin:end].flatten()
    column = torch.repeat_interleave(torch.arange(count.numel(), device=count.device), count)
    rank = torch.arange(column.numel(), device=count.device)
    rank = rank - (torch.cumsum(count, 0) - count)[column]
    image = sorted_.order[sorted_.first[begin:end].flatten()[column] + rank]
    i = begin + torch.div(column, 9, rounding_mode="floor")
    vectors = around.positions[image] - around.inside[i]
    itself = around.home[image] & (around.atom[image] == i)
    distance = torch.linalg.norm(vectors, dim=1)
    near = torch.nonzero((distance < cutoff) & ~itself).squeeze(1)
    if bool((distance[near] < overlap).any()):
        raise ValueError("two atoms are in the same place: remove one of them")
    return i[near], around.atom[image[near]], vectors[near]


def block_ends(
    sorted_: Bins, widest: int, sphere: float = _SPHERE_IN_CUBE, elements: float = _BLOCK_ELEMENTS
) -> list[int]:
    """Where blocks of atoms with about ``elements`` triples × functions end."""
    neighbors = sorted_.length.sum(1) * sphere + 1
    work = torch.cumsum(neighbors * neighbors * (0.5 * widest), 0)
    block = torch.floor(work / elements).to(torch.int64)
    last = torch.nonzero(block[1:] != block[:-1]).squeeze(1) + 1
    ends: list[int] = [int(end) for end in last]
    ends.append(work.size(0))
    return ends


class PortableModel(nn.Module):
    """Energy and forces of one set of species.

    Args:
        potential: what to evaluate.
        elements: (n,) index into the potential's elements of each atom.
    """

    if TYPE_CHECKING:  # TorchScript cannot read the annotation
        elements: Tensor

    def __init__(self, potential: Potential, elements: Tensor) -> None:
        super().__init__()
        self.model = AtomicEnergies(potential)
        self.cutoff: float = max(potential.cutoff, 1e-3)  # bins need an edge
        self.widest: int = max([len(m.functions) for m in potential.models])
        self.register_buffer("elements", elements)

    def forward(self, positions: Tensor, cell: Tensor, periodic: bool) -> tuple[Tensor, Tensor]:
        """Energy, eV, and (n, 3) forces, eV/Å, from (n, 3) positions and (3, 3) cell, Å."""
        if positions.size(0) != self.elements.size(0):
            raise ValueError("the number of positions is not the number of atoms exported")
        if not bool(torch.isfinite(positions).all()):
            raise ValueError("a position is not finite")
        # no_grad, and not detach(): torch.jit.freeze, which TorchForce calls, takes detach() away.
        with torch.no_grad():
            around = images(positions, cell, periodic, self.cutoff)
            sorted_ = bins(around, self.cutoff)
            energy = torch.zeros([], dtype=positions.dtype, device=positions.device)
            forces = torch.zeros_like(positions)
        begin = 0
        for end in block_ends(sorted_, self.widest):
            with torch.no_grad():
                i, j, vectors = pairs(around, sorted_, begin, end, self.cutoff)
            part, gradient = self.block(begin, end, i, j, vectors)
            with torch.no_grad():
                energy = energy + part
                forces = forces.index_add(0, i, gradient).index_add(0, j, -gradient)
            begin = end
        return energy, forces

    def block(
        self, begin: int, end: int, i: Tensor, j: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Energy of some centres and its derivative by the vectors to their neighbours."""
        vectors = vectors.requires_grad_(True)
        centers = self.elements[begin:end]
        energies, _ = self.model(centers, i - begin, self.elements[j], vectors)
        energy = energies.sum()
        gradient = torch.zeros_like(vectors)
        if energy.requires_grad:
            found = torch.autograd.grad([energy], [vectors], allow_unused=True)[0]
            if found is not None:
                gradient = found
        return energy, gradient
