"""[baseline] zbl: the repulsion at short distances that a fit is on top of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nnp.errors import OptionError
from nnp.terms import RepulsionTerm


@dataclass(frozen=True)
class RepulsionSettings:
    """[baseline] zbl: the repulsion that the networks are fitted on top of.

    Attributes:
        inner: where its switch begins, Å, between all elements of the data; None with ``outer``:
            between those only that ``pairs`` names.
        outer: where it ends, Å.
        pairs: (inner, outer) of single pairs, such as ``"Si-O"``; they go before the common ones.

    Raises:
        OptionError: radii that are not allowed or missing, or a pair that is none.
    """

    inner: float | None = None
    outer: float | None = None
    pairs: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.inner is None) != (self.outer is None) or (self.inner is None and not self.pairs):
            raise OptionError(
                f"inner = {self.inner}, outer = {self.outer}: give both (Å), or pairs = "
                '{"Si-O" = [inner, outer], …} for single ones'
            )
        inner, outer = self.inner or 0.0, math.inf if self.outer is None else self.outer
        if self.outer is not None and not 0 <= inner < outer < math.inf:
            raise OptionError(
                f"inner = {inner:g}, outer = {outer:g} Å: 0 <= inner < outer is expected"
            )
        self._named()

    def term(self, elements: Sequence[str]) -> RepulsionTerm:
        """For a potential of these elements.

        Raises:
            OptionError: ``pairs`` names others.
        """
        named = self._named()
        if strangers := named.elements - set(elements):
            raise OptionError(
                f"[baseline] zbl.pairs names {', '.join(sorted(strangers))}, which the training "
                f"data lacks: it has {', '.join(elements)}"
            )
        if self.inner is None or self.outer is None:
            return named
        own = {pair.symbols for pair in named.pairs}
        common = RepulsionTerm.universal(elements, self.inner, self.outer)
        others = tuple(pair for pair in common.pairs if pair.symbols not in own)
        return RepulsionTerm(named.pairs + others)

    def _named(self) -> RepulsionTerm:
        if twice := _in_any_order(self.pairs):
            raise OptionError(f"pairs has {twice}, which is the same pair twice")
        radii = {_symbols(name): ends for name, ends in self.pairs.items()}
        return RepulsionTerm.by_pair(radii)


def _symbols(name: str) -> tuple[str, str]:
    parts = name.split("-")
    if len(parts) != 2:
        raise OptionError(f"pairs has {name!r}: two elements with a hyphen are expected, as 'Si-O'")
    return parts[0], parts[1]


def _in_any_order(names: Mapping[str, object]) -> str:
    """Two spellings of one pair, or nothing."""
    seen: dict[tuple[str, ...], str] = {}
    for name in names:
        key = tuple(sorted(name.split("-")))
        if key in seen:
            return f"{seen[key]!r} and {name!r}"
        seen[key] = name
    return ""
