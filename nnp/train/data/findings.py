"""What may be wrong with a structure: kinds, and which of them a fit leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nnp.errors import OptionError


@dataclass(frozen=True)
class Finding:
    """Something to look at, not necessarily wrong.

    Attributes:
        where: file and index of the structure.
        message: what was found, with the value.
        kind: of `KINDS`; empty: of the whole set or of a fit, not of a structure.
        indices: of the structures in their data set; the first is that of ``where``.
    """

    where: str
    message: str
    kind: str = ""
    indices: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True)
class Kind:
    """A kind of findings.

    Attributes:
        title: for people, of several.
        drop: whether ``nnp train data/`` leaves such structures out unless told.
    """

    title: str
    drop: bool = False


KINDS = {
    "unlabelled": Kind("without any label", drop=True),
    "duplicate": Kind("with the same atoms and labels as another", drop=True),
    "contradiction": Kind("with the same atoms as another but other labels"),
    "energy_outlier": Kind("with an energy far from all others"),
    "force_outlier": Kind("with a force far beyond the others'"),
    "isolated": Kind("with an atom that has no neighbour"),
    "zero_forces": Kind("with forces that are all exactly zero"),
    "net_force": Kind("with forces that do not sum to zero"),
}
DEFAULT_DROP = tuple(name for name, kind in KINDS.items() if kind.drop)


def require_kinds(names: Iterable[str], argument: str) -> tuple[str, ...]:
    """The names, if all are of `KINDS`.

    Raises:
        OptionError: one is not.
    """
    found = tuple(names)
    for name in found:
        if name not in KINDS:
            raise OptionError(f"{argument} = {name!r}: allowed are {', '.join(KINDS)}")
    return found
