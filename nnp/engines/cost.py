"""What an atom costs on one core, as the CPU engine's plan counts it: see docs/cpu_engine.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What users see: parts, and the items of the count (enum nnp_cost_item of nnp.h) that each sums up.
PARTS = {
    "list": ("atom", "entry", "neighbor"),
    "pairs": ("function", "radial"),
    "triples": ("group", "row", "row_vector", "triple", "spill", "compact"),
    "moments": ("series", "moment", "moment_atom"),
    "network": ("weight", "node"),
}


@dataclass(frozen=True)
class Cost:
    """Of the atoms of one element, on average.

    Attributes:
        symbol: the element.
        n_atoms: how many the structure has; 0: no structure was given.
        neighbors: within the reach of its functions.
        counts: items of work of an atom, by their names.
        microseconds: what each item takes; energy and forces, with a neighbour list that stands.
        n_wide: wide angular functions that pairs and moments can make.
        n_by_moments: those of them that moments make.
    """

    symbol: str
    n_atoms: int
    neighbors: float
    counts: Mapping[str, float]
    microseconds: Mapping[str, float]
    n_wide: int
    n_by_moments: int

    @property
    def parts(self) -> dict[str, float]:
        """Microseconds by part."""
        return {part: sum(self.microseconds[i] for i in items) for part, items in PARTS.items()}

    @property
    def total(self) -> float:
        """Microseconds of an atom."""
        return sum(self.microseconds.values())
