"""Frames as arrays that a fit can go through thousands of times.

They hold symmetry functions, their derivatives, and the teacher's energies and forces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from nnp.elements import atomic_number
from nnp.neighbors import neighbor_list
from nnp.reference.descriptors import Descriptors, Pairs
from nnp.structure import as_structure
from nnp.symmetry_functions import SymmetryFunction


@dataclass(frozen=True)
class Features:
    """Many frames of one element, laid end to end.

    Attributes:
        G: (n, s) symmetry functions.
        dG_dr: (p, s, 3) derivative of the functions of pair p's first atom by its vector r_ij.
        i, j: (p,) atoms of each pair.
        frame: (n,) frame of each atom.
        sizes: (frames,) atoms per frame.
        energies: (frames,) eV.
        forces: (n, 3) eV/Å.
    """

    G: Tensor
    dG_dr: Tensor  # noqa: N815  the field's name
    i: Tensor
    j: Tensor
    frame: Tensor
    sizes: Tensor
    energies: Tensor
    forces: Tensor

    def transformed(self, origin: Tensor, matrix: Tensor) -> Features:
        """With (G - origin) @ matrix in place of G."""
        dG_dr = torch.einsum("psc,st->ptc", self.dG_dr, matrix).contiguous()
        return replace(self, G=(self.G - origin) @ matrix, dG_dr=dG_dr)


def compute_features(frames: Sequence[Atoms], functions: Sequence[SymmetryFunction]) -> Features:
    """Features of frames of silicon that carry a calculator."""
    descriptors = Descriptors(functions, ("Si",))
    parts = [_frame_features(frame, descriptors, functions) for frame in frames]
    sizes = torch.tensor([len(frame) for frame in frames])
    first = (torch.cumsum(sizes, 0) - sizes).tolist()
    G, dG_dr, i, j = zip(*parts, strict=True)
    return Features(
        G=torch.cat(G),
        dG_dr=torch.cat(dG_dr),
        i=torch.cat([index + offset for index, offset in zip(i, first, strict=True)]),
        j=torch.cat([index + offset for index, offset in zip(j, first, strict=True)]),
        frame=torch.repeat_interleave(torch.arange(len(frames)), sizes),
        sizes=sizes.to(torch.float64),
        energies=torch.tensor([frame.get_potential_energy() for frame in frames]).to(torch.float64),
        forces=torch.from_numpy(np.concatenate([frame.get_forces() for frame in frames])),
    )


def _frame_features(
    frame: Atoms, descriptors: Descriptors, functions: Sequence[SymmetryFunction]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """G, dG/dr_ij, i and j.

    A pair's vector belongs to its first atom alone, so one backward pass per function gives that
    function's derivative for all pairs.
    """
    neighbors = neighbor_list(as_structure(frame), max(f.radius for f in functions))
    i, j = torch.from_numpy(neighbors.i), torch.from_numpy(neighbors.j)
    vector_pc = torch.from_numpy(neighbors.vectors).requires_grad_()
    z = torch.full(i.shape, atomic_number("Si"), dtype=torch.float64)
    pairs = Pairs(i, torch.zeros_like(i), z, vector_pc, torch.linalg.norm(vector_pc, dim=1))
    G = descriptors(pairs, len(frame))
    columns = [
        torch.autograd.grad(G[:, s].sum(), vector_pc, retain_graph=True)[0]
        for s in range(len(functions))
    ]
    return G.detach(), torch.stack(columns, 1), i, j
