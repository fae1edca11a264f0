"""Functions of moments A_nlm = Σ_j g_n(r_ij) Y_lm(r̂_ij): sums over neighbours only, no pairs.

    sum      c A_n00                          (2-body: √(4π) A_n00 = Σ_j g_n)
    pair     c Σ_m A_nlm A_n'lm               (3-body, the power spectrum)
    triple   c Σ (a b c; m_a m_b m_c) A A A   (4-body, the bispectrum; Wigner's 3j symbol)
    quartic  c (Σ_m A_n1m²)²                  (5-body)
    chebyshev  c Σ_{j<k} g_n(r_ij) g_n(r_ik) T_l(x(cos θ_jik))    (3-body, as aenet has it)

g_n(r) = f_c(r) Σ_k c_nk T_k(x(r)) is a `RadialSeries`, which many functions share. Y_lm are real
and orthonormal. Bartók et al., Phys. Rev. B 87, 184115 (2013), doi:10.1103/PhysRevB.87.184115; as
NEP has them: Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617. Chebyshev's:
Artrith et al., Phys. Rev. B 96, 014112 (2017), doi:10.1103/PhysRevB.96.014112.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nnp.errors import OptionError
from nnp.functions.base import Parameter, SymmetryFunction, check_finite
from nnp.functions.series import RadialSeries

if TYPE_CHECKING:
    from nnp.functions.torch_terms import Terms

MOST_L = 20


@dataclass(frozen=True)
class MomentFunction(SymmetryFunction):
    """Base of the five families of moments.

    Attributes:
        series: the radial functions g_n.
        coefficient: a factor of the whole function.
    """

    is_angular: ClassVar[bool] = False
    reals: ClassVar[tuple[Parameter, ...]] = (Parameter("coefficient", "1"),)

    series: RadialSeries
    coefficient: float

    def __post_init__(self) -> None:
        check_finite(self)
        for number in self.numbers:
            if not 0 <= number < self.series.n_functions:
                raise OptionError(
                    f"a {self.name} function asks for radial function {number}: its series has 0 "
                    f"to {self.series.n_functions - 1}"
                )
        for degree in self.degrees:
            if not 0 <= degree <= MOST_L:
                raise OptionError(f"a {self.name} function has l = {degree}: 0 to {MOST_L}")

    @property
    def numbers(self) -> tuple[int, ...]:
        """N of its moments."""
        return tuple(int(getattr(self, p.name)) for p in self.integers if p.name.startswith("n_"))

    @property
    def degrees(self) -> tuple[int, ...]:
        """L of its moments."""
        return tuple(int(getattr(self, p.name)) for p in self.integers if p.name.startswith("l_"))

    @property
    def factor_degrees(self) -> tuple[int, ...]:
        """L of each moment that it multiplies, in the order of `numbers`."""
        return self.degrees

    @property
    def table(self) -> RadialSeries:
        """See `SymmetryFunction.table`."""
        return self.series

    @property
    def radius(self) -> float:
        """See `SymmetryFunction.radius`."""
        return max(self.series.radii)

    @property
    def neighbor_symbols(self) -> tuple[str, ...]:
        """See `SymmetryFunction.neighbor_symbols`."""
        return self.series.neighbors

    @classmethod
    def terms(cls) -> type[Terms]:
        """None: `nnp.reference.moments` evaluates the functions of a series together."""
        raise NotImplementedError(cls.__name__)

    def sort_key(self) -> tuple[Any, ...]:
        """By series, degrees, radial functions."""
        return (self.series.order, self.degrees, self.numbers, self.coefficient)

    def parameter_text(self) -> str:
        """See `SymmetryFunction.parameter_text`."""
        numbers = [f"{p.name}={getattr(self, p.name)}" for p in self.integers[1:]]
        return " ".join([*numbers, f"r_cutoff={self.radius:g}"])

    def entry(self) -> dict[str, Any]:
        """See `SymmetryFunction.entry`; the series' number is the model file's business."""
        values = {p.name: getattr(self, p.name) for p in (*self.integers[1:], *self.reals)}
        return {"family": type(self).__name__, **values}

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """From what `entry` gave, with the series itself."""
        values = {name: value for name, value in entry.items() if name != "family"}
        return cls(**values)


_SERIES = Parameter("series", "count", lambda _: 0)  # flatten puts its number here


def _counts(*names: str) -> tuple[Parameter, ...]:
    return (_SERIES, *(Parameter(name, "count") for name in names))


@dataclass(frozen=True)
class MomentSum(MomentFunction):
    """coefficient · A_n00, a sum over neighbours without angles.

    A_nlm = Σ_j g_n(r_ij) Y_lm(r̂_ij) with real, orthonormal spherical harmonics; the series gives
    the radial functions g_n, for each element of neighbours as a sum of Chebyshev polynomials times
    a cutoff function.

    Attributes:
        n_1: n, from 0.
    """

    number: ClassVar[int] = 16
    name: ClassVar[str] = "moment_sum"
    integers: ClassVar[tuple[Parameter, ...]] = _counts("n_1")

    n_1: int

    @property
    def factor_degrees(self) -> tuple[int, ...]:
        """See `MomentFunction.factor_degrees`."""
        return (0,)


@dataclass(frozen=True)
class MomentPair(MomentFunction):
    """coefficient · Σ_m A_nlm A_n'lm, A as in `MomentSum`: a three-body function.

    By the addition theorem this is (2l + 1)/4π Σ_jk g_n(r_ij) g_n'(r_ik) P_l(cos θ_jik).

    Attributes:
        n_1: n.
        n_2: n'.
        l_1: l.
    """

    number: ClassVar[int] = 17
    name: ClassVar[str] = "moment_pair"
    integers: ClassVar[tuple[Parameter, ...]] = _counts("n_1", "n_2", "l_1")

    n_1: int
    n_2: int
    l_1: int

    @property
    def factor_degrees(self) -> tuple[int, ...]:
        """See `MomentFunction.factor_degrees`."""
        return (self.l_1, self.l_1)


@dataclass(frozen=True)
class MomentTriple(MomentFunction):
    """coefficient · Σ (l_1 l_2 l_3; m m' m'') A_n_1 A_n_2 A_n_3: a four-body function.

    The sum over m, m', m'' couples three moments by Wigner's 3j symbols; A as in `MomentSum`.

    Attributes:
        n_1, n_2, n_3: radial functions of the three moments.
        l_1, l_2, l_3: their degrees.
    """

    number: ClassVar[int] = 18
    name: ClassVar[str] = "moment_triple"
    integers: ClassVar[tuple[Parameter, ...]] = _counts("n_1", "n_2", "n_3", "l_1", "l_2", "l_3")

    n_1: int
    n_2: int
    n_3: int
    l_1: int
    l_2: int
    l_3: int


@dataclass(frozen=True)
class MomentQuartic(MomentFunction):
    """coefficient · (Σ_m A_n1m²)², A as in `MomentSum`: a five-body function of NEP.

    Attributes:
        n_1: n.
    """

    number: ClassVar[int] = 19
    name: ClassVar[str] = "moment_quartic"
    integers: ClassVar[tuple[Parameter, ...]] = _counts("n_1")

    n_1: int

    @property
    def factor_degrees(self) -> tuple[int, ...]:
        """See `MomentFunction.factor_degrees`."""
        return (1,)


@dataclass(frozen=True)
class MomentChebyshev(MomentFunction):
    """coefficient · Σ_{j<k} g_n(r_ij) g_n(r_ik) T_l(x(cos θ_jik)), each pair of neighbours once.

    T_l is a sum of Legendre polynomials up to l, and each of these a sum over moments. The pairs of
    a neighbour with itself, Σ_j g_n(r_ij)², are subtracted; the series has these squares as its
    function n_2.

    Attributes:
        n_1: radial function g_n in the series.
        n_2: its square g_n² in the series.
        l_1: order of T.
        legacy: x = (2 cos θ − π)/π, as in aenet 2.0.0 to 2.0.3, instead of cos θ.
    """

    number: ClassVar[int] = 20
    name: ClassVar[str] = "moment_chebyshev"
    integers: ClassVar[tuple[Parameter, ...]] = (
        *_counts("n_1", "n_2", "l_1"),
        Parameter("legacy", "flag"),
    )

    n_1: int
    n_2: int
    l_1: int
    legacy: bool = False
