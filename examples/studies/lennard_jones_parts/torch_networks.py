"""Plain torch networks, for what a potential cannot be: other inputs, more outputs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from nnp.structure import Structure
from nnp.teachers.lennard_jones import lennard_jones

ARGON = 18
BOX = np.eye(3)


def layers(*sizes: int, seed: int = 0) -> nn.Sequential:
    """Linear layers with tanh between them, float64."""
    torch.manual_seed(seed)
    made: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        made += [nn.Linear(n_in, n_out, dtype=torch.float64), nn.Tanh()]
    return nn.Sequential(*made[:-1])


def fit(network: nn.Module, loss: Callable[[], Tensor], iterations: int) -> float:
    """L-BFGS on all data; the last loss."""
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=iterations, history_size=50, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    return loss().item()


def central(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Energy (eV) of an atom with its neighbours, and the force on it (eV/Å).

    Args:
        vectors: (n, k, 3) from the atom to its neighbours.

    Returns:
        (n,) Σ_k φ(r_k) and (n, 3).
    """
    energies, forces = [], []
    for around in vectors.numpy():
        positions = [(0.0, 0.0, 0.0), *around]
        found = lennard_jones(Structure(positions, [ARGON] * len(positions), BOX, False))
        energies.append(2 * found.energies[0])  # half of each pair is the other atom's
        forces.append(found.forces[0])
    return torch.tensor(np.array(energies)), torch.tensor(np.array(forces))
