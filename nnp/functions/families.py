"""All families: our own, and those of other packages by the entry point ``nnp.functions``.

The one list of our own. `nnp.functions` offers every name of ``__all__``.
"""

from __future__ import annotations

from nnp.errors import OptionError
from nnp.functions.angular import Angular
from nnp.functions.angular_shifted import AngularShifted
from nnp.functions.base import SymmetryFunction
from nnp.functions.compact_angular import CompactAngular
from nnp.functions.compact_radial import CompactRadial
from nnp.functions.local_frame import LocalFrame
from nnp.functions.moments import (
    MomentChebyshev,
    MomentPair,
    MomentQuartic,
    MomentSum,
    MomentTriple,
)
from nnp.functions.radial import Radial
from nnp.functions.radial_cosine import RadialCosine
from nnp.outside import load_class, offered

__all__ = [
    "BY_N2P2_TYPE",
    "OWN",
    "Angular",
    "AngularShifted",
    "CompactAngular",
    "CompactRadial",
    "LocalFrame",
    "MomentChebyshev",
    "MomentPair",
    "MomentQuartic",
    "MomentSum",
    "MomentTriple",
    "Radial",
    "RadialCosine",
    "family_named",
]

GROUP = "nnp.functions"

# In the order of families.h; behind them those that compiled engines have not.
OWN: tuple[type[SymmetryFunction], ...] = (
    Radial,
    RadialCosine,
    Angular,
    CompactRadial,
    CompactAngular,
    AngularShifted,
    MomentSum,
    MomentPair,
    MomentTriple,
    MomentQuartic,
    MomentChebyshev,
    LocalFrame,
)
_BY_CLASS = {family.__name__: family for family in OWN}
# Our own families first: their numbers stay theirs.
BY_N2P2_TYPE = {number: family for family in OWN for number in family.n2p2_types}


def family_named(name: str) -> type[SymmetryFunction]:
    """The family of this class name, as model files say.

    Raises:
        OptionError: no family has this name.
        UnavailableError: another package's cannot be imported, or is none.
    """
    if name in _BY_CLASS:
        return _BY_CLASS[name]
    points = offered(GROUP)
    if name not in points:
        known = ", ".join([*_BY_CLASS, *sorted(points)])
        raise OptionError(f"unknown family {name!r}: allowed are {known}")
    return load_class(points[name], SymmetryFunction, f"the family {name!r}")  # type: ignore[type-abstract]
