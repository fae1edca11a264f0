"""ænet's Chebyshev basis for a fit.

Artrith, Urban and Ceder, Phys. Rev. B 96, 014112 (2017), doi:10.1103/PhysRevB.96.014112.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions import SymmetryFunction, canonical_order
from nnp.functions.chebyshev import ChebyshevSetup
from nnp.structure import Structure


@dataclass(frozen=True)
class GeneratedChebyshev:
    """The basis of ænet, the same for every element; `nnp.io.aenet.write` can write the result.

    Attributes:
        family: name of the family.
        cutoff: of the radial functions, Å.
        radial: highest order of these.
        angular: highest order of the functions of the angle.
        angular_cutoff: of these, Å; None: the same.
        environment: elements in the order that gives them their weights, such as −1 and +1; empty:
            by atomic number.
    """

    family: str = "chebyshev"
    cutoff: float = 6.0
    radial: int = 16
    angular: int = 4
    angular_cutoff: float | None = None
    environment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.family != "chebyshev":
            raise OptionError(f"family = {self.family!r} is not 'chebyshev'")
        self._setup(self.environment or ("H",))

    def _setup(self, environment: Sequence[str]) -> ChebyshevSetup:
        angular = self.cutoff if self.angular_cutoff is None else self.angular_cutoff
        return ChebyshevSetup(tuple(environment), self.cutoff, self.radial, angular, self.angular)

    def for_elements(
        self,
        elements: Iterable[str],
        structures: Sequence[Structure] = (),  # noqa: ARG002  other families look at the data
    ) -> dict[str, tuple[SymmetryFunction, ...]]:
        """The functions of every element, in canonical order.

        Raises:
            OptionError: ``environment`` does not hold the elements.

        >>> [len(f) for f in GeneratedChebyshev().for_elements(("O", "Ti")).values()]
        [44, 44]
        """
        symbols = sorted(elements, key=atomic_number)
        if self.environment and sorted(self.environment, key=atomic_number) != symbols:
            raise OptionError(
                f"environment = {list(self.environment)}: the data has {', '.join(symbols)}"
            )
        functions = self._setup(self.environment or symbols).functions(symbols)
        return dict.fromkeys(symbols, tuple(canonical_order(functions)))
