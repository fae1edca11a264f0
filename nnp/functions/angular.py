"""The angular functions of Behler, narrow (G4) and wide (G5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nnp.cutoffs import Cutoff
from nnp.functions.base import (
    CUTOFF,
    CUTOFF_REALS,
    NEIGHBOR_1,
    NEIGHBOR_2,
    Parameter,
    TwoNeighbors,
    WithCutoff,
    check_finite,
    neighbor_numbers,
    sorted_pair,
)
from nnp.functions.lines import Line, Words

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms

_NARROW, _WIDE, _WEIGHTED = 3, 9, 13


@dataclass(frozen=True)
class Angular(TwoNeighbors, WithCutoff):
    """Angular function, narrow (G4) or wide (G5).

    2^{1−ζ} Σ_{j<k} (1 + λ cos θ_ijk)^ζ e^{−η Σ (r − r_s)²} Π f_c(r), the inner sum and product
    over r_ij, r_ik and, if narrow, r_jk. A term with 1 + λ cos θ ≤ 0 is 0.

    Attributes:
        neighbors: symbols of the two neighbours, any order; None: all, weighted.
        eta: η, Å⁻².
        lambda_: λ, usually ±1.
        zeta: ζ, any real number.
        r_shift: r_s, Å.
        cutoff: f_c.
        narrow: whether r_jk takes part.
    """

    neighbors: tuple[str, str] | None
    eta: float
    lambda_: float
    zeta: float
    r_shift: float
    cutoff: Cutoff
    narrow: bool

    number: ClassVar = 3
    name: ClassVar = "angular"
    integers: ClassVar = (NEIGHBOR_1, NEIGHBOR_2, CUTOFF, Parameter("narrow", "flag"))
    reals: ClassVar = (
        Parameter("eta", "length^-2"),
        Parameter("r_shift", "length"),
        *CUTOFF_REALS,
        Parameter("lambda", "1", lambda f: f.lambda_),
        Parameter("zeta", "1"),
    )
    n2p2_types: ClassVar = (_NARROW, _WIDE, _WEIGHTED)

    def __post_init__(self) -> None:
        object.__setattr__(self, "neighbors", sorted_pair(self.neighbors))
        check_finite(self)

    @classmethod
    def terms(cls) -> type[Terms]:
        """See `SymmetryFunction.terms`."""
        import torch

        from nnp.functions.torch_formulas import angular
        from nnp.functions.torch_terms import TripleTerms

        class AngularTerms(TripleTerms):
            def forward(
                self, distances: list[torch.Tensor], cos_theta: torch.Tensor
            ) -> torch.Tensor:
                product, square = torch.ones_like(distances[0]), torch.zeros_like(distances[0])
                for r in distances:
                    product = product * self.f_c(r)
                    square = square + (r - self.r_shift) ** 2
                angle = angular(cos_theta, self.lambda_, self.zeta)
                return torch.exp(-self.eta * square) * product * angle

        return AngularTerms

    def sort_key(self) -> tuple[Any, ...]:
        """See `SymmetryFunction.sort_key`."""
        shape = (self.eta, self.r_shift, self.zeta, self.lambda_)
        return (*self.cutoff_key, *shape, neighbor_numbers(self))

    @property
    def kind(self) -> str:
        """See `SymmetryFunction.kind`."""
        return "angular_narrow" if self.narrow else "angular_wide"

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        return (
            f"eta={self.eta:.5g} lambda={self.lambda_:g} zeta={self.zeta:g} "
            f"r_shift={self.r_shift:.5g} r_c={self.radius:.5g}"
        )

    @property
    def n2p2_type(self) -> int:
        """See `SymmetryFunction.n2p2_type`."""
        if self.neighbors is None:
            return _WEIGHTED
        return _NARROW if self.narrow else _WIDE

    @classmethod
    def from_line(cls, line: Line) -> Self:
        """See `SymmetryFunction.from_line`."""
        if line.kind == _WEIGHTED:
            line.expect(7)
            eta, r_shift = line.inverse_area(2), line.length(3)
            return cls(None, eta, line.number(4), line.number(5), r_shift, line.cutoff(6), True)
        line.expect(8, 9)
        return cls(
            neighbors=line.pair(2),
            eta=line.inverse_area(4),
            lambda_=line.number(5),
            zeta=line.number(6),
            r_shift=line.length(8) if len(line) == 9 else 0.0,
            cutoff=line.cutoff(7),
            narrow=line.kind == _NARROW,
        )

    def n2p2_words(self, words: Words) -> list[str]:
        """See `SymmetryFunction.n2p2_words`."""
        eta, shift = words.inverse_area(self.eta), words.length(self.r_shift)
        angle = [words.number(self.lambda_), words.number(self.zeta)]
        radius = words.length(self.radius)
        if self.neighbors is None:
            return [eta, shift, *angle, radius]
        return [*self.neighbors, eta, *angle, radius, *([shift] if self.r_shift else [])]
