"""The compact angular functions: nothing outside of a range of distances and of angles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nnp.errors import OptionError
from nnp.functions.base import (
    NEIGHBOR_1,
    NEIGHBOR_2,
    Parameter,
    TwoNeighbors,
    check_finite,
    check_range,
    neighbor_numbers,
    sorted_pair,
)
from nnp.functions.compact_radial import ASYMMETRIC, CORE, RANGE, WithRange
from nnp.functions.core import Core
from nnp.functions.lines import Line, Words

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms

# narrow and wide
_OF_PAIRS, _WEIGHTED = (21, 22), (24, 25)


@dataclass(frozen=True)
class CompactAngular(TwoNeighbors, WithRange):
    """Σ_{j<k} C(r_ij) C(r_ik) [C(r_jk) if narrow] C_θ(θ_ijk), C as in `CompactRadial`.

    Neighbours in line with the atom count by the limit, with a slope of 0 by the angle. n2p2 2.3
    leaves them out, and its energy jumps there: in perfect crystals and small cells, where an atom
    has images on both sides, the two differ.

    Attributes:
        neighbors: symbols of the two neighbours, any order; None: all, weighted.
        r_left, r_right: ends of the distances' range, Å.
        theta_left_deg, theta_right_deg: ends of the angle's range, degrees; may reach past 0 or
            180 only symmetrically around that end, so that the function stays smooth there.
        core: the decay, of distances and angle.
        asymmetric: as in `CompactRadial`, for the distances only.
        narrow: whether r_jk takes part.
    """

    neighbors: tuple[str, str] | None
    r_left: float
    r_right: float
    theta_left_deg: float
    theta_right_deg: float
    core: Core
    asymmetric: bool
    narrow: bool

    number: ClassVar = 5
    name: ClassVar = "compact_angular"
    integers: ClassVar = (NEIGHBOR_1, NEIGHBOR_2, CORE, ASYMMETRIC, Parameter("narrow", "flag"))
    reals: ClassVar = (
        *RANGE,
        Parameter("theta_left", "radian", lambda f: math.radians(f.theta_left_deg)),
        Parameter("theta_right", "radian", lambda f: math.radians(f.theta_right_deg)),
    )
    n2p2_types: ClassVar = (*_OF_PAIRS, *_WEIGHTED)

    def __post_init__(self) -> None:
        object.__setattr__(self, "neighbors", sorted_pair(self.neighbors))
        check_finite(self)
        check_range("r", self.r_left, self.r_right)
        _check_angles(self.theta_left_deg, self.theta_right_deg)

    @classmethod
    def terms(cls) -> type[Terms]:
        """See `SymmetryFunction.terms`."""
        import torch

        from nnp.functions.torch_formulas import angle_deg, compact
        from nnp.functions.torch_terms import TripleTerms

        class CompactAngularTerms(TripleTerms):
            def forward(
                self, distances: list[torch.Tensor], cos_theta: torch.Tensor
            ) -> torch.Tensor:
                theta = angle_deg(cos_theta)
                value = compact(theta, self.theta_left_deg, self.theta_right_deg, self.core, False)
                for r in distances:
                    value = value * self.c_r(r)
                return value

        return CompactAngularTerms

    def sort_key(self) -> tuple[Any, ...]:
        """See `SymmetryFunction.sort_key`."""
        ends = (self.r_right, self.r_left, self.theta_left_deg, self.theta_right_deg)
        return (self.subtype, neighbor_numbers(self), *ends)

    @property
    def kind(self) -> str:
        """See `SymmetryFunction.kind`."""
        return "compact_angular_narrow" if self.narrow else "compact_angular_wide"

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        return (
            f"{self.subtype} r={self.r_left:.5g}..{self.r_right:.5g} "
            f"theta={self.theta_left_deg:g}..{self.theta_right_deg:g} deg"
        )

    @property
    def n2p2_type(self) -> int:
        """See `SymmetryFunction.n2p2_type`."""
        narrow, wide = _WEIGHTED if self.neighbors is None else _OF_PAIRS
        return narrow if self.narrow else wide

    @classmethod
    def from_line(cls, line: Line) -> Self:
        """See `SymmetryFunction.from_line`."""
        of_pairs = line.kind in _OF_PAIRS
        at = 4 if of_pairs else 2
        line.expect(at + 5)
        core, asymmetric = line.core(at + 4)
        return cls(
            neighbors=line.pair(2) if of_pairs else None,
            r_left=line.length(at),
            r_right=line.length(at + 1),
            theta_left_deg=line.number(at + 2),
            theta_right_deg=line.number(at + 3),
            core=core,
            asymmetric=asymmetric,
            narrow=line.kind in (_OF_PAIRS[0], _WEIGHTED[0]),
        )

    def n2p2_words(self, words: Words) -> list[str]:
        """See `SymmetryFunction.n2p2_words`."""
        ends = [words.length(self.r_left), words.length(self.r_right)]
        angles = [words.number(self.theta_left_deg), words.number(self.theta_right_deg)]
        return [*self.neighbor_symbols, *ends, *angles, self.subtype]


def _check_angles(left: float, right: float) -> None:
    check_range("theta", left, right)
    centre = (left + right) / 2
    past = [end for end, beyond in ((0.0, left < 0), (180.0, right > 180)) if beyond]
    if left >= 180 or any(not math.isclose(centre, end, abs_tol=1e-9) for end in past):
        raise OptionError(
            f"theta range {left} to {right} degrees: past 0 or 180 it may reach only "
            "symmetrically around that end, such as -60 to 60 or 120 to 240"
        )
