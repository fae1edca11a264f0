"""What is wrong with training data: errors that stop, and findings that are listed.

Wrong shapes and labels that are not finite are errors of `Dataset` already, atoms in the same
place of the neighbour list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnp.errors import NNPError, StructureError
from nnp.io.structures.plausible import CLOSEST_ALLOWED
from nnp.neighbors import neighbor_list
from nnp.train.data.baseline import reference_energies
from nnp.train.data.dataset import Dataset
from nnp.train.data.facts import largest_forces
from nnp.train.data.findings import Finding
from nnp.train.data.frames import LabelledStructure
from nnp.values import counted

# Total force per atom above this (eV/Å) is more than the noise of converged calculations.
_NET_FORCE = 0.02
# Robust standard deviations (1.4826 median absolute deviations) that make an outlier …
_OUTLIER = 12.0
# … which must also differ by this much, eV/atom: small sets of equal structures have none.
_OUTLIER_LEAST = 0.05
# Fewer structures have no spread to speak of.
_FEWEST = 5
# A structure's largest force is an outlier beyond this many times this quantile of all.
FORCE_FACTOR, FORCE_QUANTILE = 5.0, 0.9
# … which counts for at least so much, eV/Å: sets of minima have none.
_FORCE_LEAST = 0.5
# Labels of equal atoms are equal to these: eV/atom, eV/Å, eV/Å³.
_SAME = {"energy": 1e-4, "forces": 1e-3, "stress": 1e-4}
# Å: an atom with nobody within is alone; only structures with less matter than this (Å³ per atom)
# are asked, or without a cell.
_ALONE, _THIN = 6.0, 40.0

Look = Callable[[Dataset], Iterator[Finding]]


def check(dataset: Dataset) -> list[Finding]:
    """Look for what spoils a fit.

    Returns:
        Findings of every kind; an empty list when all is well.

    Raises:
        StructureError: no structure, no label in any of them, or atoms closer than
            ``CLOSEST_ALLOWED``; names the structure.
    """
    require_labels(dataset)
    for frame in dataset:
        _check_distances(frame)
    return [finding for look in LOOKS for finding in look(dataset)]


def drop(dataset: Dataset, kinds: Sequence[str]) -> Dataset:
    """The structures without findings of these kinds; the notes say how many went.

    Raises:
        StructureError: nothing would be left.
    """
    return dropped(dataset, kinds)[0]


def dropped(dataset: Dataset, kinds: Sequence[str]) -> tuple[Dataset, list[int]]:
    """As `drop`, and which of the structures are left."""
    found = [f for look in LOOKS for f in look(dataset) if f.kind in kinds] if kinds else []
    gone = {index for finding in found for index in finding.indices}
    left = [i for i in range(len(dataset)) if i not in gone]
    if not gone:
        return dataset, left
    kept = dataset.subset(left)
    if not len(kept):
        raise StructureError(
            f"nothing is left of {counted(len(dataset), 'structure')} without {', '.join(kinds)} "
            f"({found[0]}): keep some (data.drop, --keep)"
        )
    counts = {kind: sum(len(f.indices) for f in found if f.kind == kind) for kind in kinds}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    line = f"left out {counted(len(gone), 'structure')} of {len(dataset)} ({said})"
    return replace(kept, notes=(*kept.notes, line)), left


def require_labels(dataset: Dataset) -> None:
    """Refuse a training set that has nothing to learn from.

    Raises:
        StructureError: no structure, or no label in any of them.
    """
    if not len(dataset):
        raise StructureError("the training data holds no structure")
    if not any(frame.weight > 0 for frame in dataset):
        raise StructureError(
            f"{dataset[0].where} and the others have the weight 0, with which nothing is learned: "
            "remove it, or name another key (data.keys.weight)"
        )
    if all(map(_is_unlabelled, dataset)):
        hint = dataset.key_hint or "name the labels' keys in [data.keys]"
        raise StructureError(
            f"{dataset[0].where} and the others have neither energy nor forces nor stress: {hint}"
        )


def _is_unlabelled(frame: LabelledStructure) -> bool:
    return frame.energy is None and frame.forces is None and frame.stress is None


def _unlabelled(dataset: Dataset) -> Iterator[Finding]:
    text = "neither energy nor forces nor stress: nothing can be learned from it"
    for index, frame in enumerate(dataset):
        if _is_unlabelled(frame):
            yield Finding(frame.where, text, "unlabelled", (index,))


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
    """Equal atoms in equal order: of equal labels, or of others.

    Of two with equal labels the one that lacks some is the copy; where each has some that the other
    lacks, none is.
    """
    seen: dict[bytes, int] = {}
    for index, frame in enumerate(dataset):
        s = frame.structure
        numbers = (s.positions, s.cell, s.atomic_numbers, s.pbc)
        key = b"".join((np.round(a.astype(np.float64), 6) + 0.0).tobytes() for a in numbers)
        first = seen.setdefault(key, index)
        if first == index:
            continue
        other = _difference(dataset[first], frame)
        text = f"the same atoms as {dataset[first].where}{other}"
        own, known = _names(frame), _names(dataset[first])
        if other:
            yield Finding(frame.where, text, "contradiction", (index,))
        elif own <= known:
            yield Finding(frame.where, text, "duplicate", (index,))
        elif own > known:
            seen[key] = index
            text = f"the same atoms as {frame.where}, which has more labels"
            yield Finding(dataset[first].where, text, "duplicate", (first,))


def _names(frame: LabelledStructure) -> set[str]:
    """Labels that a structure has."""
    return {name for name in _SAME if getattr(frame, name) is not None}


def _difference(first: LabelledStructure, second: LabelledStructure) -> str:
    """In which labels two of the same atoms differ; empty where they do not."""
    scales = {"energy": (1 / max(len(first), 1), "eV/atom"), "forces": (1.0, "eV/Å")}
    for name, least in _SAME.items():
        pair = getattr(first, name), getattr(second, name)
        if pair[0] is None or pair[1] is None:
            continue
        scale, unit = scales.get(name, (1.0, "eV/Å³"))
        apart = scale * float(np.abs(np.asarray(pair[0]) - np.asarray(pair[1])).max(initial=0.0))
        if apart > least:
            return f", but its {name} differs by {apart:.3g} {unit}: which is right?"
    return ""


def _zero_forces(dataset: Dataset) -> Iterator[Finding]:
    """Zeros are how an input.data says that it has no forces, beside an energy it cannot."""
    zero = [
        index
        for index, frame in enumerate(dataset)
        if len(frame) > 1 and frame.forces is not None and not frame.forces.any()
    ]
    if zero:
        yield Finding(
            dataset[zero[0]].where,
            f"every force is exactly zero, as in {len(zero)} of {len(dataset)} structures: they "
            "are learned; where forces are unknown, leave them out (extxyz)",
            "zero_forces",
            tuple(zero),
        )


def _net_forces(dataset: Dataset) -> Iterator[Finding]:
    for index, frame in enumerate(dataset):
        if frame.forces is not None and len(frame):
            net = np.abs(frame.forces.sum(axis=0)).max() / len(frame)
            if net > _NET_FORCE:
                text = f"the forces do not sum to zero: {net:.3f} eV/Å per atom"
                yield Finding(frame.where, text, "net_force", (index,))


def _energy_outliers(dataset: Dataset) -> Iterator[Finding]:
    numbers = [i for i, frame in enumerate(dataset) if frame.energy is not None]
    labelled = [dataset[i] for i in numbers]
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
            f"its energy lies {residual[index] - np.median(residual):+.3f} eV/atom from the median",
            "energy_outlier",
            (numbers[index],),
        )


def _force_outliers(dataset: Dataset) -> Iterator[Finding]:
    largest = largest_forces(dataset)
    known = largest[np.isfinite(largest)]
    if len(known) < _FEWEST:
        return
    high = float(np.quantile(known, FORCE_QUANTILE))
    for index in np.flatnonzero(largest > FORCE_FACTOR * max(high, _FORCE_LEAST)):
        yield Finding(
            dataset[int(index)].where,
            f"its largest force, {largest[index]:.4g} eV/Å, is {largest[index] / high:.1f} times "
            f"the {100 * FORCE_QUANTILE:.0f} % quantile of all structures' ({high:.3g})",
            "force_outlier",
            (int(index),),
        )


def _isolated(dataset: Dataset) -> Iterator[Finding]:
    for index, frame in enumerate(dataset):
        s = frame.structure
        if not len(s) or (s.pbc.all() and s.volume < _THIN * len(s)):
            continue
        try:
            pairs = neighbor_list(s, _ALONE)
        except NNPError:  # the check of distances has its own
            continue
        alone = np.flatnonzero(np.bincount(pairs.i, minlength=len(s)) == 0)
        if len(alone):
            who = f"atom {alone[0]} ({s.symbols[int(alone[0])]}) has no neighbour"
            more = f", nor have {len(alone) - 1} more" if len(alone) > 1 else ""
            yield Finding(frame.where, f"{who} within {_ALONE:g} Å{more}", "isolated", (index,))


LOOKS: tuple[Look, ...] = (
    _duplicates,
    _unlabelled,
    _zero_forces,
    _net_forces,
    _energy_outliers,
    _force_outliers,
    _isolated,
)
