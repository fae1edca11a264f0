"""The radial functions: Gaussians of the distance (G2), and the plain cutoff sum (G1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nnp.cutoffs import Cutoff
from nnp.functions.base import (
    CUTOFF,
    CUTOFF_REALS,
    NEIGHBOR_1,
    OneNeighbor,
    Parameter,
    WithCutoff,
    check_finite,
    neighbor_numbers,
)
from nnp.functions.lines import Line, Words

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms

_CUTOFF_SUM, _RADIAL, _WEIGHTED = 1, 2, 12  # 1 is RuNNer's


@dataclass(frozen=True)
class Radial(OneNeighbor, WithCutoff):
    """Σ_j e^{−η (r_ij − r_s)²} f_c(r_ij) (G2; with η = 0 the plain cutoff sum G1).

    Attributes:
        neighbor: symbol of the neighbours, None: all, weighted.
        eta: η, Å⁻².
        r_shift: r_s, Å.
        cutoff: f_c.

    >>> from nnp.cutoffs import Cutoff, CutoffKind
    >>> Radial("Si", 0.5, 0.0, Cutoff(CutoffKind.COSINE, 6.0)).describe()
    'radial Si eta=0.5 r_shift=0 r_c=6'
    """

    neighbor: str | None
    eta: float
    r_shift: float
    cutoff: Cutoff

    number: ClassVar = 1
    name: ClassVar = "radial"
    integers: ClassVar = (NEIGHBOR_1, CUTOFF)
    reals: ClassVar = (
        Parameter("eta", "length^-2"),
        Parameter("r_shift", "length"),
        *CUTOFF_REALS,
    )
    n2p2_types: ClassVar = (_CUTOFF_SUM, _RADIAL, _WEIGHTED)

    def __post_init__(self) -> None:
        check_finite(self)

    @classmethod
    def terms(cls) -> type[Terms]:
        """See `SymmetryFunction.terms`."""
        import torch

        from nnp.functions.torch_terms import PairTerms

        class RadialTerms(PairTerms):
            def forward(self, r: torch.Tensor) -> torch.Tensor:
                return torch.exp(-self.eta * (r - self.r_shift) ** 2) * self.f_c(r)

        return RadialTerms

    def sort_key(self) -> tuple[Any, ...]:
        """See `SymmetryFunction.sort_key`."""
        return (*self.cutoff_key, self.eta, self.r_shift, neighbor_numbers(self))

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        return f"eta={self.eta:.5g} r_shift={self.r_shift:.5g} r_c={self.radius:.5g}"

    @property
    def n2p2_type(self) -> int:
        """See `SymmetryFunction.n2p2_type`."""
        return _WEIGHTED if self.neighbor is None else _RADIAL

    @classmethod
    def from_line(cls, line: Line) -> Self:
        """See `SymmetryFunction.from_line`."""
        if line.kind == _CUTOFF_SUM:
            line.expect(4)
            return cls(line.element(2), 0.0, 0.0, line.cutoff(3))
        if line.kind == _RADIAL:
            line.expect(6)
            return cls(line.element(2), line.inverse_area(3), line.length(4), line.cutoff(5))
        line.expect(5)
        return cls(None, line.inverse_area(2), line.length(3), line.cutoff(4))

    def n2p2_words(self, words: Words) -> list[str]:
        """See `SymmetryFunction.n2p2_words`."""
        shift, radius = words.length(self.r_shift), words.length(self.radius)
        return [*self.neighbor_symbols, words.inverse_area(self.eta), shift, radius]
