"""The names of `nnp.functions` under their older module, for scripts that import them from here."""

from nnp.functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Core,
    Radial,
    RadialCosine,
    SymmetryFunction,
    canonical_order,
    describe,
)

__all__ = [
    "Angular",
    "CompactAngular",
    "CompactRadial",
    "Core",
    "Radial",
    "RadialCosine",
    "SymmetryFunction",
    "canonical_order",
    "describe",
]
