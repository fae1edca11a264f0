"""``symfunction_short`` lines: from and to text. Lengths in the file's unit there, Å here."""

from __future__ import annotations

from collections.abc import Callable

from nnp.cutoffs import Cutoff, CutoffKind
from nnp.errors import OptionError
from nnp.functions import BY_N2P2_TYPE, Core, SymmetryFunction
from nnp.io.n2p2.settings import Entry

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
    if kind not in BY_N2P2_TYPE:
        known = ", ".join(str(number) for number in sorted(BY_N2P2_TYPE))
        raise entry.error(f"has type {kind}: known are {known}")
    line = _Line(entry, elements, make_cutoff, length)
    try:
        return line.element(0), BY_N2P2_TYPE[kind].from_line(line)
    except OptionError as error:
        raise entry.error(f"{' '.join(entry.arguments)}: {error} (lengths here in Å)") from None


def write_function(central: str, function: SymmetryFunction, length: float) -> str:
    """The arguments of a function's line, lengths divided by ``length`` (Å per unit).

    Raises:
        OptionError: n2p2 has no such function.
    """
    words = function.n2p2_words(_Words(length))
    return " ".join([central, str(function.n2p2_type), *words])


class _Words:
    """See `nnp.functions.lines.Words`; ``unit`` is Å per unit of length in the file."""

    def __init__(self, unit: float) -> None:
        self._unit = unit

    def number(self, value: float) -> str:
        """Fifteen digits: enough for any parameter; 12 bohr stay ``12`` after the way through Å."""
        return f"{value:.15g}"

    def length(self, value: float) -> str:
        return self.number(value / self._unit)

    def inverse_area(self, value: float) -> str:
        return self.number(value * self._unit**2)


class _Line:
    """See `nnp.functions.lines.Line`."""

    def __init__(
        self, entry: Entry, elements: tuple[str, ...], make_cutoff: MakeCutoff, length: float
    ) -> None:
        self.entry = entry
        self._elements = elements
        self._make_cutoff = make_cutoff
        self._length = length

    @property
    def kind(self) -> int:
        return self.entry.integer(1)

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
                f"has subtype {name!r}: p1, p2, p3, p4 or e is expected, with or without "
                "a trailing a"
            ) from None


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
