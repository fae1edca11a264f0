"""Atom-centred symmetry functions: one file per family; see `base` for what a family is."""

from nnp.functions.angular import Angular
from nnp.functions.angular_shifted import AngularShifted
from nnp.functions.base import (
    OneNeighbor,
    Parameter,
    SymmetryFunction,
    TwoNeighbors,
    WithCutoff,
    canonical_order,
    describe,
)
from nnp.functions.compact_angular import CompactAngular
from nnp.functions.compact_radial import CompactRadial, WithRange
from nnp.functions.core import Core
from nnp.functions.families import BY_N2P2_TYPE, OWN, family_named
from nnp.functions.moments import (
    MomentFunction,
    MomentPair,
    MomentQuartic,
    MomentSum,
    MomentTriple,
)
from nnp.functions.radial import Radial
from nnp.functions.radial_cosine import RadialCosine
from nnp.functions.series import Argument, RadialSeries

__all__ = [
    "BY_N2P2_TYPE",
    "OWN",
    "Angular",
    "AngularShifted",
    "Argument",
    "CompactAngular",
    "CompactRadial",
    "Core",
    "MomentFunction",
    "MomentPair",
    "MomentQuartic",
    "MomentSum",
    "MomentTriple",
    "OneNeighbor",
    "Parameter",
    "Radial",
    "RadialCosine",
    "RadialSeries",
    "SymmetryFunction",
    "TwoNeighbors",
    "WithCutoff",
    "WithRange",
    "canonical_order",
    "describe",
    "family_named",
]
