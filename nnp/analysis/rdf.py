"""Radial distribution functions, of all atoms and of pairs of elements; numbers of neighbours.

g_ab(r) = V / (N_a N_b) · ⟨ordered pairs a→b in [r, r + Δr)⟩ / (volume of the shell); 1 for an ideal
gas. n_ab(r), the neighbours b of an atom a within r, counts the same pairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.blocks import BLOCKS
from nnp.elements import chemical_symbol
from nnp.errors import OptionError, StructureError
from nnp.metrics import block_average
from nnp.neighbors import pair_distances
from nnp.structure import Structure, as_structure

Floats = NDArray[np.float64]

TOTAL = "total"
# Å; bins of a histogram are noisy, peaks are wider than this.
_SMOOTHING = 0.08
# A peak, and the dip after it, are at least so much of the highest value.
_PROMINENCE = 0.05


@dataclass(frozen=True, eq=False)
class RadialDistribution:
    """g(r) averaged over frames.

    Attributes:
        r: (b,) centres of the bins, Å.
        g: (b,) mean over the frames.
        error: (b,) standard error of ``g``, see `nnp.metrics.block_average`.
        frames: how many were averaged.
    """

    r: Floats
    g: Floats
    error: Floats
    frames: int


@dataclass(frozen=True, eq=False)
class PairDistribution:
    """g(r) of two elements.

    Attributes:
        name: ``total``, or ``Si-O``.
        r: (b,) centres of the bins, Å.
        g: (blocks, b), the mean of each block of time.
        neighbors: (blocks, b): atoms of the second element around one of the first, within the
            upper edge of the bin.
        density: number density of the second element, Å⁻³.
        count: number of its atoms.
        same: whether both elements are one.
    """

    name: str
    r: Floats
    g: Floats
    neighbors: Floats
    density: float
    count: int
    same: bool

    @property
    def mean(self) -> Floats:
        """(b,)."""
        return np.asarray(self.g.mean(axis=0))

    @property
    def error(self) -> Floats:
        """(b,) standard error; NaN for one block."""
        return sem(self.g)

    def first_minimum(self) -> float | None:
        """Å; None where no peak with a dip after it is there."""
        from scipy.ndimage import gaussian_filter1d
        from scipy.signal import find_peaks

        width = self.r[1] - self.r[0]
        smooth = gaussian_filter1d(self.mean, _SMOOTHING / width)
        least = _PROMINENCE * smooth.max(initial=0.0)
        if least <= 0:
            return None
        peaks, _ = find_peaks(np.append(smooth, 0.0), prominence=least)
        dips, _ = find_peaks(-smooth, prominence=least)
        after = dips[dips > peaks[0]] if len(peaks) else dips[:0]
        return float(self.r[after[0]]) if len(after) else None

    def coordination(self, r: float) -> tuple[float, float]:
        """Neighbours within r (Å), and the standard error."""
        edges = self.r + (self.r[1] - self.r[0]) / 2
        found = np.array([np.interp(r, edges, block) for block in self.neighbors])
        return float(found.mean()), float(sem(found[:, None])[0])

    def highest(self) -> tuple[float, float]:
        """Place (Å) and height of the first peak, by a parabola through three bins."""
        g, top = self.mean, int(self.mean.argmax())
        if not 0 < top < len(g) - 1:
            return float(self.r[top]), float(g[top])
        left, middle, right = g[top - 1 : top + 2]
        shift = 0.5 * (left - right) / (left - 2 * middle + right)
        return float(self.r[top] + shift * (self.r[1] - self.r[0])), float(
            middle - 0.25 * (left - right) * shift
        )


def sem(blocks: Floats) -> Floats:
    """Standard error of the mean over the first axis; NaN for one block."""
    if len(blocks) < 2:
        return np.full(blocks.shape[1:], np.nan)
    return np.asarray(blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)))


class PairCounts:
    """Counts pairs of a trajectory's frames.

    Args:
        numbers: (n,) atomic numbers.
        frames: how many will come, to cut them into blocks.
        r_max: largest distance, Å; it may exceed the cell.
        bins: how many.
        blocks: of time.

    Raises:
        OptionError: r_max or bins is not positive.
    """

    def __init__(
        self,
        numbers: NDArray[np.int64],
        frames: int,
        r_max: float = 10.0,
        bins: int = 500,
        blocks: int = BLOCKS,
    ) -> None:
        if not r_max > 0 or bins < 1:
            raise OptionError(f"r_max={r_max} and bins={bins} must be positive")
        self._edges = np.linspace(0.0, r_max, bins + 1)
        self._elements, kinds = np.unique(numbers, return_inverse=True)
        self._counts = np.bincount(kinds)
        self._kinds = kinds.astype(np.int64)
        self._blocks = max(1, min(blocks, frames))
        self._expected = max(frames, 1)
        self._pairs = list(combinations_with_replacement(range(len(self._elements)), 2))
        table = np.zeros((len(self._elements),) * 2, np.int64)
        for index, (a, b) in enumerate(self._pairs):
            table[a, b] = table[b, a] = index
        self._table = table
        shape = (self._blocks, len(self._pairs), bins)
        self._sums, self._weighted = np.zeros(shape), np.zeros(shape)
        self._frames = np.zeros(self._blocks)
        self._volume = 0.0
        self._seen = 0

    def add(self, structure: Structure) -> None:
        """Take in a frame.

        Raises:
            StructureError: not periodic along all axes.
        """
        volume, bins = structure.volume, len(self._edges) - 1
        i, j, distances = pair_distances(structure, float(self._edges[-1]))
        place = np.minimum((distances * (bins / self._edges[-1])).astype(np.int64), bins - 1)
        kind = self._table[self._kinds[i], self._kinds[j]]
        counts = np.bincount(kind * bins + place, minlength=len(self._pairs) * bins)
        counts = counts.reshape(len(self._pairs), bins)
        block = min(self._seen * self._blocks // self._expected, self._blocks - 1)
        self._sums[block] += counts
        self._weighted[block] += volume * counts
        self._frames[block] += 1
        self._volume += volume
        self._seen += 1

    def distributions(self) -> dict[str, PairDistribution]:
        """By name: ``total``, then each pair of elements."""
        seen = self._frames > 0
        frames = self._frames[seen][:, None]
        volume = self._volume / max(self._seen, 1)
        found = {}
        total = np.ones(len(self._pairs))
        choices = [(TOTAL, total, len(self._kinds), len(self._kinds), True)]
        for index, (a, b) in enumerate(self._pairs):
            one = np.zeros(len(self._pairs))
            one[index] = 1.0
            name = "-".join(chemical_symbol(int(self._elements[k])) for k in (a, b))
            choices.append((name, one, int(self._counts[a]), int(self._counts[b]), a == b))
        shells = 4 / 3 * np.pi * np.diff(self._edges**3)
        centres = (self._edges[1:] + self._edges[:-1]) / 2
        for name, weights, n_a, n_b, same in choices:
            ordered = 2.0 if same else 1.0
            counts = ordered * np.einsum("bpr,p->br", self._sums[seen], weights) / frames
            weighted = ordered * np.einsum("bpr,p->br", self._weighted[seen], weights) / frames
            g = weighted / (n_a * n_b * shells)
            neighbors = np.cumsum(counts, axis=1) / n_a
            found[name] = PairDistribution(name, centres, g, neighbors, n_b / volume, n_b, same)
        if len(self._elements) == 1:
            del found[choices[1][0]]
        return found


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
        raise StructureError("there are no frames for the radial distribution")
    mean, error = block_average(single, blocks)
    return RadialDistribution((edges[1:] + edges[:-1]) / 2, mean, error, len(single))


def _frame(structure: Structure, edges: Floats) -> Floats:
    volume = structure.volume
    _, _, distances = pair_distances(structure, float(edges[-1]))
    counts, _ = np.histogram(distances, edges)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    return np.asarray(2 * counts * volume / (shells * len(structure) ** 2))
