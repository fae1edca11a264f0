"""What a family of symmetry functions is: the class that all families derive from.

A family is a frozen dataclass, one file each in this folder. It says which parameters it has and
how they travel to C (the row of ``kernels/include/nnp/families.h`` with the same name), how n2p2
spells it, in which order it stands, and its formula in torch. Everything else (files, engines,
training, commands) asks the class and knows no family by name. Families of other packages come by
the entry point group ``nnp.functions``; see docs/adding_a_function.md.

Formulas: Behler, J. Chem. Phys. 134, 074106 (2011), doi:10.1063/1.3553717; weighted ones:
Gastegger et al., J. Chem. Phys. 148, 241709 (2018), doi:10.1063/1.5019667; compact ones: Bircher
et al., Mach. Learn.: Sci. Technol. 2, 035026 (2021), doi:10.1088/2632-2153/abf817. Angular sums run
over unordered pairs of neighbours, j < k.

``neighbor`` or ``neighbors`` is None for the weighted functions: they see all elements, each
term times Z_j (radial) or Z_j Z_k (angular).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions.core import Core
from nnp.functions.lines import Line, Words
from nnp.functions.series import RadialSeries

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms


@dataclass(frozen=True)
class Parameter:
    """A parameter as it travels to C.

    Attributes:
        name: its name in C.
        meaning: of an integer: ``"element"``, ``"cutoff"``, ``"core"`` or ``"flag"``; of a real
            its unit: ``"length"``, ``"length^-1"``, ``"length^-2"``, ``"radian"`` or ``"1"``.
        value: from the function; None: the attribute of this name.
    """

    name: str
    meaning: str
    value: Callable[[Any], float] | None = None

    def of(self, function: SymmetryFunction) -> float:
        """Its value for a function; lengths in Å."""
        found: float = self.value(function) if self.value else getattr(function, self.name)
        return found


@dataclass(frozen=True)
class SymmetryFunction(ABC):
    """One symmetry function; a family is a frozen dataclass that derives from this.

    Attributes:
        number: enum nnp_family_number of families.h; 0: compiled engines lack the family.
        name: in C and in messages.
        is_angular: whether it sums over pairs of neighbours (True) or over neighbours.
        integers, reals: its parameters in the order in which C stores them.
        n2p2_types: type numbers of n2p2's (or RuNNer's) lines that `from_line` reads; none: n2p2
            has no such function.
    """

    number: ClassVar[int] = 0
    name: ClassVar[str]
    is_angular: ClassVar[bool]
    integers: ClassVar[tuple[Parameter, ...]] = ()
    reals: ClassVar[tuple[Parameter, ...]] = ()
    n2p2_types: ClassVar[tuple[int, ...]] = ()

    # ---- where it looks ------------------------------------------------------------------------

    @property
    @abstractmethod
    def radius(self) -> float:
        """Distance beyond which the function is 0, Å."""

    @property
    @abstractmethod
    def neighbor_symbols(self) -> tuple[str, ...]:
        """The elements it looks for among the neighbours; empty: all (weighted)."""

    @property
    def table(self) -> RadialSeries | None:
        """Numbers that functions of an element share; `integers` then begins with its number."""
        return None

    # ---- its formula ---------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def terms(cls) -> type[Terms]:
        """The formula: a class of torch modules, see `nnp.functions.torch_terms.Terms`."""

    # ---- its place and its text ----------------------------------------------------------------

    @abstractmethod
    def sort_key(self) -> tuple[Any, ...]:
        """The place among the functions of its type, as n2p2 orders them."""

    @property
    def order(self) -> tuple[Any, ...]:
        """The place among all functions of an element; families without n2p2's type come last."""
        unknown = not self.n2p2_types
        return (unknown, self.name if unknown else "", self.n2p2_type, *self.sort_key())

    @property
    def kind(self) -> str:
        """Name with what divides the family, such as ``angular_narrow``."""
        return self.name

    @abstractmethod
    def parameter_text(self) -> str:
        """The parameters in one line, in Å."""

    def describe(self) -> str:
        """One line for tables and messages, in Å."""
        who = "-".join(self.neighbor_symbols) or "all (weighted)"
        return f"{self.kind} {who} {self.parameter_text()}"

    # ---- n2p2's spelling -----------------------------------------------------------------------

    @property
    def n2p2_type(self) -> int:
        """The function's type number in n2p2 (RuNNer's where n2p2 has none); 0: neither has it."""
        return 0

    @classmethod
    def from_line(cls, line: Line) -> Self:
        """Read one of ``n2p2_types``.

        Raises:
            FileFormatError: a wrong count or value; names the line.
        """
        raise NotImplementedError(cls.__name__)

    def n2p2_words(self, words: Words) -> list[str]:  # noqa: ARG002
        """What stands behind centre and type on the function's line.

        Raises:
            OptionError: n2p2 has no such function.
        """
        raise OptionError(
            f"a {self.name.replace('_', ' ')} function cannot be written: n2p2 has no such "
            "function; a one-file model holds it"
        )

    # ---- our files and C -----------------------------------------------------------------------

    def entry(self) -> dict[str, Any]:
        """For a model file's header; JSON-serialisable."""
        return {"family": type(self).__name__, **asdict(self)}

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """From what `entry` gave."""
        values = {name: value for name, value in entry.items() if name != "family"}
        if "cutoff" in values:
            cutoff = dict(values["cutoff"])
            values["cutoff"] = Cutoff(CutoffKind(cutoff.pop("kind")), **cutoff)
        if "core" in values:
            values["core"] = Core(values["core"])
        if values.get("neighbors") is not None:
            values["neighbors"] = tuple(values["neighbors"])
        return cls(**values)

    def flat_integers(self) -> list[int]:
        """``integers`` by value."""
        return [int(parameter.of(self)) for parameter in self.integers]

    def flat_reals(self) -> list[float]:
        """``reals`` by value; Å and radians."""
        return [float(parameter.of(self)) for parameter in self.reals]


def canonical_order(functions: Iterable[SymmetryFunction]) -> list[SymmetryFunction]:
    """Functions of one element in n2p2's order, which its weights and scaling.data follow."""
    return sorted(functions, key=lambda function: function.order)


def describe(function: SymmetryFunction) -> str:
    """One line for tables and messages, in Å; see `SymmetryFunction.describe`."""
    return function.describe()


# ---- what families share -------------------------------------------------------------------------


class OneNeighbor(SymmetryFunction):
    """A function of neighbours one by one."""

    is_angular = False
    neighbor: str | None

    @property
    def neighbor_symbols(self) -> tuple[str, ...]:
        """See `SymmetryFunction.neighbor_symbols`."""
        return () if self.neighbor is None else (self.neighbor,)


class TwoNeighbors(SymmetryFunction):
    """A function of pairs of neighbours."""

    is_angular = True
    neighbors: tuple[str, str] | None

    @property
    def neighbor_symbols(self) -> tuple[str, ...]:
        """See `SymmetryFunction.neighbor_symbols`."""
        return self.neighbors or ()


class WholeNeighborhood(SymmetryFunction):
    """A function of all neighbours at once; ``terms`` gives a `NeighborhoodTerms`."""

    is_angular = False

    @property
    def shared(self) -> tuple[Any, ...]:
        """Functions of a family that have this in common are evaluated by one module."""
        return ()


class WithCutoff(SymmetryFunction):
    """A function that ends where its cutoff function does."""

    cutoff: Cutoff

    @property
    def radius(self) -> float:
        """See `SymmetryFunction.radius`."""
        return self.cutoff.radius

    @property
    def cutoff_key(self) -> tuple[int, float, float]:
        """The cutoff's part of `sort_key`."""
        return int(self.cutoff.kind), self.cutoff.inner_fraction, self.cutoff.radius


def neighbor_numbers(function: SymmetryFunction) -> tuple[int, ...]:
    """The neighbours' part of `SymmetryFunction.sort_key`."""
    return tuple(atomic_number(symbol) for symbol in function.neighbor_symbols)


def _neighbor(number: int) -> Callable[[SymmetryFunction], int]:
    def value(function: SymmetryFunction) -> int:
        found = neighbor_numbers(function)
        return found[number] if found else 0

    return value


NEIGHBOR_1 = Parameter("neighbor_1", "element", _neighbor(0))
NEIGHBOR_2 = Parameter("neighbor_2", "element", _neighbor(1))
CUTOFF = Parameter("cutoff", "cutoff", lambda f: int(f.cutoff.kind))
CUTOFF_REALS = (
    Parameter("r_cutoff", "length", lambda f: f.cutoff.radius),
    Parameter("inner_fraction", "1", lambda f: f.cutoff.inner_fraction),
)


def sorted_pair(pair: tuple[str, str] | None) -> tuple[str, str] | None:
    """Two symbols by atomic number.

    Raises:
        OptionError: they are not two.
    """
    if pair is None:
        return None
    if len(pair) != 2:
        raise OptionError(f"neighbors={pair!r}: an angular function takes two symbols")
    first, second = sorted(pair, key=atomic_number)
    return first, second


def check_finite(function: Any) -> None:
    """Refuse what is not a finite number where a float is due; the rest becomes a float.

    Raises:
        OptionError: names the parameter.
    """
    for field in fields(function):
        if field.type not in ("float", float):
            continue
        value = getattr(function, field.name)
        if not isinstance(value, Real) or not math.isfinite(value):
            raise OptionError(
                f"{field.name}={value!r} of a symmetry function is not a finite number"
            )
        object.__setattr__(function, field.name, float(value))


def check_range(name: str, left: float, right: float) -> None:
    """Refuse an empty range, or one below 0.

    Raises:
        OptionError: it is.
    """
    if not left < right:
        raise OptionError(f"{name}_left={left} must be below {name}_right={right}")
    if right <= 0:
        raise OptionError(f"{name}_right={right} must be positive")
