"""ænet's fingerprint set-ups, ``El.stp``: one per central element."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError, NNPError, OptionError
from nnp.functions import SymmetryFunction, canonical_order
from nnp.functions.chebyshev import ChebyshevSetup
from nnp.io.aenet.behler import behler_functions
from nnp.io.aenet.text import fortran_number
from nnp.io.archive import read_bytes
from nnp.io.files import replacing

_COMMENT = ("!", "#", "%")
# By G number: the keys of record 20, in its order.
KEYS = {
    1: ("Rc",),
    2: ("Rc", "Rs", "eta"),
    3: ("Rc", "kappa"),
    4: ("Rc", "lambda", "zeta", "eta"),
    5: ("Rc", "lambda", "zeta", "eta"),
}
_CHEBYSHEV = ("radial_Rc", "radial_N", "angular_Rc", "angular_N")


@dataclass(frozen=True, eq=False)
class Setup:
    """One file.

    Attributes:
        path: the file.
        central: element.
        environment: elements of ENV.
        basis: "chebyshev" or "behler2011".
        kinds, parameters, neighbors: as in `nnp.io.aenet.record.Record`.
        description: its lines.
        r_min: shortest distance, Å.
    """

    path: Path
    central: str
    environment: tuple[str, ...]
    basis: str
    kinds: NDArray[np.int64]
    parameters: NDArray[np.float64]
    neighbors: NDArray[np.int64]
    description: tuple[str, ...] = ()
    r_min: float = 1.0

    def functions(self, elements: Sequence[str]) -> tuple[SymmetryFunction, ...]:
        """The functions, in canonical order.

        Args:
            elements: all of the potential.

        Raises:
            FileFormatError: parameters that cannot be.
        """
        try:
            if self.basis == "behler2011":
                return tuple(canonical_order(behler_functions(self)))
            radial_cutoff, radial, angular_cutoff, angular = self.parameters.ravel()[:4].tolist()
            setup = ChebyshevSetup(
                self.environment, radial_cutoff, int(radial), angular_cutoff, int(angular)
            )
            return tuple(canonical_order(setup.functions(elements)))
        except OptionError as error:
            raise FileFormatError(f"{self.path}: {error}") from None


def read_setup(path: str | Path) -> Setup:
    """Read a ``.stp``.

    Raises:
        FileFormatError: it breaks the format; names the line.
    """
    return _Reader(Path(path)).read()


def write_setup(setup: Setup, path: str | Path, force: bool = False) -> None:
    """Write a ``.stp``, with eta before zeta, as ænet must have it.

    Raises:
        OutputExistsError: the file is there and ``force`` is False.
    """
    with replacing(path, force) as scratch:
        scratch.write_text("".join(f"{line}\n" for line in _lines(setup)), encoding="utf-8")


def _lines(setup: Setup) -> Iterator[str]:
    yield from ("DESCR", *(setup.description or ("written by nnp",)), "END DESCR", "")
    yield from (f"ATOM {setup.central}", "", f"ENV {len(setup.environment)}", *setup.environment)
    yield from ("", f"RMIN {setup.r_min!r}", "")
    if setup.basis == "chebyshev":
        radial_cutoff, radial, angular_cutoff, angular = setup.parameters.ravel()[:4].tolist()
        yield "BASIS type=Chebyshev"
        yield (
            f"radial_Rc = {radial_cutoff!r} radial_N = {int(radial)} "
            f"angular_Rc = {angular_cutoff!r} angular_N = {int(angular)}"
        )
        return
    yield "SYMMFUNC type=Behler2011"
    yield str(len(setup.kinds))
    for kind, parameters, (first, second) in zip(
        setup.kinds.tolist(), setup.parameters.tolist(), setup.neighbors.tolist(), strict=True
    ):
        values = dict(zip(KEYS[kind], parameters, strict=False))
        words = [f"G={kind}", f"type2={setup.environment[first - 1]}"]
        words += [f"type3={setup.environment[second - 1]}"] if second else []
        names = [n for n in ("eta", "Rs", "kappa", "lambda", "zeta", "Rc") if n in values]
        yield " ".join([*words, *(f"{name}={values[name]!r}" for name in names)])


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = read_bytes(path).decode("utf-8", errors="replace").splitlines()
        self._at = 0
        self._found: dict[str, object] = {}

    def _error(self, text: str) -> FileFormatError:
        return FileFormatError(f"{self._path}, line {self._at}: {text}")

    def _line(self) -> str:
        """The next physical line."""
        if self._at >= len(self._lines):
            raise FileFormatError(
                f"{self._path} ends too early: it is cut off or another kind of file"
            )
        self._at += 1
        return self._lines[self._at - 1]

    def read(self) -> Setup:
        central, r_min, basis = "", 1.0, ""
        environment: tuple[str, ...] = ()
        description: list[str] = []
        lines: list[tuple[int, str]] = []
        while self._at < len(self._lines):
            line = self._line().strip()
            words = line.split()
            if not words or line.startswith(_COMMENT):
                continue
            keyword = words[0].lower()
            if keyword == "descr":
                description = self._description()
            elif keyword == "atom" and len(words) > 1:
                central = words[1]
            elif keyword == "rmin" and len(words) > 1:
                r_min = self._number(words[1])
            elif keyword == "env" and len(words) > 1:
                environment = tuple(self._element() for _ in range(self._count(words[1])))
            elif keyword in ("basis", "symmfunc", "functions"):
                if basis:
                    raise self._error("a second basis: one file has one")
                basis = self._text(line, "type").lower()
                lines = self._basis(basis)
            else:
                raise self._error(f"{words[0]!r} is not a keyword of a set-up")
        if not central or not environment or not basis:
            raise FileFormatError(f"{self._path}: ATOM, ENV and a basis are expected")
        rows = [self._row(text, at, basis, environment) for at, text in lines]
        kinds, parameters, neighbors = (np.array(column) for column in zip(*rows, strict=True))
        return Setup(
            self._path, central, environment, basis, kinds, parameters, neighbors,
            tuple(description), r_min,
        )  # fmt: skip

    def _element(self) -> str:
        while not (line := self._line().strip()) or line.startswith(_COMMENT):
            pass
        return line.split()[0]

    def _description(self) -> list[str]:
        found: list[str] = []
        while (line := self._line()).strip().lower() != "end descr":
            found.append(line)
        return found

    def _basis(self, basis: str) -> list[tuple[int, str]]:
        if basis not in ("chebyshev", "behler2011"):
            raise self._error(f"type={basis}: Chebyshev and Behler2011 are known")
        count = 1 if basis == "chebyshev" else self._count(self._line().strip())
        found = []
        for _ in range(count):
            line = self._line()
            found.append((self._at, line))
        return found

    def _row(
        self, line: str, at: int, basis: str, environment: Sequence[str]
    ) -> tuple[int, list[float], tuple[int, int]]:
        self._at = at
        if basis == "chebyshev":
            return 0, [self._number(self._text(line, key)) for key in _CHEBYSHEV], (0, 0)
        kind = self._count(self._text(line, "G"))
        if kind not in KEYS:
            raise self._error(f"G={kind}: ænet has G1 to G5")
        values = [self._number(self._text(line, key)) for key in KEYS[kind]]
        symbols = [
            self._text(line, key) for key in (("type2", "type3") if kind > 3 else ("type2",))
        ]
        if unknown := [symbol for symbol in symbols if symbol not in environment]:
            raise self._error(f"{unknown[0]} is not in ENV ({' '.join(environment)})")
        places = [environment.index(symbol) + 1 for symbol in symbols]
        return kind, [*values, *[0.0] * (4 - len(values))], (places[0], (*places, 0)[1])

    def _text(self, line: str, key: str) -> str:
        """The word after ``key =``, by the first place of the key's letters, as ænet looks."""
        at = line.find(key)
        found = re.match(r"[^=]*=\s*([^\s,]+)", line[at:]) if at >= 0 else None
        if found is None:
            raise self._error(f"{key}= is missing")
        if at and line[at - 1].isalnum():
            longer = line[at - 1 :].split("=", maxsplit=1)[0].strip()
            warnings.warn(
                f"{self._path}, line {self._at}: {key!r} is first found inside a longer word "
                f"({longer}), where ænet takes its value, {found.group(1)}, and nnp too: write "
                f"{key} first",
                stacklevel=2,
            )
        return found.group(1)

    def _number(self, word: str) -> float:
        try:
            return fortran_number(word, f"{self._path}, line {self._at}")
        except NNPError as error:
            raise FileFormatError(str(error)) from None

    def _count(self, word: str) -> int:
        value = self._number(word)
        if value != int(value) or not 1 <= value <= 10_000:
            raise self._error(f"{word!r} where a whole number from 1 is expected")
        return int(value)
