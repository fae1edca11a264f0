"""Deep Potential's local-frame descriptor for a fit; see `nnp.functions.local_frame`.

Zhang, Han, Wang, Car and E, Phys. Rev. Lett. 120, 143001 (2018),
doi:10.1103/PhysRevLett.120.143001.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions import LocalFrame, SymmetryFunction, canonical_order
from nnp.neighbors import neighbor_list
from nnp.structure import Structure
from nnp.train.inputs.moments import spread_out

# Structures whose neighbours are counted, and of each element so many.
_LOOKED_AT = 256
_OF_EACH = 32


@dataclass(frozen=True)
class GeneratedLocalFrame:
    """Neighbours by element and distance: the nearest with coordinates, others with 1/r only.

    Attributes:
        family: name of the family.
        cutoff: r_c, Å.
        cutoff_kind: number of `CutoffKind`; 0, as published: neighbours leave at r_c with a jump.
        inner_fraction: of the cutoff.
        full: neighbours of each element with 1/r, x/r², y/r² and z/r².
        radial: neighbours of each element beyond those, with 1/r; None: as many as the data have.
        full_of, radial_of: the same for single neighbour elements, by symbol.
        axes: by central element, the elements of the two neighbours that define its frame, such as
            ``{O = ["H", "H"], H = ["O", "H"]}``; elements left out take the nearest of any.
    """

    family: str = "local_frame"
    cutoff: float = 6.0
    cutoff_kind: CutoffKind = CutoffKind.HARD
    inner_fraction: float = 0.0
    full: int = 16
    radial: int | None = None
    full_of: dict[str, int] = field(default_factory=dict)
    radial_of: dict[str, int] = field(default_factory=dict)
    axes: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.family != "local_frame":
            raise OptionError(f"family = {self.family!r} is not 'local_frame'")
        if not (math.isfinite(self.cutoff) and self.cutoff > 0):
            raise OptionError(f"cutoff = {self.cutoff}: a positive number of Å is expected")
        counts = (self.full, self.radial or 0, *self.full_of.values(), *self.radial_of.values())
        if min(counts) < 0:
            raise OptionError(
                f"full = {self.full}, radial = {self.radial}, full_of = {self.full_of}, radial_of "
                f"= {self.radial_of}: numbers of neighbours, 0 or more, are expected"
            )

    def for_elements(
        self, elements: Iterable[str], structures: Sequence[Structure] = ()
    ) -> dict[str, tuple[SymmetryFunction, ...]]:
        """The functions of every element, in canonical order.

        Args:
            elements: symbols.
            structures: the data, whose neighbours are counted where ``radial`` does not say.

        Raises:
            OptionError: an element that is not one of them, or no neighbour at all.

        >>> frames = GeneratedLocalFrame(full=4, radial=8)
        >>> [len(functions) for functions in frames.for_elements(("O", "H")).values()]
        [48, 48]
        """
        symbols = sorted(elements, key=atomic_number)
        named = {*self.full_of, *self.radial_of, *self.axes}
        named |= {symbol for pair in self.axes.values() for symbol in pair}
        if strangers := sorted(named - set(symbols)):
            raise OptionError(
                f"full_of, radial_of and axes name {', '.join(strangers)}: the data have "
                f"{', '.join(symbols)}"
            )
        most = most_neighbors(symbols, structures, self.cutoff)
        cutoff = Cutoff(CutoffKind(self.cutoff_kind), self.cutoff, self.inner_fraction)
        found = {}
        for center in symbols:
            axes = self.axes.get(center)
            functions = [
                LocalFrame(neighbor, place, component, axes, cutoff)
                for neighbor in symbols
                for place, components in self._places(neighbor, most[center, neighbor])
                for component in components
            ]
            if not functions:
                raise OptionError("full = 0 and radial = 0: no neighbour is left")
            found[center] = tuple(canonical_order(functions))
        return found

    def _places(self, neighbor: str, most: int) -> Iterable[tuple[int, str]]:
        """Each neighbour's place with its components."""
        full = self.full_of.get(neighbor, self.full)
        radial = self.radial_of.get(neighbor, self.radial)
        last = max(full, most) if radial is None else full + radial
        return [(place, "rxyz" if place <= full else "r") for place in range(1, last + 1)]


def most_neighbors(
    symbols: Sequence[str], structures: Sequence[Structure], cutoff: float
) -> dict[tuple[str, str], int]:
    """Per central and neighbour element, the most that an atom has in about 256 structures."""
    numbers = np.array([atomic_number(symbol) for symbol in symbols])
    most = np.zeros((len(numbers), len(numbers)), np.int64)
    for structure in spread_out(structures, symbols, _LOOKED_AT, _OF_EACH):
        pairs = neighbor_list(structure, cutoff)
        elements = np.searchsorted(numbers, structure.atomic_numbers)
        counts = np.zeros((len(structure), len(numbers)), np.int64)
        np.add.at(counts, (pairs.i, elements[pairs.j]), 1)
        np.maximum.at(most, elements, counts)
    pairs_of = [(a, b) for a in range(len(symbols)) for b in range(len(symbols))]
    return {(symbols[a], symbols[b]): int(most[a, b]) for a, b in pairs_of}
