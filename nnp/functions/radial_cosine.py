"""The radial functions of cosines (G3), which RuNNer has and n2p2 lacks."""

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
from nnp.functions.lines import Line

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms

_RUNNER = 4


@dataclass(frozen=True)
class RadialCosine(OneNeighbor, WithCutoff):
    """Σ_j cos(κ r_ij) f_c(r_ij) (G3).

    Attributes:
        neighbor: symbol of the neighbours.
        kappa: κ, Å⁻¹.
        cutoff: f_c.
    """

    neighbor: str
    kappa: float
    cutoff: Cutoff

    number: ClassVar = 2
    name: ClassVar = "radial_cosine"
    integers: ClassVar = (NEIGHBOR_1, CUTOFF)
    reals: ClassVar = (Parameter("kappa", "length^-1"), *CUTOFF_REALS)
    n2p2_types: ClassVar = (_RUNNER,)

    def __post_init__(self) -> None:
        check_finite(self)

    @classmethod
    def terms(cls) -> type[Terms]:
        """See `SymmetryFunction.terms`."""
        import torch

        from nnp.functions.torch_terms import PairTerms

        class RadialCosineTerms(PairTerms):
            def forward(self, r: torch.Tensor) -> torch.Tensor:
                return torch.cos(self.kappa * r) * self.f_c(r)

        return RadialCosineTerms

    def sort_key(self) -> tuple[Any, ...]:
        """See `SymmetryFunction.sort_key`."""
        return (*self.cutoff_key, self.kappa, neighbor_numbers(self))

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        return f"kappa={self.kappa:.5g} r_c={self.radius:.5g}"

    @property
    def n2p2_type(self) -> int:
        """See `SymmetryFunction.n2p2_type`."""
        return _RUNNER

    @classmethod
    def from_line(cls, line: Line) -> Self:
        """See `SymmetryFunction.from_line`."""
        line.expect(5)
        return cls(line.element(2), line.inverse_length(3), line.cutoff(4))
