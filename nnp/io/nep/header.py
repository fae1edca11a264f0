"""The header lines of a ``nep.txt``: which model, which elements, which sizes.

Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, OptionError

# Words after NEP's l_max, in this order: invariants of more than three bodies.
SWITCHES = ("222", "1111", "112", "123", "233", "134")
MOST_L = 8

_Number = TypeVar("_Number", int, float)

_READ = ("nep3", "nep4", "nep5")
# What a model's name promises besides energies, and why such a file is not read.
_REFUSED = {
    "dipole": "predicts dipoles, not energies",
    "polarizability": "predicts polarizabilities, not energies",
    "charge": "has charges and their Ewald sum, which are not supported",
    "vdw": "has an environment-dependent dispersion, which is not supported",
    "temperature": "depends on an electron temperature, which is not supported",
    "spin": "depends on spins, which are not supported",
}


class Lines:
    """Lines of a file one after the other; errors name file and line."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name, self.lines, self.number = name, lines, 0

    def error(self, message: str) -> FileFormatError:
        """An error at the line that was read last."""
        return FileFormatError(f"{self.name}, line {self.number}: {message}")

    def words(self, keyword: str) -> list[str]:
        """The words after a keyword, on the next line."""
        if self.number >= len(self.lines):
            raise FileFormatError(f"{self.name} ends before its line {keyword!r}")
        self.number += 1
        words = self.lines[self.number - 1].split()
        if not words or words[0] != keyword:
            found = repr(words[0]) if words else "an empty line"
            raise self.error(f"{found} where {keyword!r} is expected")
        return words[1:]

    def whole(self, words: list[str], what: str, lowest: int = 0) -> list[int]:
        """Whole numbers from a line's words."""
        return [_checked(self, int, word, what, lowest) for word in words]

    def numbers(self, words: list[str], what: str) -> list[float]:
        """Numbers ≥ 0 from a line's words."""
        return [_checked(self, float, word, what, 0) for word in words]


@dataclass(frozen=True)
class Header:
    """What the header says.

    Attributes:
        version: 3, 4 or 5.
        elements: symbols; their order numbers the elements everywhere in the file.
        zbl: numbers of the ``zbl`` line (inner, outer, perhaps a factor of covalent radii); None
            without one.
        cutoffs: numbers of the ``cutoff`` line without the hints: two radii, two for each element,
            or two and three factors of covalent radii; Å.
        hints: largest numbers of neighbours in the training data, within the two radii, by which
            other programs size their arrays; None where the file has none.
        n_radial, n_angular: radial functions of the radial and the angular descriptors.
        k_radial, k_angular: Chebyshev terms of each.
        l_max: largest l of the 3-body descriptors.
        switches: those of `SWITCHES` that are on.
        neurons: of the hidden layer.
    """

    version: int
    elements: tuple[str, ...]
    zbl: tuple[float, ...] | None
    cutoffs: tuple[float, ...]
    hints: tuple[int, int] | None
    n_radial: int
    n_angular: int
    k_radial: int
    k_angular: int
    l_max: int
    switches: tuple[str, ...]
    neurons: int

    @property
    def has_factors(self) -> bool:
        """Whether the cutoffs of pairs follow from covalent radii."""
        return len(self.cutoffs) == 5

    @property
    def n_descriptors(self) -> int:
        """Columns of the descriptor vector."""
        return self.n_radial + self.n_angular * (self.l_max + len(self.switches))


def read_header(lines: Lines) -> Header:
    """Read the header; the numbers follow on the next line.

    Raises:
        FileFormatError: a line is missing, out of place or says what is not allowed.
    """
    version, has_zbl, elements = _model(lines)
    zbl = _zbl(lines) if has_zbl else None
    cutoffs, hints = _cutoffs(lines, len(elements))
    n_radial, n_angular = (n + 1 for n in _pair(lines, "n_max"))
    k_radial, k_angular = (k + 1 for k in _pair(lines, "basis_size"))
    l_max, switches = _l_max(lines)
    neurons, second = _pair(lines, "ANN")
    if second:
        raise lines.error(f"a second hidden layer of {second} neurons: one is supported")
    if neurons < 1:
        raise lines.error("ANN has no neuron")
    return Header(
        version,
        elements,
        zbl,
        cutoffs,
        hints,
        n_radial,
        n_angular,
        k_radial,
        k_angular,
        l_max,
        switches,
        neurons,
    )


def is_nep(first_line: str) -> bool:
    """Whether a file that begins with this line is a ``nep.txt``."""
    words = first_line.split()
    return len(words) >= 3 and words[0].startswith("nep") and words[1].isdigit()


def _model(lines: Lines) -> tuple[int, bool, tuple[str, ...]]:
    lines.number = 1
    words = lines.lines[0].split() if lines.lines else []
    if not is_nep(" ".join(words)):
        raise lines.error("a nep.txt begins with a line such as 'nep4 2 O H'")
    model, *parts = words[0].split("_")
    for part in parts:
        for kind, reason in _REFUSED.items():
            if part.startswith(kind):
                raise lines.error(f"a model of kind {words[0]} {reason}")
    if model == "nep":
        raise lines.error("NEP2 (2022) has other functions, which are not supported: retrain it")
    if model not in _READ or parts not in ([], ["zbl"]):
        raise lines.error(f"unknown model {words[0]}: allowed are nep3, nep4 and nep5, with _zbl")
    (count,) = lines.whole(words[1:2], "the number of elements", 1)
    symbols = tuple(words[2:])
    if len(symbols) != count:
        raise lines.error(f"{count} elements are announced, {len(symbols)} follow")
    for symbol in symbols:
        try:
            atomic_number(symbol)
        except OptionError as error:
            raise lines.error(str(error)) from None
    if len(set(symbols)) != count:
        raise lines.error(f"an element is listed twice in {' '.join(symbols)}")
    return int(model[3:]), bool(parts), symbols


def _zbl(lines: Lines) -> tuple[float, ...]:
    words = lines.words("zbl")
    if len(words) not in (2, 3):
        raise lines.error(f"{len(words)} numbers after zbl: 2 or 3 are expected")
    numbers = lines.numbers(words, "zbl")
    if numbers[:2] != [0, 0] and not 0 <= numbers[0] < numbers[1]:
        raise lines.error(f"zbl {words[0]} {words[1]}: the inner radius must be below the outer")
    return tuple(numbers)


def _cutoffs(lines: Lines, n_elements: int) -> tuple[tuple[float, ...], tuple[int, int] | None]:
    """2 radii; 2 and two hints; 2 per element and two hints; 2, two hints and three factors."""
    words = lines.words("cutoff")
    numbers = lines.numbers(words, "cutoff")
    allowed = {2, 4, 7, 2 * n_elements + 2}
    if len(numbers) not in allowed:
        raise lines.error(
            f"{len(numbers)} numbers after cutoff: allowed are "
            f"{', '.join(map(str, sorted(allowed)))}"
        )
    hints = None
    if len(numbers) == 7:
        radii, hints = (*numbers[:2], *numbers[4:]), numbers[2:4]
    elif len(numbers) == 2:
        radii = tuple(numbers)
    else:
        radii, hints = tuple(numbers[:-2]), numbers[-2:]
    if min(radii[: len(radii) if len(numbers) != 7 else 2]) <= 0:
        raise lines.error("a cutoff radius is 0")
    return radii, None if hints is None else (int(hints[0]), int(hints[1]))


def _pair(lines: Lines, keyword: str) -> tuple[int, int]:
    words = lines.words(keyword)
    if len(words) != 2:
        raise lines.error(f"{len(words)} numbers after {keyword}: 2 are expected")
    first, second = lines.whole(words, keyword)
    return first, second


def _l_max(lines: Lines) -> tuple[int, tuple[str, ...]]:
    words = lines.words("l_max")
    if not 1 <= len(words) <= 1 + len(SWITCHES):
        raise lines.error(f"{len(words)} numbers after l_max: 1 to 7 are expected")
    l_max, *switches = lines.whole(words, "l_max")
    if not 1 <= l_max <= MOST_L:
        raise lines.error(f"l_max is {l_max}: allowed are 1 to {MOST_L}")
    for name, value in zip(SWITCHES, switches, strict=False):
        most = 2 if name == "222" else 1
        if value > most:
            raise lines.error(f"l_max's switch of q{name} is {value}: allowed are 0 to {most}")
    on = tuple(name for name, value in zip(SWITCHES, switches, strict=False) if value)
    return l_max, on


def _checked(
    lines: Lines, convert: Callable[[str], _Number], word: str, what: str, lowest: int
) -> _Number:
    try:
        value = convert(word)
    except ValueError:
        raise lines.error(f"{word!r} is not a number, of {what}") from None
    if not (math.isfinite(value) and value >= lowest):
        raise lines.error(f"{what} is {word}: {lowest} or more, and finite, is expected")
    return value
