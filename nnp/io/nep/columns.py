"""Where a potential's functions stand in NEP's vector of descriptors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnp.cutoffs import CutoffKind
from nnp.errors import OptionError
from nnp.functions import (
    Argument,
    MomentFunction,
    MomentPair,
    MomentQuartic,
    MomentSum,
    MomentTriple,
    RadialSeries,
    SymmetryFunction,
)
from nnp.io.nep.header import SWITCHES
from nnp.potential import ElementModel

# The coefficients that NEP's descriptors have as functions of moments.
SUM = math.sqrt(4 * math.pi)
PAIR = TRIPLE = 1.0
QUARTIC = 7 / 15  # of the square of the 3-body descriptor of l = 1


def no_nep(reason: str) -> OptionError:
    """Why a potential cannot be written."""
    return OptionError(
        f"the potential is not a NEP: {reason}; a one-file model (FILE.nnp) holds any potential"
    )


@dataclass(frozen=True)
class Layout:
    """The order of the vector: radial functions, then l by l, then the switches, n fastest.

    Attributes:
        n_radial, n_angular: radial functions.
        l_max: largest l of the 3-body descriptors.
        switches: those of `SWITCHES` that are on.
    """

    n_radial: int
    n_angular: int
    l_max: int
    switches: tuple[str, ...]

    @property
    def width(self) -> int:
        """Columns."""
        return self.n_radial + self.n_angular * (self.l_max + len(self.switches))

    def place(self, function: SymmetryFunction) -> tuple[int, float]:
        """A function's column, and what it is of the descriptor there."""
        function = _checked(function)
        if isinstance(function, MomentSum):
            return function.n_1, function.coefficient / SUM
        if isinstance(function, MomentPair):
            block, own = function.l_1 - 1, function.coefficient / PAIR
        else:
            name = switch_of(function)
            block = self.l_max + self.switches.index(name)
            own = function.coefficient / (QUARTIC if name == "1111" else TRIPLE)
            if name != "1111" and int(max(name)) > self.l_max:
                if own:
                    raise no_nep(f"q{name} of l above {self.l_max}, the largest of its pairs")
                own = 1.0  # a column of zeros, as a file has it
        return self.n_radial + block * self.n_angular + function.numbers[0], own


def switch_of(function: MomentFunction) -> str:
    """The name of a 4-body or 5-body descriptor.

    Raises:
        OptionError: NEP has no such function.
    """
    if isinstance(function, MomentQuartic):
        return "1111"
    name = "".join(map(str, sorted(function.degrees)))
    if not isinstance(function, MomentTriple) or name not in SWITCHES:
        raise no_nep(f"it has a {function.describe()}")
    return name


def nep_functions(
    radial: RadialSeries, angular: RadialSeries, l_max: int, switches: Sequence[str]
) -> list[MomentFunction]:
    """The descriptors of one element in the vector's order.

    Args:
        radial: series of the radial functions.
        angular: of the others.
        l_max: largest l of the 3-body descriptors.
        switches: those of `SWITCHES` that are on.
    """
    found: list[MomentFunction] = [MomentSum(radial, SUM, n) for n in range(radial.n_functions)]
    numbers = range(angular.n_functions)
    for degree in range(1, l_max + 1):
        found += [MomentPair(angular, PAIR, n, n, degree) for n in numbers]
    for switch in SWITCHES:
        if switch in switches:
            found += [_many_body(angular, switch, n, l_max) for n in numbers]
    return found


def _many_body(series: RadialSeries, switch: str, n: int, l_max: int) -> MomentFunction:
    """A 4-body or 5-body descriptor; 0 where it asks for an l beyond l_max."""
    if switch == "1111":
        return MomentQuartic(series, QUARTIC, n)
    degrees = [int(digit) for digit in switch]
    coefficient = TRIPLE if max(degrees) <= l_max else 0.0
    return MomentTriple(series, coefficient, n, n, n, *degrees)


def layout_of(models: Sequence[ElementModel]) -> Layout:
    """The vector that holds all functions of all elements.

    Raises:
        OptionError: a function that NEP does not have, or other sizes in other elements.
    """
    functions = [_checked(function) for model in models for function in model.functions]
    sizes = set()
    for model in models:
        radial, angular = series_of(model)
        sizes.add((radial.n_functions, angular.n_functions))
    if len(sizes) != 1:
        raise no_nep("its elements have different numbers of radial functions")
    degrees = [f.l_1 for f in functions if isinstance(f, MomentPair)]
    names = {switch_of(f) for f in functions if not isinstance(f, MomentSum | MomentPair)}
    switches = tuple(name for name in SWITCHES if name in names)
    return Layout(*sizes.pop(), max(degrees, default=1), switches)


def series_of(model: ElementModel) -> tuple[RadialSeries, RadialSeries]:
    """An element's radial and angular series.

    Raises:
        OptionError: there is none, or more than one, or it is not a NEP's.
    """
    moments = [_checked(function) for function in model.functions]
    radial = {f.series for f in moments if isinstance(f, MomentSum)}
    angular = {f.series for f in moments if not isinstance(f, MomentSum)}
    return _only(radial, f"radial functions of {model.symbol}"), _only(
        angular, f"angular functions of {model.symbol}"
    )


def _only(found: Iterable[RadialSeries], what: str) -> RadialSeries:
    series = tuple(found)
    if len(series) != 1:
        raise no_nep(f"the {what} are of {len(series)} series: one is expected")
    (one,) = series
    kind = CutoffKind(one.cutoff_kind)
    if one.argument is not Argument.SQUARE or kind is not CutoffKind.COSINE or one.inner_fraction:
        raise no_nep(
            f"the {what} are not NEP's: argument {one.argument.name.lower()}, cutoff "
            f"{kind.name.lower()}; square and cosine are expected"
        )
    return one


def _checked(function: SymmetryFunction) -> MomentFunction:
    if not isinstance(function, MomentFunction):
        raise no_nep(f"it has a {function.describe()}")
    if len(set(function.numbers)) != 1 or (isinstance(function, MomentPair) and not function.l_1):
        raise no_nep(f"it has a {function.describe()}, and NEP none of several n or of l = 0")
    return function
