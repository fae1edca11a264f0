"""Atom-centred symmetry functions: which ones, with which parameters, in which order.

Formulas stand in `nnp.reference` and the kernels. Names: Behler, J. Chem. Phys. 134, 074106
(2011), doi:10.1063/1.3553717; weighted ones: Gastegger et al., J. Chem. Phys. 148, 241709 (2018),
doi:10.1063/1.5019667; compact ones: Bircher et al., Mach. Learn.: Sci. Technol. 2, 035026 (2021),
doi:10.1088/2632-2153/abf817. Angular sums run over unordered pairs of neighbours, j < k.

``neighbor`` or ``neighbors`` is None for the weighted functions: they see all elements, each
term times Z_j (radial) or Z_j Z_k (angular).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from numbers import Real
from typing import Any

from nnp.cutoffs import Cutoff
from nnp.elements import atomic_number
from nnp.errors import OptionError


class Core(StrEnum):
    """Decay of a compact function from its centre (x = 0) to its edge (x = 1)."""

    POLY1 = "p1"  # 1 − 3x² + 2x³
    POLY2 = "p2"  # 1 − 10x³ + 15x⁴ − 6x⁵
    POLY3 = "p3"  # 1 − 35x⁴ + 84x⁵ − 70x⁶ + 20x⁷
    POLY4 = "p4"  # 1 − 126x⁵ + 420x⁶ − 540x⁷ + 315x⁸ − 70x⁹
    EXPONENTIAL = "e"  # exp(1 − 1 / (1 − x²))


class _WithCutoff:
    """A function that ends where its cutoff function does."""

    cutoff: Cutoff

    @property
    def radius(self) -> float:
        """Distance beyond which the function is 0, Å."""
        return self.cutoff.radius


class _WithRange:
    """A function that ends by itself."""

    r_right: float

    @property
    def radius(self) -> float:
        """Distance beyond which the function is 0, Å."""
        return self.r_right


@dataclass(frozen=True)
class Radial(_WithCutoff):
    """Σ_j e^{−η (r_ij − r_s)²} f_c(r_ij) (G2; with η = 0 the plain cutoff sum G1).

    Attributes:
        neighbor: symbol of the neighbours, None: all, weighted.
        eta: η, Å⁻².
        r_shift: r_s, Å.
        cutoff: f_c.
    """

    neighbor: str | None
    eta: float
    r_shift: float
    cutoff: Cutoff

    def __post_init__(self) -> None:
        _check_finite(self)


@dataclass(frozen=True)
class RadialCosine(_WithCutoff):
    """Σ_j cos(κ r_ij) f_c(r_ij) (G3).

    Attributes:
        neighbor: symbol of the neighbours.
        kappa: κ, Å⁻¹.
        cutoff: f_c.
    """

    neighbor: str
    kappa: float
    cutoff: Cutoff

    def __post_init__(self) -> None:
        _check_finite(self)


@dataclass(frozen=True)
class Angular(_WithCutoff):
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "neighbors", _sorted_pair(self.neighbors))
        _check_finite(self)


@dataclass(frozen=True)
class CompactRadial(_WithRange):
    """Σ_j C(r_ij), C(r) = core(|r − m| / w) for r_left < r < r_right, else 0.

    m is the middle of the range, w half its width.

    Attributes:
        neighbor: symbol of the neighbours, None: all, weighted.
        r_left: lower end, Å; may be negative (−r_right: a function that is 1 at r = 0).
        r_right: upper end, Å.
        core: the decay.
        asymmetric: core((2 − x) x) in place of core(x): steeper, with a broader foot.
    """

    neighbor: str | None
    r_left: float
    r_right: float
    core: Core
    asymmetric: bool = False

    def __post_init__(self) -> None:
        _check_finite(self)
        _check_range("r", self.r_left, self.r_right)


@dataclass(frozen=True)
class CompactAngular(_WithRange):
    """Σ_{j<k} C(r_ij) C(r_ik) [C(r_jk) if narrow] C_θ(θ_ijk), C as in `CompactRadial`.

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "neighbors", _sorted_pair(self.neighbors))
        _check_finite(self)
        _check_range("r", self.r_left, self.r_right)
        left, right = self.theta_left_deg, self.theta_right_deg
        _check_angles(left, right)


SymmetryFunction = Radial | RadialCosine | Angular | CompactRadial | CompactAngular


def neighbor_symbols(function: SymmetryFunction) -> tuple[str, ...]:
    """The elements a function looks for among the neighbours; empty: all (weighted)."""
    if isinstance(function, Angular | CompactAngular):
        return function.neighbors or ()
    return () if function.neighbor is None else (function.neighbor,)


def canonical_order(functions: Iterable[SymmetryFunction]) -> list[SymmetryFunction]:
    """Functions of one element in n2p2's order, which its weights and scaling.data follow."""
    return sorted(functions, key=_sort_key)


def describe(function: SymmetryFunction) -> str:
    """One line for tables and messages, in Å.

    >>> from nnp.cutoffs import Cutoff, CutoffKind
    >>> describe(Radial("Si", 0.5, 0.0, Cutoff(CutoffKind.COSINE, 6.0)))
    'radial Si eta=0.5 r_shift=0 r_c=6'
    """
    who = "-".join(neighbor_symbols(function)) or "all (weighted)"
    match function:
        case Radial(eta=eta, r_shift=r_shift, cutoff=cutoff):
            text = f"radial {who} eta={eta:.5g} r_shift={r_shift:.5g} r_c={cutoff.radius:.5g}"
        case RadialCosine(kappa=kappa, cutoff=cutoff):
            text = f"radial_cosine {who} kappa={kappa:.5g} r_c={cutoff.radius:.5g}"
        case Angular(eta=eta, lambda_=lambda_, zeta=zeta, r_shift=r_shift, cutoff=cutoff):
            text = (
                f"angular_{_reach(function)} {who} eta={eta:.5g} lambda={lambda_:g} zeta={zeta:g} "
                f"r_shift={r_shift:.5g} r_c={cutoff.radius:.5g}"
            )
        case CompactRadial(r_left=left, r_right=right):
            text = f"compact_radial {who} {subtype(function)} r={left:.5g}..{right:.5g}"
        case CompactAngular(r_left=left, r_right=right):
            text = (
                f"compact_angular_{_reach(function)} {who} {subtype(function)} "
                f"r={left:.5g}..{right:.5g} "
                f"theta={function.theta_left_deg:g}..{function.theta_right_deg:g} deg"
            )
    return text


def subtype(function: CompactRadial | CompactAngular) -> str:
    """n2p2's name of core and asymmetry, such as ``p2a``."""
    return function.core.value + ("a" if function.asymmetric else "")


def n2p2_type(function: SymmetryFunction) -> int:
    """The function's type number in n2p2; 4 (RuNNer's) for `RadialCosine`, which n2p2 lacks."""
    weighted = not neighbor_symbols(function)
    match function:
        case Radial():
            return 12 if weighted else 2
        case RadialCosine():
            return 4
        case Angular(narrow=narrow):
            return 13 if weighted else (3 if narrow else 9)
        case CompactRadial():
            return 23 if weighted else 20
        case CompactAngular(narrow=narrow):
            return (24 if weighted else 21) + (0 if narrow else 1)


def _reach(function: Angular | CompactAngular) -> str:
    return "narrow" if function.narrow else "wide"


def _sort_key(function: SymmetryFunction) -> tuple[Any, ...]:
    kind = n2p2_type(function)
    neighbors = tuple(atomic_number(symbol) for symbol in neighbor_symbols(function))
    match function:
        case Radial(eta=eta, r_shift=r_shift, cutoff=cutoff):
            return (kind, *_cutoff_key(cutoff), eta, r_shift, neighbors)
        case RadialCosine(kappa=kappa, cutoff=cutoff):
            return (kind, *_cutoff_key(cutoff), kappa, neighbors)
        case Angular(eta=eta, lambda_=lambda_, zeta=zeta, r_shift=r_shift, cutoff=cutoff):
            return (kind, *_cutoff_key(cutoff), eta, r_shift, zeta, lambda_, neighbors)
        case CompactRadial(r_left=left, r_right=right):
            return (kind, subtype(function), neighbors, right, left)
        case CompactAngular(r_left=left, r_right=right):
            angles = (function.theta_left_deg, function.theta_right_deg)
            return (kind, subtype(function), neighbors, right, left, *angles)


def _cutoff_key(cutoff: Cutoff) -> tuple[int, float, float]:
    return int(cutoff.kind), cutoff.inner_fraction, cutoff.radius


def _sorted_pair(pair: tuple[str, str] | None) -> tuple[str, str] | None:
    if pair is None:
        return None
    if len(pair) != 2:
        raise OptionError(f"neighbors={pair!r}: an angular function takes two symbols")
    first, second = sorted(pair, key=atomic_number)
    return first, second


def _check_finite(function: Any) -> None:
    for field in fields(function):
        if field.type != "float":
            continue
        value = getattr(function, field.name)
        if not isinstance(value, Real) or not math.isfinite(value):
            raise OptionError(
                f"{field.name}={value!r} of a symmetry function is not a finite number"
            )
        object.__setattr__(function, field.name, float(value))


def _check_range(name: str, left: float, right: float) -> None:
    if not left < right:
        raise OptionError(f"{name}_left={left} must be below {name}_right={right}")
    if right <= 0:
        raise OptionError(f"{name}_right={right} must be positive")


def _check_angles(left: float, right: float) -> None:
    _check_range("theta", left, right)
    centre = (left + right) / 2
    past = [end for end, beyond in ((0.0, left < 0), (180.0, right > 180)) if beyond]
    if left >= 180 or any(not math.isclose(centre, end, abs_tol=1e-9) for end in past):
        raise OptionError(
            f"theta range {left} to {right} degrees: past 0 or 180 it may reach only "
            "symmetrically around that end, such as -60 to 60 or 120 to 240"
        )
