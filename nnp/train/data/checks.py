"""What is wrong with training data: errors that stop, and findings that are listed.

Wrong shapes and labels that are not finite are errors of `Dataset` already, atoms in the same
place of the neighbour list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.errors import StructureError
from nnp.io.structures.plausible import CLOSEST_ALLOWED
from nnp.neighbors import neighbor_list
from nnp.train.data.baseline import reference_energies
from nnp.train.data.dataset import Dataset
from nnp.train.data.frames import LabelledStructure

# Total force per atom above this (eV/Å) is more than the noise of converged calculations.
_NET_FORCE = 0.02
# Robust standard deviations (1.4826 median absolute deviations) that make an outlier …
_OUTLIER = 12.0
# … which must also differ by this much, eV/atom: small sets of equal structures have none.
_OUTLIER_LEAST = 0.05
# Fewer structures have no spread to speak of.
_FEWEST = 5


@dataclass(frozen=True)
class Finding:
    """Something to look at, not necessarily wrong.

    Attributes:
        where: file and index of the structure.
        message: what was found, with the value.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def check(dataset: Dataset) -> list[Finding]:
    """Look for what spoils a fit.

    Returns:
        Duplicates, structures without labels, forces that are all zero, net forces and energy
        outliers; an empty list when all is well.

    Raises:
        StructureError: no structure, no label in any of them, or atoms closer than
            ``CLOSEST_ALLOWED``; names the structure.
    """
    require_labels(dataset)
    for frame in dataset:
        _check_distances(frame)
    findings = (_duplicates, _unlabelled, _zero_forces, _net_forces, _outliers)
    return [finding for look in findings for finding in look(dataset)]


def require_labels(dataset: Dataset) -> None:
    """Refuse a training set that has nothing to learn from.

    Raises:
        StructureError: no structure, or no label in any of them.
    """
    if not len(dataset):
        raise StructureError("the training data holds no structure")
    if all(map(_is_unlabelled, dataset)):
        raise StructureError(
            f"{dataset[0].where} and the others have neither energy nor forces nor stress: name "
            "the labels' keys in [data.keys]"
        )


def _is_unlabelled(frame: LabelledStructure) -> bool:
    return frame.energy is None and frame.forces is None and frame.stress is None


def _unlabelled(dataset: Dataset) -> Iterator[Finding]:
    for frame in filter(_is_unlabelled, dataset):
        yield Finding(frame.where, "neither energy nor forces nor stress: nothing is learned of it")


def _check_distances(frame: LabelledStructure) -> None:
    try:
        pairs = neighbor_list(frame.structure, CLOSEST_ALLOWED)
    except StructureError as error:
        raise StructureError(f"{frame.where}: {error}") from None
    if len(pairs.i):
        distances = np.linalg.norm(pairs.vectors, axis=1)
        worst = int(distances.argmin())
        raise StructureError(
            f"{frame.where}: atoms {pairs.i[worst]} and {pairs.j[worst]} are {distances[worst]:.3f}"
            f" Å apart, closer than {CLOSEST_ALLOWED} Å: check the units (units = …) or remove it"
        )


def _duplicates(dataset: Dataset) -> Iterator[Finding]:
    seen: dict[bytes, str] = {}
    for frame in dataset:
        s = frame.structure
        numbers = (s.positions, s.cell, s.atomic_numbers, s.pbc)
        key = b"".join((np.round(a.astype(np.float64), 6) + 0.0).tobytes() for a in numbers)
        if key in seen:
            yield Finding(frame.where, f"the same atoms as {seen[key]}")
        seen.setdefault(key, frame.where)


def _zero_forces(dataset: Dataset) -> Iterator[Finding]:
    """Zeros are how an input.data says that it has no forces, beside an energy it cannot."""
    zero = [f for f in dataset if len(f) > 1 and f.forces is not None and not f.forces.any()]
    if zero:
        yield Finding(
            zero[0].where,
            f"every force is exactly zero, as in {len(zero)} of {len(dataset)} structures: they "
            "are learned; where forces are unknown, leave them out (extxyz)",
        )


def _net_forces(dataset: Dataset) -> Iterator[Finding]:
    for frame in dataset:
        if frame.forces is not None and len(frame):
            net = np.abs(frame.forces.sum(axis=0)).max() / len(frame)
            if net > _NET_FORCE:
                yield Finding(
                    frame.where, f"the forces do not sum to zero: {net:.3f} eV/Å per atom"
                )


def _outliers(dataset: Dataset) -> Iterator[Finding]:
    labelled = [frame for frame in dataset if frame.energy is not None]
    if len(labelled) < _FEWEST:
        return
    offsets = reference_energies(Dataset(tuple(labelled)), dataset.elements)
    residual: NDArray[np.float64] = np.array(
        [
            (f.energy - sum(offsets[s] for s in f.structure.symbols)) / max(len(f), 1)
            for f in labelled
            if f.energy is not None
        ]
    )
    distance = np.abs(residual - np.median(residual))
    spread = 1.4826 * float(np.median(distance))
    for index in np.flatnonzero((distance > _OUTLIER * spread) & (distance > _OUTLIER_LEAST)):
        yield Finding(
            labelled[index].where,
            f"its energy lies {residual[index] - np.median(residual):+.3f} eV/atom off the median",
        )
