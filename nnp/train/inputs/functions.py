"""The symmetry functions of a fit: from a file, or generated from a cutoff and the elements.

Radial grids after Gastegger et al., J. Chem. Phys. 148, 241709 (2018), doi:10.1063/1.5019667, and
Imbalzano et al., J. Chem. Phys. 148, 241730 (2018), doi:10.1063/1.5024611.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations_with_replacement, product
from pathlib import Path

import numpy as np

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.elements import atomic_number
from nnp.errors import OptionError
from nnp.functions import Angular, Radial, SymmetryFunction, canonical_order
from nnp.io.aenet.train_set import setup_in
from nnp.io.model import read as read_model
from nnp.io.n2p2.functions import cutoff_maker, read_function
from nnp.io.n2p2.settings import Settings as InputNN
from nnp.structure import Structure
from nnp.train.inputs.chebyshev import GeneratedChebyshev
from nnp.train.inputs.local_frame import GeneratedLocalFrame
from nnp.train.inputs.moments import GeneratedMoments
from nnp.train.inputs.nep import GeneratedNep
from nnp.train.inputs.prune import PruneSettings
from nnp.units import ATOMIC, unit_system

Functions = dict[str, tuple[SymmetryFunction, ...]]


class RadialGrid(StrEnum):
    """How widths and centres of radial functions are laid out."""

    SHIFTED = "shifted"  # equal widths, centres from r_first to r_c (Gastegger)
    CENTERED = "centered"  # centres at 0, widths from r_first to r_c (Gastegger)
    GEOMETRIC_SHIFTED = "geometric_shifted"  # finer near the atom (Imbalzano)
    GEOMETRIC_CENTERED = "geometric_centered"  # centres at 0, widths geometric (Imbalzano)


@dataclass(frozen=True)
class RadialSettings:
    """A grid of radial functions for every neighbour element.

    Attributes:
        grid: the layout.
        count: number of functions per neighbour element.
        r_first: first centre or width, Å.
        overlap: η is divided by its square: above 1 neighbouring functions overlap more.
    """

    grid: RadialGrid = RadialGrid.SHIFTED
    count: int = 8
    r_first: float = 1.0
    overlap: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid", RadialGrid(self.grid))
        if self.count < 1 or not self.r_first > 0 or not self.overlap > 0:
            raise OptionError(
                f"radial functions with count = {self.count}, r_first = {self.r_first}, overlap = "
                f"{self.overlap}: a count of 1 or more and positive numbers are expected"
            )


@dataclass(frozen=True)
class AngularSettings:
    """All combinations of η, λ and ζ for every pair of neighbour elements.

    Attributes:
        widths: Å; η = 1 / (2 width²).
        zetas: ζ.
        lambdas: λ.
        r_shift: r_s, Å.
        narrow: whether r_jk takes part.
        cutoff: Å; the set's cutoff when None.
        weighted: whether one function sums over all neighbours, weighted by atomic numbers, in
            place of one for each pair of elements.
    """

    widths: tuple[float, ...] = (15.0, 5.0, 3.0, 2.0)
    zetas: tuple[float, ...] = (1.0, 2.0, 4.0, 16.0)
    lambdas: tuple[float, ...] = (-1.0, 1.0)
    r_shift: float = 0.0
    narrow: bool = True
    cutoff: float | None = None
    weighted: bool = False

    def __post_init__(self) -> None:
        if any(width <= 0 for width in self.widths):
            raise OptionError(f"angular widths = {self.widths} must be positive")

    @property
    def count(self) -> int:
        """Functions for each pair of elements, or of all together."""
        return len(self.widths) * len(self.zetas) * len(self.lambdas)


@dataclass(frozen=True)
class GeneratedFunctions:
    """Behler's functions for any list of elements.

    Attributes:
        family: name of the family.
        cutoff: r_c, Å.
        cutoff_kind: number of `CutoffKind`.
        inner_fraction: inner radius as a fraction of the cutoff.
        radial: grids, each for every neighbour element.
        angular: sets, each for every pair of neighbour elements.
    """

    cutoff: float = 6.0
    cutoff_kind: CutoffKind = CutoffKind.COSINE
    inner_fraction: float = 0.0
    radial: tuple[RadialSettings, ...] = field(default=(RadialSettings(),))
    angular: tuple[AngularSettings, ...] = field(default=(AngularSettings(),))
    family: str = "behler"

    def __post_init__(self) -> None:
        if self.family != "behler":
            raise OptionError(f"family = {self.family!r} is not 'behler'")

    def for_elements(
        self,
        elements: Iterable[str],
        structures: Sequence[Structure] = (),  # noqa: ARG002  other families look at the data
    ) -> dict[str, tuple[SymmetryFunction, ...]]:
        """The functions of every element, in canonical order.

        >>> [len(f) for f in GeneratedFunctions().for_elements(("O", "H")).values()]
        [112, 112]
        """
        symbols = sorted(elements, key=atomic_number)
        cutoff = Cutoff(CutoffKind(self.cutoff_kind), self.cutoff, self.inner_fraction)
        functions: set[SymmetryFunction] = set()
        for settings in self.radial:
            functions |= set(radial_functions(symbols, settings, cutoff))
        for angular in self.angular:
            functions |= set(angular_functions(symbols, angular, cutoff))
        ordered = tuple(canonical_order(functions))
        return dict.fromkeys(symbols, ordered)


@dataclass(frozen=True)
class FunctionSettings:
    """[functions]: the symmetry functions.

    Attributes:
        file: a one-file potential or an n2p2 input.nn whose functions are used unchanged, including
            learned coefficients; None: generate them.
        file_units: units of an input.nn, see `nnp.units.unit_system`.
        setups: ænet's ``.stp`` file of each element, or its training set, instead of ``file`` and
            ``generate``.
        nep: functions of NEP by the names of nep.in, instead of ``generate``.
        generate: the generated set; its ``family`` says which class holds the rest.
        prune: which functions to leave out.
    """

    file: str | None = None
    file_units: str | None = None
    setups: dict[str, str] = field(default_factory=dict)
    nep: GeneratedNep | None = None
    generate: (
        GeneratedFunctions
        | GeneratedMoments
        | GeneratedChebyshev
        | GeneratedLocalFrame
        | GeneratedNep
    ) = field(default_factory=GeneratedFunctions)
    prune: PruneSettings = field(default_factory=PruneSettings)

    def __post_init__(self) -> None:
        if self.nep is not None:
            object.__setattr__(self, "generate", self.nep)


def choose_functions(
    settings: FunctionSettings, elements: Iterable[str], structures: Sequence[Structure] = ()
) -> Functions:
    """Functions per element, from a file or generated; some families look at the data."""
    symbols = tuple(elements)
    if settings.setups:
        return _of_setups(settings, symbols)
    if settings.file is None:
        return settings.generate.for_elements(symbols, structures)
    if Path(settings.file).suffix == ".nnp":
        return _functions_of_model(settings.file, symbols)
    lines = InputNN(Path(settings.file))
    make_cutoff = cutoff_maker(lines.one("cutoff_type"), lines.one("cutoff_alpha"))
    length = (unit_system(settings.file_units) or ATOMIC).length_in_angstrom
    found: dict[str, list[SymmetryFunction]] = {symbol: [] for symbol in symbols}
    named = tuple(lines.required("elements").arguments)
    for entry in lines.all("symfunction_short", "symfunction"):
        central, function = read_function(entry, named, make_cutoff, length)
        if central in found:
            found[central].append(function)
    for symbol, own in found.items():
        if not own:
            raise OptionError(f"{settings.file} has no symfunction_short line for {symbol}")
    return {symbol: tuple(canonical_order(own)) for symbol, own in found.items()}


def _functions_of_model(path: str, symbols: Sequence[str]) -> Functions:
    known = {model.symbol: model.functions for model in read_model(path).models}
    unknown = sorted(set(symbols) - set(known))
    if unknown:
        raise OptionError(f"{path} has functions for {', '.join(known)}, not for {unknown[0]}")
    strangers = sorted(set(known) - set(symbols))
    if strangers:
        raise OptionError(
            f"{path} has functions of {strangers[0]} too, which the training data lacks: its "
            "functions would look for it among the neighbours"
        )
    return {symbol: known[symbol] for symbol in symbols}


def _of_setups(settings: FunctionSettings, symbols: Sequence[str]) -> Functions:
    if missing := [symbol for symbol in symbols if symbol not in settings.setups]:
        raise OptionError(f"functions.setups: none for {', '.join(missing)}")
    ordered, found = sorted(symbols, key=atomic_number), {}
    for symbol in symbols:
        setup = setup_in(settings.setups[symbol], symbol)
        if setup.central != symbol:
            raise OptionError(f"{setup.path} is for {setup.central}, not for {symbol}")
        if strangers := [s for s in setup.environment if s not in symbols]:
            raise OptionError(f"{setup.path} looks for {', '.join(strangers)}: the data has none")
        found[symbol] = setup.functions(ordered)
    return found


def radial_functions(
    elements: Sequence[str], settings: RadialSettings, cutoff: Cutoff
) -> list[Radial]:
    """A grid of radial functions for each element.

    Raises:
        OptionError: the grid does not fit below the cutoff.
    """
    if settings.r_first >= cutoff.radius:
        raise OptionError(
            f"r_first = {settings.r_first} Å of radial functions is not below the cutoff, "
            f"{cutoff.radius} Å"
        )
    etas, shifts = _grid(settings, cutoff.radius)
    etas = etas / settings.overlap**2
    return [
        Radial(symbol, float(eta), float(shift), cutoff)
        for symbol in elements
        for eta, shift in zip(etas, shifts, strict=True)
    ]


def angular_functions(
    elements: Sequence[str], settings: AngularSettings, cutoff: Cutoff
) -> list[Angular]:
    """A set of angular functions for each pair of elements, or a weighted one of all."""
    if settings.cutoff is not None:
        cutoff = Cutoff(cutoff.kind, settings.cutoff, cutoff.inner_fraction)
    every = list(combinations_with_replacement(elements, 2))
    pairs: list[tuple[str, str] | None] = [None] if settings.weighted else [*every]
    return [
        Angular(pair, 0.5 / width**2, lambda_, zeta, settings.r_shift, cutoff, settings.narrow)
        for pair in pairs
        for width, lambda_, zeta in product(settings.widths, settings.lambdas, settings.zetas)
    ]


def _grid(settings: RadialSettings, r_c: float) -> tuple[np.ndarray, np.ndarray]:
    """η and r_s of each function."""
    n, first = settings.count, settings.r_first
    linear = np.linspace(first, r_c, n, endpoint=False)
    if settings.grid is RadialGrid.CENTERED:
        return 0.5 / linear**2, np.zeros(n)
    if settings.grid is RadialGrid.SHIFTED:
        return np.full(n, 0.5 / ((r_c - first) / n) ** 2), linear
    ratio = (r_c / first) ** (1 / n)
    points = first * ratio ** np.arange(n + 1)
    if settings.grid is RadialGrid.GEOMETRIC_CENTERED:
        return 0.5 / points[:-1] ** 2, np.zeros(n)
    return 0.5 / np.diff(points) ** 2, points[:-1]
