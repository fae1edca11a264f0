"""The compact radial functions: nothing outside of a range of distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nnp.functions.base import (
    NEIGHBOR_1,
    OneNeighbor,
    Parameter,
    SymmetryFunction,
    check_finite,
    check_range,
    neighbor_numbers,
)
from nnp.functions.core import CORE_NUMBERS, Core
from nnp.functions.lines import Line, Words

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms

_COMPACT, _WEIGHTED = 20, 23


class WithRange(SymmetryFunction):
    """A function that ends by itself."""

    r_left: float
    r_right: float
    core: Core
    asymmetric: bool

    @property
    def radius(self) -> float:
        """See `SymmetryFunction.radius`."""
        return self.r_right

    @property
    def subtype(self) -> str:
        """n2p2's name of core and asymmetry, such as ``p2a``."""
        return self.core.value + ("a" if self.asymmetric else "")


CORE = Parameter("core", "core", lambda f: CORE_NUMBERS[f.core])
ASYMMETRIC = Parameter("asymmetric", "flag")
RANGE = (Parameter("r_left", "length"), Parameter("r_right", "length"))


@dataclass(frozen=True)
class CompactRadial(OneNeighbor, WithRange):
    """Σ_j C(r_ij), C(r) = core(|r − m| / w) for r_left < r < r_right, else 0.

    m is the middle of the range, w half its width.

    Attributes:
        neighbor: symbol of the neighbours, None: all, weighted.
        r_left: lower end, Å; may be negative (−r_right: a function that is 1 at r = 0).
        r_right: upper end, Å.
        core: the decay.
        asymmetric: core((2 − x) x) instead of core(x): steeper, with a broader foot.
    """

    neighbor: str | None
    r_left: float
    r_right: float
    core: Core
    asymmetric: bool = False

    number: ClassVar = 4
    name: ClassVar = "compact_radial"
    integers: ClassVar = (NEIGHBOR_1, CORE, ASYMMETRIC)
    reals: ClassVar = RANGE
    n2p2_types: ClassVar = (_COMPACT, _WEIGHTED)

    def __post_init__(self) -> None:
        check_finite(self)
        check_range("r", self.r_left, self.r_right)

    @classmethod
    def terms(cls) -> type[Terms]:
        """See `SymmetryFunction.terms`."""
        import torch

        from nnp.functions.torch_terms import PairTerms

        class CompactRadialTerms(PairTerms):
            def forward(self, r: torch.Tensor) -> torch.Tensor:
                return self.c_r(r)

        return CompactRadialTerms

    def sort_key(self) -> tuple[Any, ...]:
        """See `SymmetryFunction.sort_key`."""
        return (self.subtype, neighbor_numbers(self), self.r_right, self.r_left)

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        return f"{self.subtype} r={self.r_left:.5g}..{self.r_right:.5g}"

    @property
    def n2p2_type(self) -> int:
        """See `SymmetryFunction.n2p2_type`."""
        return _WEIGHTED if self.neighbor is None else _COMPACT

    @classmethod
    def from_line(cls, line: Line) -> Self:
        """See `SymmetryFunction.from_line`."""
        at = 3 if line.kind == _COMPACT else 2
        line.expect(at + 3)
        neighbor = line.element(2) if line.kind == _COMPACT else None
        return cls(neighbor, line.length(at), line.length(at + 1), *line.core(at + 2))

    def n2p2_words(self, words: Words) -> list[str]:
        """See `SymmetryFunction.n2p2_words`."""
        ends = [words.length(self.r_left), words.length(self.r_right)]
        return [*self.neighbor_symbols, *ends, self.subtype]
