"""NEP's functions for a fit, by the names of GPUMD's ``nep.in``; `nnp.io.nep.write` writes it.


Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617. The coefficients c of the
radial functions begin as the directions in which the moments of the training data vary most, as
those of the family ``moments`` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnp.cutoffs import CutoffKind
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions import Argument, RadialSeries, SymmetryFunction, canonical_order
from nnp.io.nep.columns import nep_functions
from nnp.io.nep.header import MOST_L, SWITCHES
from nnp.structure import Structure
from nnp.train.inputs.moments import Coefficients, GeneratedMoments, contract

_MOST_TERMS = 16  # of the kernels' data look: radial functions and terms of a series


@dataclass(frozen=True)
class _NepMoments(GeneratedMoments):
    """Moments of NEP's radial basis, for the look at the data."""

    def _series(self, symbols: tuple[str, ...], c: Coefficients) -> RadialSeries:
        return _series(symbols, self.cutoff, c)


@dataclass(frozen=True)
class GeneratedNep:
    """The functions of a NEP for any list of elements.

    Attributes:
        family: name of the family.
        cutoff: r_c of the radial and of the angular functions, Å.
        n_max: of both, g_n with n = 0 … n_max.
        basis_size: of both, terms k = 0 … basis_size.
        l_max: largest l, then switches of q222, q1111, q112, q123, q233, q134; 0 is off.
        neuron: of the hidden layer, instead of ``network.hidden``.
        learn: whether c are learned with the networks, from what the data say on.
    """

    family: str = "nep"
    cutoff: tuple[float, float] = (8.0, 4.0)
    n_max: tuple[int, int] = (6, 6)
    basis_size: tuple[int, int] = (6, 6)
    l_max: tuple[int, ...] = (4, 1)
    neuron: int = 30
    learn: bool = True

    def __post_init__(self) -> None:
        if self.family != "nep":
            raise OptionError(f"family = {self.family!r} is not 'nep'")
        radial, angular = self.cutoff
        if not 0 < angular <= radial < float("inf"):
            raise OptionError(
                f"cutoff = {list(self.cutoff)}: radial and angular radius in Å, the second not "
                "above the first"
            )
        for name in ("n_max", "basis_size"):
            if not all(0 <= number < _MOST_TERMS for number in getattr(self, name)):
                raise OptionError(
                    f"{name} = {list(getattr(self, name))}: two numbers from 0 to {_MOST_TERMS - 1}"
                )
        if not 1 <= len(self.l_max) <= 1 + len(SWITCHES) or not 1 <= self.l_max[0] <= MOST_L:
            raise OptionError(
                f"l_max = {list(self.l_max)}: l from 1 to {MOST_L}, then up to {len(SWITCHES)} "
                "switches"
            )
        if any(switch not in (0, 1, 2) for switch in self.l_max[1:]):
            raise OptionError(f"l_max = {list(self.l_max)}: switches are 0 or 1")
        if self.neuron < 1:
            raise OptionError(f"neuron = {self.neuron}: 1 or more")

    @property
    def switches(self) -> tuple[str, ...]:
        """Names of the invariants of more than three bodies."""
        return tuple(name for name, on in zip(SWITCHES, self.l_max[1:], strict=False) if on)

    def for_elements(
        self, elements: Iterable[str], structures: Sequence[Structure] = ()
    ) -> dict[str, tuple[SymmetryFunction, ...]]:
        """The functions of every element, in canonical order.

        Args:
            elements: symbols.
            structures: the data, from which c are taken.

        >>> [len(f) for f in GeneratedNep().for_elements(("O", "H")).values()]
        [42, 42]
        """
        symbols = tuple(sorted(elements, key=atomic_number))
        radial, angular = (self._coefficients(part, symbols, structures) for part in (0, 1))
        return {
            symbol: tuple(
                canonical_order(
                    nep_functions(
                        _series(symbols, self.cutoff[0], radial[symbol]),
                        _series(symbols, self.cutoff[1], angular[symbol]),
                        self.l_max[0],
                        self.switches,
                    )
                )
            )
            for symbol in symbols
        }

    def _coefficients(
        self, part: int, symbols: tuple[str, ...], structures: Sequence[Structure]
    ) -> dict[str, Coefficients]:
        count, terms = self.n_max[part] + 1, self.basis_size[part] + 1
        if count > terms * len(symbols):
            raise OptionError(
                f"n_max = {self.n_max[part]} with basis_size = {self.basis_size[part]}: of "
                f"{terms * len(symbols)} terms there are no more radial functions than that"
            )
        look = _NepMoments(
            cutoff=self.cutoff[part], radial=terms, angular=1, four_body=False, four_body_radial=1
        )
        return contract(look.spread(symbols, structures), count)


def _series(symbols: tuple[str, ...], cutoff: float, c: Coefficients) -> RadialSeries:
    radii = (float(cutoff),) * len(symbols)
    return RadialSeries(Argument.SQUARE, CutoffKind.COSINE, 0.0, symbols, radii, tuple(c.tolist()))
