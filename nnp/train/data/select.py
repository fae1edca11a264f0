"""Which unlabelled structures to label next: where a committee disagrees or extrapolates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from nnp.committee import Committee, CommitteeEvaluation
from nnp.errors import NNPError, OptionError
from nnp.terminal import progress_bar


@dataclass(frozen=True)
class Candidate:
    """One structure with what speaks for labelling it.

    Attributes:
        index: of the structure.
        force_deviation: largest over its atoms, eV/Å.
        energy_deviation: eV per atom.
        extrapolation: furthest function outside its training range, relative to its width.
    """

    index: int
    force_deviation: float
    energy_deviation: float
    extrapolation: float


def rank(
    committee: Committee, frames: Sequence[Any], engine: str = "cpu", quiet: bool = True
) -> list[Candidate]:
    """All structures, the most uncertain first.

    The order is that of the largest force deviation of any atom; where two are equal to three
    digits, of extrapolation.

    Args:
        committee: the potentials.
        frames: ``ase.Atoms`` or `Structure`.
        engine: name of the engine.
        quiet: whether to hide the progress bar.

    Raises:
        StructureError: a structure that cannot be evaluated; names its index.
    """
    found = []
    for index, atoms in enumerate(progress_bar(frames, unit="structure", disable=quiet or None)):
        try:
            result = cast("CommitteeEvaluation", committee.evaluate(atoms, engine))
        except NNPError as error:
            raise type(error)(f"structure {index}: {error}") from error
        found.append(_candidate(index, result))
    return sorted(found, key=lambda c: (-float(f"{c.force_deviation:.3g}"), -c.extrapolation))


def _candidate(index: int, result: CommitteeEvaluation) -> Candidate:
    components = np.asarray(result.forces_deviation)
    forces = np.sqrt((components**2).sum(axis=1))  # √⟨|F_m − ⟨F⟩|²⟩ of each atom
    worst = result.extrapolations.worst
    return Candidate(
        index,
        force_deviation=float(forces.max()),
        energy_deviation=result.energy_deviation / len(forces),
        extrapolation=0.0 if worst is None else abs(worst.relative),
    )


def choose(
    ranked: Sequence[Candidate],
    count: int,
    apart: int = 1,
    least: float = 0.0,
    most: float = math.inf,
) -> list[Candidate]:
    """The first ``count`` of a ranking that are not neighbours in a trajectory.

    Args:
        ranked: of `rank`.
        count: how many at most.
        apart: smallest distance between the indices of two chosen ones.
        least: smallest force deviation worth a label, eV/Å.
        most: largest one: beyond it an undertrained potential has left physics, and labels there
            would spoil the fit.

    Raises:
        OptionError: a count or distance below 1.
    """
    if count < 1 or apart < 1:
        raise OptionError(f"count = {count}, apart = {apart}: 1 or more")
    chosen: list[Candidate] = []
    for candidate in ranked:
        distances = [abs(candidate.index - other.index) for other in chosen]
        fits = least <= candidate.force_deviation <= most
        if fits and np.min(distances, initial=apart) >= apart:
            chosen.append(candidate)
        if len(chosen) == count:
            break
    return chosen
