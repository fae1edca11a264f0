"""Whether labels are total or cohesive energies: with atomic energies given, the numbers say it.

Decided once for a data set. Atomic energies of a calculation are often a hundred times what binds:
a label lies near its sum of them or near zero. Where they are smaller, as those of programs that
count from neutral atoms, nothing is decided and labels are total energies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnp.errors import OptionError, StructureError
from nnp.train.data.dataset import Dataset

TOTAL, COHESIVE = "total", "cohesive"
# A label is cohesive where it is nearer to zero by this factor than to its sum of atomic energies.
_NEARER = 2.0
_SMALL = 10.0  # eV per atom


@dataclass(frozen=True)
class EnergyKind:
    """What the labels are.

    Attributes:
        name: `TOTAL` or `COHESIVE`.
        line: why; empty where nothing was to be decided.
    """

    name: str = TOTAL
    line: str = ""


def require_kind(name: str | None) -> None:
    """Refuse what is neither.

    Raises:
        OptionError: another word.
    """
    if name not in (None, TOTAL, COHESIVE):
        raise OptionError(f"energies = {name!r}: allowed are {TOTAL!r} and {COHESIVE!r}")


def kind_of_energies(
    dataset: Dataset, elements: Sequence[str], given: Mapping[str, float], told: str | None = None
) -> EnergyKind:
    """What the labels of a set are.

    Args:
        dataset: structures, some with energies.
        elements: of all of them.
        given: atomic energies, eV; where one is missing nothing can be decided.
        told: what the user says, which goes first.

    Raises:
        StructureError: some labels are clearly of one kind and some of the other.
    """
    own = [frame for frame in dataset if frame.energy is not None and len(frame)]
    if told is not None or not own or not set(elements) <= set(given):
        return EnergyKind(told or TOTAL)
    label = np.array([frame.energy / len(frame) for frame in own if frame.energy is not None])
    atomic = [sum(given[s] for s in frame.structure.symbols) / len(frame) for frame in own]
    if np.median(np.abs(atomic)) < _SMALL:
        return EnergyKind()
    near, far = np.abs(label), np.abs(label - np.array(atomic))
    cohesive, total = far > _NEARER * near, near > _NEARER * far
    if cohesive.any() and total.any():
        one, other = own[int(cohesive.argmax())], own[int(total.argmax())]
        raise StructureError(
            f"{one.where} has a cohesive energy ({one.energy:.6g} eV) and {other.where} a total "
            f"one ({other.energy:.6g} eV), by the reference energies: all must be of one kind; "
            f"set energies = {TOTAL!r} in [data] where both are right"
        )
    left = f"{np.median(near):.3g} eV/atom, {np.median(far):.3g} without the reference energies"
    if np.count_nonzero(cohesive) * 2 > len(own):
        line = f"energies are cohesive ({left}): the reference energies are not subtracted"
        return EnergyKind(COHESIVE, line)
    return EnergyKind(TOTAL, f"energies are total ({left}): the reference energies are subtracted")
