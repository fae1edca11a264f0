"""Atom-centred symmetry functions, one file per family; `base` defines a family."""

from nnp.functions import families
from nnp.functions.base import (
    OneNeighbor,
    Parameter,
    SymmetryFunction,
    TwoNeighbors,
    WholeNeighborhood,
    WithCutoff,
    canonical_order,
    describe,
)
from nnp.functions.compact_radial import WithRange
from nnp.functions.core import Core
from nnp.functions.families import *  # noqa: F403  # so that families.py is the only list of them
from nnp.functions.moments import MomentFunction
from nnp.functions.series import Argument, RadialSeries

__all__ = [
    "Argument",
    "Core",
    "MomentFunction",
    "OneNeighbor",
    "Parameter",
    "RadialSeries",
    "SymmetryFunction",
    "TwoNeighbors",
    "WholeNeighborhood",
    "WithCutoff",
    "WithRange",
    "canonical_order",
    "describe",
]
__all__ += families.__all__
