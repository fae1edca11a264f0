"""The angular functions of ANI: shifted angles, and the mean of the two distances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

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

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms


@dataclass(frozen=True)
class AngularShifted(TwoNeighbors, WithCutoff):
    """2^{1−ζ} Σ_{j<k} (1 + cos(θ_ijk − θ_s))^ζ e^{−η ((r_ij + r_ik)/2 − r_s)²} f_c(r_ij) f_c(r_ik).

    Smith, Isayev and Roitberg, Chem. Sci. 8, 3192 (2017), doi:10.1039/C6SC05720A, eq. 4. Unless θ_s
    is 0° or 180° the function has a kink where three atoms lie in a line: it depends on
    |θ − 180°| there, and forces jump.

    Attributes:
        neighbors: symbols of the two neighbours, any order; None: all, weighted.
        eta: η, Å⁻².
        theta_shift_deg: θ_s, degrees.
        zeta: ζ, any real number.
        r_shift: r_s, Å.
        cutoff: f_c.
    """

    neighbors: tuple[str, str] | None
    eta: float
    theta_shift_deg: float
    zeta: float
    r_shift: float
    cutoff: Cutoff

    number: ClassVar = 6
    name: ClassVar = "angular_shifted"
    integers: ClassVar = (NEIGHBOR_1, NEIGHBOR_2, CUTOFF)
    reals: ClassVar = (
        Parameter("eta", "length^-2"),
        Parameter("r_shift", "length"),
        *CUTOFF_REALS,
        Parameter("theta_shift", "radian", lambda f: math.radians(f.theta_shift_deg)),
        Parameter("zeta", "1"),
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "neighbors", sorted_pair(self.neighbors))
        check_finite(self)

    @classmethod
    def terms(cls) -> type[Terms]:
        """See `SymmetryFunction.terms`."""
        import torch

        from nnp.functions.torch_formulas import angle_deg
        from nnp.functions.torch_terms import TripleTerms

        class AngularShiftedTerms(TripleTerms):
            def forward(
                self, distances: list[torch.Tensor], cos_theta: torch.Tensor
            ) -> torch.Tensor:
                r_ij, r_ik = distances[0], distances[1]
                beyond = (r_ij + r_ik) / 2 - self.r_shift
                shifted = torch.deg2rad(angle_deg(cos_theta) - self.theta_shift_deg)
                angle: torch.Tensor = 2 ** (1 - self.zeta) * (1 + torch.cos(shifted)) ** self.zeta
                return angle * torch.exp(-self.eta * beyond**2) * self.f_c(r_ij) * self.f_c(r_ik)

        return AngularShiftedTerms

    def sort_key(self) -> tuple[Any, ...]:
        """See `SymmetryFunction.sort_key`."""
        shape = (self.eta, self.r_shift, self.zeta, self.theta_shift_deg)
        return (*self.cutoff_key, *shape, neighbor_numbers(self))

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        return (
            f"eta={self.eta:.5g} theta_shift={self.theta_shift_deg:g} deg zeta={self.zeta:g} "
            f"r_shift={self.r_shift:.5g} r_c={self.radius:.5g}"
        )
