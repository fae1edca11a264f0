"""XSF, as ænet and XCrySDen write it: Å, eV and eV/Å.

XCrySDen's own text has forces in hartree/Å. No program that writes energies and forces for learning
does, and nothing in a file tells the difference, so the unit hangs on nothing: it is eV/Å.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from nnp.elements import SYMBOLS
from nnp.errors import FileFormatError, NNPError
from nnp.io.structures.names import element_of_symbol
from nnp.io.structures.source import Source

_ENERGY = re.compile(
    r"(total|cohesive) energy[^=]*=\s*(\S+?)(?:eV)?(?:\s+(\S+).*)?$", re.IGNORECASE
)
_OTHER_UNITS = re.compile(r"(ha|hartrees?|a\.?u\.?|ry|rydbergs?|kcal.*|kj.*|mev)$", re.IGNORECASE)
_KEYWORD = re.compile(r"(?:BEGIN|END)_BLOCK|[A-Z][A-Z_]{4,}\b|ATOMS\b|INFO\b")
# An exponent of three digits may stand without its letter, as Fortran writes it.
_FORTRAN = re.compile(r"^([-+]?(?:\d+(?:\.\d*)?|\.\d+))(?:[EeDd]([-+]?\d+)|([-+]\d{2,3}))?$")
_WITHOUT_FORCES, _WITH_FORCES = 4, 7  # columns of an atom
_PERIODIC_AXES = {"CRYSTAL": 3, "SLAB": 2, "POLYMER": 1, "MOLECULE": 3}


@dataclass
class _Draft:
    """One structure while it is read."""

    cell: NDArray[np.float64] | None
    symbols: list[str] = field(default_factory=list)
    numbers: list[list[float]] = field(default_factory=list)


class _Reader:
    """Line by line, as ænet does: what it does not know is skipped."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text().splitlines()
        self.at = 0
        self.axes = 3
        self.steps = 1
        self.cell: NDArray[np.float64] | None = None
        self.energies: dict[str, list[float]] = {"total": [], "cohesive": []}
        self.drafts: list[_Draft] = []

    @property
    def where(self) -> str:
        return f"{self.source.path}, line {self.at}"

    def read(self) -> list[Atoms]:
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            self.at += 1
            words = line.split()
            if not self._comment(line) and words:
                self._keyword(words[0], words[1:])
        if len(self.drafts) == 1:  # ænet takes PRIMVEC behind the atoms as well
            self.drafts[0].cell = self.cell
        return [self._atoms(n, draft) for n, draft in enumerate(self.drafts)]

    def _comment(self, line: str) -> bool:
        """Whether a line is one, or says an energy, which is taken."""
        energy = _ENERGY.search(line)
        if energy:
            self._energy_line(*energy.groups())
        elif line.startswith("#") and re.search(r"energy\b.*\d", line, re.IGNORECASE):
            self.source.note(
                f"not used: the comment {line[:60]!r}; an energy is '# total energy = … eV'"
            )
        return energy is not None or line.startswith("#")

    def _energy_line(self, kind: str, number: str, unit: str | None) -> None:
        if unit and _OTHER_UNITS.match(unit):
            raise FileFormatError(f"{self.where}: an energy in {unit}; eV is expected here")
        self.energies[kind.lower()].append(self._number(number))

    def _keyword(self, word: str, rest: Sequence[str]) -> None:
        if word in _PERIODIC_AXES:
            self.axes = _PERIODIC_AXES[word]
        elif word == "ANIMSTEPS":
            self.steps = int(self._number(rest[0] if rest else ""))
        elif word == "PRIMVEC":
            self.cell = self._vectors()
        elif word == "PRIMCOORD":
            announced = self.lines[self.at].split()[:1] if self.at < len(self.lines) else []
            self.at += 1
            draft = self._coordinates(self.cell)
            if announced != [str(len(draft.symbols))]:  # ænet counts them
                self.source.note(
                    f"PRIMCOORD announces {' '.join(announced) or 'no'} atoms, "
                    f"{len(draft.symbols)} follow and are taken"
                )
            self.drafts.append(draft)
        elif word == "ATOMS":
            self.drafts.append(self._coordinates(self.cell))
        elif word.startswith("BEGIN_BLOCK_"):
            self._skip(word.replace("BEGIN", "END"))

    def _skip(self, end: str) -> None:
        while self.at < len(self.lines) and self.lines[self.at].split()[:1] != [end]:
            self.at += 1

    def _vectors(self) -> NDArray[np.float64]:
        rows = []
        for _ in range(3):
            words = self.lines[self.at].split() if self.at < len(self.lines) else []
            self.at += 1
            if len(words) < 3:
                raise FileFormatError(f"{self.where}: a cell vector has three numbers")
            rows.append([self._number(word) for word in words[:3]])
        return np.array(rows)

    def _coordinates(self, cell: NDArray[np.float64] | None) -> _Draft:
        draft = _Draft(cell)
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            words = line.split()
            if not words or _KEYWORD.match(line):
                break
            self.at += 1
            if line.startswith("#"):
                self._comment(line)
                continue
            if len(words) < _WITH_FORCES and len(words) != _WITHOUT_FORCES:
                raise FileFormatError(
                    f"{self.where}: {len(words)} columns, an atom has 4 (symbol, x, y, z) or 7 "
                    "(and forces)"
                )
            if len(words) > _WITH_FORCES:
                self.source.note("columns beyond the seventh are not used")
            draft.symbols.append(self._symbol(words[0]))
            draft.numbers.append([self._number(word) for word in words[1:_WITH_FORCES]])
            if len(draft.numbers[-1]) != len(draft.numbers[0]):
                raise FileFormatError(f"{self.where}: some atoms have forces and others have none")
        return draft

    def _symbol(self, word: str) -> str:
        try:
            if word.isdigit() and 1 <= int(word) <= len(SYMBOLS):  # XSF numbers are atomic numbers
                return SYMBOLS[int(word) - 1]
            return element_of_symbol(word, self.source.options.names)
        except NNPError as error:
            raise FileFormatError(f"{self.where}: {error}") from None

    def _number(self, word: str) -> float:
        found = _FORTRAN.match(word)
        if not found:
            raise FileFormatError(f"{self.where}: {word!r} is not a number")
        return float(f"{found.group(1)}e{found.group(2) or found.group(3) or 0}")

    def _atoms(self, number: int, draft: _Draft) -> Atoms:
        numbers = np.array(draft.numbers).reshape(len(draft.symbols), -1)
        periodic = [draft.cell is not None and axis < self.axes for axis in range(3)]
        atoms = Atoms(draft.symbols, numbers[:, :3], cell=draft.cell, pbc=periodic)
        energy = self._energy(number)
        results = {} if energy is None else {"energy": energy}
        if numbers.shape[1] == 6:
            results["forces"] = numbers[:, 3:]  # type: ignore[assignment]
        if results:
            atoms.calc = SinglePointCalculator(atoms, **results)  # type: ignore[no-untyped-call]
        return atoms

    def _energy(self, number: int) -> float | None:
        for kind in ("total", "cohesive"):
            found = self.energies[kind]
            if len(found) == len(self.drafts):
                if kind == "cohesive":
                    self.source.note("energies are cohesive ones, as the comments say")
                return found[number]
            if found:
                self.source.note(
                    f"{len(found)} comments with a {kind} energy for {len(self.drafts)} "
                    "structures: not used, because it is unclear which structure each belongs to"
                )
        return None


def read(source: Source) -> list[Atoms]:
    """Read every structure of an XSF; see formats-by-line in `docs/structures.md`.

    Raises:
        FileFormatError: a line that breaks the format; names it.
    """
    return _Reader(source).read()


def write(frames: Sequence[Atoms]) -> Iterator[str]:
    """Lines of an XSF as ænet reads it: energy as a comment, forces in eV/Å.

    Args:
        frames: periodic along the first axes or along none, all along the same.
    """
    several = len(frames) > 1
    if several:
        yield f"ANIMSTEPS {len(frames)}"
    for number, atoms in enumerate(frames, 1):
        step = f" {number}" if several else ""
        axes = int(sum(atoms.pbc))
        results = {} if atoms.calc is None else atoms.calc.results
        if "energy" in results:
            yield f"# total energy = {results['energy']:.16g} eV"
        if number == 1:
            yield ""
            yield from ("CRYSTAL", "SLAB", "POLYMER")[3 - axes : 4 - axes] if axes else ()
        if axes:
            yield f"PRIMVEC{step}"
            yield from (_row("", vector) for vector in atoms.cell.array)
            yield f"PRIMCOORD{step}"
            yield f"{len(atoms)} 1"
        else:
            yield f"ATOMS{step}"
        forces = results.get("forces", np.empty((len(atoms), 0)))
        for symbol, position, force in zip(atoms.symbols, atoms.positions, forces, strict=True):
            yield _row(f"{symbol:<2}", [*position, *force])
        if several:
            yield ""


def _row(first: str, numbers: Sequence[float]) -> str:
    return f"{first} {' '.join(f'{number:22.14f}' for number in numbers)}"
