"""Radial distribution functions of trajectories.

g(r) = V / N² · ⟨number of ordered pairs in [r, r + Δr)⟩ / (volume of the shell);
1 for an ideal gas.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError, StructureError
from nnp.metrics import block_average
from nnp.neighbors import neighbor_list
from nnp.structure import Structure, as_structure


@dataclass(frozen=True, eq=False)
class RadialDistribution:
    """g(r) averaged over frames.

    Attributes:
        r: (b,) centres of the bins, Å.
        g: (b,) mean over the frames.
        error: (b,) standard error of ``g``, see `nnp.metrics.block_average`.
        frames: how many were averaged.
    """

    r: NDArray[np.float64]
    g: NDArray[np.float64]
    error: NDArray[np.float64]
    frames: int


def radial_distribution(
    frames: Iterable[Any], r_max: float = 8.0, bins: int = 200, blocks: int = 5
) -> RadialDistribution:
    """g(r) of all atoms.

    Args:
        frames: ``ase.Atoms`` or `Structure`, periodic along all axes; r_max may exceed the cell.
        r_max: largest distance, Å.
        bins: how many.
        blocks: into how many the frames are cut to estimate the error.

    Raises:
        OptionError: r_max or bins is not positive.
        StructureError: there are no frames, or one is not periodic.
    """
    if not r_max > 0 or bins < 1:
        raise OptionError(f"r_max={r_max} and bins={bins} must be positive")
    edges = np.linspace(0.0, r_max, bins + 1)
    single = np.array([_frame(as_structure(frame), edges) for frame in frames])
    if len(single) == 0:
        raise StructureError("there are no frames to take the radial distribution of")
    mean, error = block_average(single, blocks)
    return RadialDistribution((edges[1:] + edges[:-1]) / 2, mean, error, len(single))


def _frame(structure: Structure, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    distances = np.linalg.norm(neighbor_list(structure, float(edges[-1])).vectors, axis=1)
    counts, _ = np.histogram(distances, edges)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    density = len(structure) / structure.volume
    return np.asarray(counts / (shells * density * len(structure)))
