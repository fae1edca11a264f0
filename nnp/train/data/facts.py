"""What a data set holds, in numbers: elements, cells, labels, energies, forces, neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import NNPError
from nnp.neighbors import neighbor_list
from nnp.train.data.baseline import reference_energies
from nnp.train.data.compositions import undetermined
from nnp.train.data.dataset import Dataset

# Å; neighbours are counted within each, shortest distances looked for in the largest.
RADII = (4.0, 5.0, 6.0, 7.0, 8.0)
# Structures whose neighbours are counted, spread over the set.
_LOOKED_AT = 200


@dataclass(frozen=True)
class Spread:
    """Of many numbers: smallest, median, mean, largest, standard deviation."""

    smallest: float
    median: float
    mean: float
    largest: float
    deviation: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Spread | None:
        """None where there are none."""
        if not len(values):
            return None
        numbers = (values.min(), np.median(values), values.mean(), values.max(), values.std())
        return cls(*(float(x) for x in numbers))


@dataclass(frozen=True)
class Forces:
    """Sizes of forces, eV/Å.

    Attributes:
        rms, mae: of components: errors of a potential that predicts none.
        median, high, largest: of forces; ``high`` is the 99 % quantile.
    """

    rms: float
    mae: float
    median: float
    high: float
    largest: float


@dataclass(frozen=True)
class Facts:
    """A data set in numbers; Å, eV.

    Attributes:
        structures, atoms: how many.
        elements: atoms and structures of each.
        sizes: atoms per structure.
        cells: structures by periodicity.
        groups: structures by group.
        labels: structures with each label.
        energy: eV per atom.
        reference_energies: eV per element, by least squares.
        undetermined: elements whose energies the compositions do not tell.
        energy_rest: MAE of energies that follow from these alone, eV per atom.
        forces: their sizes.
        volume: Å³ per atom of structures with pbc along all axes.
        neighbors: per radius, mean and most over the atoms that were looked at.
        shortest: per pair of elements that was seen within the largest radius, Å.
    """

    structures: int
    atoms: int
    elements: dict[str, dict[str, int]]
    sizes: Spread
    cells: dict[str, int]
    groups: dict[str, int]
    labels: dict[str, int]
    energy: Spread | None
    reference_energies: dict[str, float]
    undetermined: tuple[str, ...]
    energy_rest: float | None
    forces: Forces | None
    volume: Spread | None
    neighbors: dict[float, tuple[float, int]]
    shortest: dict[str, float]

    def table(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def facts(dataset: Dataset) -> Facts:
    """Look at every structure (at least one), and at the neighbours of some."""
    frames = dataset.frames
    counts = [Counter(frame.structure.symbols) for frame in frames]
    offsets, rest = _energies(dataset, counts)
    neighbors, shortest = _distances(dataset)
    periodic = [f.structure.volume / len(f) for f in frames if f.structure.pbc.all() and len(f)]
    energies = [f.energy / len(f) for f in frames if f.energy is not None and len(f)]
    sizes = Spread.of(np.array([len(frame) for frame in frames], np.float64))
    return Facts(
        structures=len(frames),
        atoms=dataset.n_atoms,
        elements={
            symbol: {
                "atoms": sum(own[symbol] for own in counts),
                "structures": sum(symbol in own for own in counts),
            }
            for symbol in dataset.elements
        },
        sizes=sizes or Spread(0, 0, 0, 0, 0),
        cells=dict(Counter(_cell(frame.structure.pbc) for frame in frames)),
        groups=dataset.groups,
        labels=dataset.labels,
        energy=Spread.of(np.array(energies)),
        reference_energies=offsets,
        undetermined=undetermined(dataset, dataset.elements),
        energy_rest=rest,
        forces=_forces(dataset),
        volume=Spread.of(np.array(periodic)),
        neighbors=neighbors,
        shortest=shortest,
    )


def largest_forces(dataset: Dataset) -> NDArray[np.float64]:
    """(structures,) of each, eV/Å; NaN without forces."""
    return np.array(
        [
            np.nan
            if frame.forces is None or not len(frame)
            else np.linalg.norm(frame.forces, axis=1).max()
            for frame in dataset
        ]
    )


def _forces(dataset: Dataset) -> Forces | None:
    known = [frame.forces for frame in dataset if frame.forces is not None and len(frame)]
    if not known:
        return None
    components = np.concatenate(known)
    sizes = np.linalg.norm(components, axis=1)
    return Forces(
        rms=float(np.sqrt(np.mean(components**2))),
        mae=float(np.abs(components).mean()),
        median=float(np.median(sizes)),
        high=float(np.quantile(sizes, 0.99)),
        largest=float(sizes.max()),
    )


def _energies(
    dataset: Dataset, counts: Sequence[Counter[str]]
) -> tuple[dict[str, float], float | None]:
    """Energy per element, and what they leave: MAE, eV per atom."""
    offsets = reference_energies(dataset, dataset.elements)
    rest = [
        (frame.energy - sum(offsets[s] * n for s, n in own.items())) / len(frame)
        for frame, own in zip(dataset, counts, strict=True)
        if frame.energy is not None and len(frame)
    ]
    return offsets, float(np.abs(rest).mean()) if rest else None


def _cell(pbc: NDArray[np.bool_]) -> str:
    if pbc.all():
        return "periodic"
    return f"pbc {' '.join('FT'[int(axis)] for axis in pbc)}" if pbc.any() else "none"


def _distances(dataset: Dataset) -> tuple[dict[float, tuple[float, int]], dict[str, float]]:
    step = max(1, len(dataset) // _LOOKED_AT)
    counts: dict[float, list[NDArray[np.int64]]] = {radius: [] for radius in RADII}
    shortest: dict[str, float] = {}
    for frame in dataset.frames[::step]:
        try:
            pairs = neighbor_list(frame.structure, RADII[-1])
        except NNPError:  # another check's business
            continue
        distances = np.linalg.norm(pairs.vectors, axis=1)
        for radius, found in counts.items():
            found.append(np.bincount(pairs.i[distances < radius], minlength=len(frame)))
        _shorter(shortest, frame.structure.symbols, pairs.i, pairs.j, distances)
    joined = {radius: np.concatenate(found) for radius, found in counts.items() if found}
    neighbors = {r: (float(own.mean()), int(own.max())) for r, own in joined.items() if len(own)}
    order = [f"{a}-{b}" for a, b in combinations_with_replacement(dataset.elements, 2)]
    return neighbors, {pair: shortest[pair] for pair in order if pair in shortest}


def _shorter(
    shortest: dict[str, float],
    symbols: Sequence[str],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    distances: NDArray[np.float64],
) -> None:
    names = np.array(symbols)
    for first in set(symbols):
        for second in set(symbols):
            own = distances[(names[i] == first) & (names[j] == second)]
            if len(own):
                pair = f"{first}-{second}"
                shortest[pair] = min(shortest.get(pair, np.inf), float(own.min()))
