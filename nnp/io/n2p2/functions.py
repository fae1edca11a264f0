"""``symfunction_short`` lines: from and to text. Lengths in the file's unit there, Å here."""

from __future__ import annotations

from collections.abc import Callable

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import OptionError
from nnp.io.n2p2.settings import Entry
from nnp.symmetry_functions import (
    Angular,
    CompactAngular,
    CompactRadial,
    Core,
    Radial,
    RadialCosine,
    SymmetryFunction,
    n2p2_type,
    subtype,
)

# A cutoff as the settings give it: its radius stands on the function's line.
MakeCutoff = Callable[[float], Cutoff]


def read_function(
    entry: Entry, elements: tuple[str, ...], make_cutoff: MakeCutoff, length: float
) -> tuple[str, SymmetryFunction]:
    """Read one line.

    Args:
        entry: the line.
        elements: the potential's elements.
        make_cutoff: radius in Å → `Cutoff`.
        length: Å per unit of length in the file.

    Returns:
        The central element and the function.

    Raises:
        FileFormatError: unknown element or type, wrong count or value.
    """
    if len(entry.arguments) < 2:
        raise entry.error("needs at least a central element and a type")
    kind = entry.integer(1)
    if kind not in _READERS:
        known = ", ".join(str(number) for number in sorted(_READERS))
        raise entry.error(f"has type {kind}: known are {known}")
    line = _Line(entry, elements, make_cutoff, length)
    try:
        return line.element(0), _READERS[kind](line)
    except OptionError as error:
        raise entry.error(f"{' '.join(entry.arguments)}: {error} (lengths here in Å)") from None


def write_function(central: str, function: SymmetryFunction, length: float) -> str:
    """The arguments of a function's line, lengths divided by ``length`` (Å per unit).

    Raises:
        OptionError: n2p2 has no such function.
    """
    kind = n2p2_type(function)

    def lengths(*values: float) -> list[str]:
        return [_text(value / length) for value in values]

    match function:
        case Radial(neighbor=neighbor, eta=eta, r_shift=r_shift, cutoff=cutoff):
            words = [neighbor or "", _text(eta * length**2), *lengths(r_shift, cutoff.radius)]
        case Angular(neighbors=neighbors, r_shift=r_shift, cutoff=cutoff):
            angle = [_text(function.lambda_), _text(function.zeta)]
            inverse_area = _text(function.eta * length**2)
            if neighbors is None:
                words = [inverse_area, *lengths(r_shift), *angle, *lengths(cutoff.radius)]
            else:
                shift = lengths(r_shift) if r_shift else []
                words = [*neighbors, inverse_area, *angle, *lengths(cutoff.radius), *shift]
        case CompactRadial(neighbor=neighbor, r_left=left, r_right=right):
            words = [neighbor or "", *lengths(left, right), subtype(function)]
        case CompactAngular(neighbors=neighbors, r_left=left, r_right=right):
            angles = [_text(function.theta_left_deg), _text(function.theta_right_deg)]
            words = [*(neighbors or ()), *lengths(left, right), *angles, subtype(function)]
        case RadialCosine():
            raise OptionError(
                f"a radial cosine function of {central} cannot be written: n2p2 has no such type"
            )
    return " ".join([central, str(kind), *filter(None, words)])


class _Line:
    """Typed access to the arguments of one line."""

    def __init__(
        self, entry: Entry, elements: tuple[str, ...], make_cutoff: MakeCutoff, length: float
    ) -> None:
        self.entry = entry
        self._elements = elements
        self._make_cutoff = make_cutoff
        self._length = length

    def expect(self, *counts: int) -> None:
        self.entry.expect(*counts)

    def __len__(self) -> int:
        return len(self.entry.arguments)

    def element(self, index: int) -> str:
        symbol = self.entry.arguments[index]
        if symbol not in self._elements:
            raise self.entry.error(
                f"names {symbol!r}, which is not among the elements {' '.join(self._elements)}"
            )
        return symbol

    def pair(self, index: int) -> tuple[str, str]:
        return self.element(index), self.element(index + 1)

    def number(self, index: int) -> float:
        return self.entry.number(index)

    def length(self, index: int) -> float:
        return self.entry.number(index) * self._length

    def inverse_area(self, index: int) -> float:
        return self.entry.number(index) / self._length**2

    def inverse_length(self, index: int) -> float:
        return self.entry.number(index) / self._length

    def cutoff(self, index: int) -> Cutoff:
        return self._make_cutoff(self.length(index))

    def core(self, index: int) -> tuple[Core, bool]:
        name = self.entry.arguments[index]
        asymmetric = name.endswith("a")
        try:
            return Core(name.removesuffix("a")), asymmetric
        except ValueError:
            raise self.entry.error(
                f"has subtype {name!r}: p1, p2, p3, p4 or e is wanted, with or without an a behind"
            ) from None


def _cutoff_sum(line: _Line) -> SymmetryFunction:
    line.expect(4)
    return Radial(line.element(2), 0.0, 0.0, line.cutoff(3))


def _radial(line: _Line) -> SymmetryFunction:
    line.expect(6)
    return Radial(line.element(2), line.inverse_area(3), line.length(4), line.cutoff(5))


def _radial_cosine(line: _Line) -> SymmetryFunction:
    line.expect(5)
    return RadialCosine(line.element(2), line.inverse_length(3), line.cutoff(4))


def _angular(narrow: bool) -> Callable[[_Line], SymmetryFunction]:
    def read(line: _Line) -> SymmetryFunction:
        line.expect(8, 9)
        return Angular(
            neighbors=line.pair(2),
            eta=line.inverse_area(4),
            lambda_=line.number(5),
            zeta=line.number(6),
            r_shift=line.length(8) if len(line) == 9 else 0.0,
            cutoff=line.cutoff(7),
            narrow=narrow,
        )

    return read


def _weighted_radial(line: _Line) -> SymmetryFunction:
    line.expect(5)
    return Radial(None, line.inverse_area(2), line.length(3), line.cutoff(4))


def _weighted_angular(line: _Line) -> SymmetryFunction:
    line.expect(7)
    return Angular(
        neighbors=None,
        eta=line.inverse_area(2),
        r_shift=line.length(3),
        lambda_=line.number(4),
        zeta=line.number(5),
        cutoff=line.cutoff(6),
        narrow=True,
    )


def _compact_radial(n_neighbors: int) -> Callable[[_Line], SymmetryFunction]:
    def read(line: _Line) -> SymmetryFunction:
        line.expect(5 + n_neighbors)
        neighbor = line.element(2) if n_neighbors else None
        at = 2 + n_neighbors
        return CompactRadial(neighbor, line.length(at), line.length(at + 1), *line.core(at + 2))

    return read


def _compact_angular(n_neighbors: int, narrow: bool) -> Callable[[_Line], SymmetryFunction]:
    def read(line: _Line) -> SymmetryFunction:
        line.expect(7 + n_neighbors)
        at = 2 + n_neighbors
        core, asymmetric = line.core(at + 4)
        return CompactAngular(
            neighbors=line.pair(2) if n_neighbors else None,
            r_left=line.length(at),
            r_right=line.length(at + 1),
            theta_left_deg=line.number(at + 2),
            theta_right_deg=line.number(at + 3),
            core=core,
            asymmetric=asymmetric,
            narrow=narrow,
        )

    return read


# 1 and 4 are RuNNer's (G1 and G3); n2p2 has the others.
_READERS: dict[int, Callable[[_Line], SymmetryFunction]] = {
    1: _cutoff_sum,
    2: _radial,
    3: _angular(narrow=True),
    4: _radial_cosine,
    9: _angular(narrow=False),
    12: _weighted_radial,
    13: _weighted_angular,
    20: _compact_radial(1),
    21: _compact_angular(2, narrow=True),
    22: _compact_angular(2, narrow=False),
    23: _compact_radial(0),
    24: _compact_angular(0, narrow=True),
    25: _compact_angular(0, narrow=False),
}


def cutoff_maker(entry: Entry | None, alpha: Entry | None = None) -> MakeCutoff:
    """What ``cutoff_type`` and RuNNer's ``cutoff_alpha`` say; without them it is the cosine."""
    if alpha is not None:
        alpha.expect(1)
    if entry is None:
        entry = alpha
        number = int(CutoffKind.COSINE)
    else:
        entry.expect(1, 2)
        number = entry.integer(0)
    if entry is None:
        return lambda radius: Cutoff(CutoffKind.COSINE, radius)
    inner_fraction = _inner_fraction(entry, alpha)
    try:
        kind = CutoffKind(number)
    except ValueError:
        raise entry.error(f"is {number}: types are 0 to {max(CutoffKind)}") from None
    try:
        Cutoff(kind, 1.0, inner_fraction)
    except OptionError as error:
        raise entry.error(f"is not allowed: {error}") from None
    return lambda radius: Cutoff(kind, radius, inner_fraction)


def _inner_fraction(entry: Entry, alpha: Entry | None) -> float:
    """α of ``cutoff_type T α`` or of ``cutoff_alpha α``."""
    given = entry.number(1) if len(entry.arguments) == 2 else None
    if alpha is None:
        return given or 0.0
    if given is not None and given != alpha.number(0):
        raise alpha.error(f"is {alpha.number(0):g}, but {entry.keyword} says {given:g}: keep one")
    return alpha.number(0)


def _text(value: float) -> str:
    """Fifteen digits: enough for any parameter, and 12 bohr stay ``12`` after the way through Å."""
    return f"{value:.15g}"
