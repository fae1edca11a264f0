"""``input.nn``: one keyword per line, ``#`` or ``!`` starts a comment, numbers may be Fortran's."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnp.elements import SYMBOLS
from nnp.errors import FileFormatError
from nnp.io.n2p2.keywords import (
    FLAGS,
    IGNORED,
    OTHER_TYPES,
    READ,
    SHORT_RANGE_TYPES,
    UNSUPPORTED,
)

_PAIRS = "a potential of pairs of atoms"


@dataclass(frozen=True)
class Entry:
    """One line: keyword, arguments, and where it stands."""

    keyword: str
    arguments: tuple[str, ...]
    path: Path
    line: int

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.path}, line {self.line}"

    def error(self, message: str) -> FileFormatError:
        """An error that names file, line and keyword."""
        return FileFormatError(f"{self.where}: {self.keyword} {message}")

    def number(self, index: int) -> float:
        """Argument ``index`` as a finite float."""
        return parse_number(self.arguments[index], self.where)

    def integer(self, index: int) -> int:
        """Argument ``index`` as an integer."""
        try:
            return int(self.arguments[index])
        except ValueError:
            raise self.error(
                f"has {self.arguments[index]!r} where a whole number is expected"
            ) from None

    def expect(self, *counts: int) -> None:
        """Raise unless the number of arguments is one of ``counts``."""
        if len(self.arguments) not in counts:
            allowed = " or ".join(str(count) for count in counts)
            raise self.error(f"has {len(self.arguments)} arguments, {allowed} are expected")


class Settings:
    """All lines of an ``input.nn``.

    Args:
        path: the file.

    Raises:
        FileFormatError: it cannot be read, or asks for what is not supported (charges, 4G, …).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries = [
            Entry(words[0], tuple(words[1:]), path, line) for line, words in read_words(path)
        ]
        for entry in self.entries:  # the kind first: it explains the rest
            _check_kind(entry)
        for entry in self.entries:
            _check_supported(entry)

    def all(self, *keywords: str) -> list[Entry]:
        """Every line with one of these keywords, in file order."""
        return [entry for entry in self.entries if entry.keyword in keywords]

    def one(self, keyword: str) -> Entry | None:
        """The line of a keyword that may stand once, None where it is absent."""
        return _only(self.all(keyword))

    def one_for(self, keyword: str, element: str) -> Entry | None:
        """The line of a keyword that may stand once per element, None where it is absent."""
        return _only([entry for entry in self.all(keyword) if entry.arguments[:1] == (element,)])

    def required(self, keyword: str) -> Entry:
        """The line of a keyword that must be there."""
        entry = self.one(keyword)
        if entry is None:
            raise FileFormatError(f"{self.path}: the keyword {keyword} is missing")
        return entry

    def flag(self, keyword: str) -> bool:
        """Whether a keyword without argument is there."""
        return self.one(keyword) is not None

    def number(self, keyword: str, default: float, alias: str = "") -> float:
        """The number after a keyword, which may have another name."""
        entry = _only(self.all(keyword, *filter(None, [alias])))
        if entry is None:
            return default
        entry.expect(1)
        return entry.number(0)


def read_elements(settings: Settings) -> tuple[str, ...]:
    """What ``elements`` lists, in its order.

    Raises:
        FileFormatError: no symbol, one twice, or another count than ``number_of_elements``.
    """
    entry = settings.required("elements")
    for symbol in entry.arguments:
        if symbol not in SYMBOLS:
            raise entry.error(f"has {symbol!r}, which is no element's symbol")
    count = settings.one("number_of_elements")
    if count is not None:
        count.expect(1)
        if count.integer(0) != len(entry.arguments):
            raise count.error(f"is {count.integer(0)}, but elements lists {len(entry.arguments)}")
    if len(set(entry.arguments)) != len(entry.arguments) or not entry.arguments:
        raise entry.error("must list each element once")
    return entry.arguments


def read_words(path: Path) -> list[tuple[int, list[str]]]:
    """(line number, words) of every line that has any, comments left out.

    Raises:
        FileFormatError: the file is missing or not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileFormatError(f"{path} is missing") from None
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        where = path.read_bytes()[: error.start].count(b"\n") + 1
        raise FileFormatError(
            f"{path}, line {where}: not text in UTF-8; is it a binary file? Comments with accents "
            "from another encoding must be converted or removed"
        ) from None
    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split("#")[0].split("!")[0].split()
        if words:
            lines.append((number, words))
    return lines


def parse_number(word: str, where: str) -> float:
    """A finite float, Fortran's ``1.0d0`` included.

    Raises:
        FileFormatError: the word is not a number, or not finite; the message begins with ``where``.
    """
    try:
        # Python's own 1_000 and digits of other scripts are not numbers in a file
        value = float(
            "?"
            if not word.isascii()
            else word.replace("_", "?").replace("d", "e").replace("D", "e")
        )
    except ValueError:
        raise FileFormatError(f"{where}: {word!r} is not a number") from None
    if value - value != 0:
        raise FileFormatError(f"{where}: the value {word} is not finite")
    return value


def parse_numbers(words: Sequence[str], where: str) -> list[float]:
    """Several numbers, see `parse_number`."""
    return [parse_number(word, where) for word in words]


def _only(found: list[Entry]) -> Entry | None:
    if len(found) > 1:
        raise found[1].error(f"is repeated, after line {found[0].line}: keep one")
    return found[0] if found else None


def _check_kind(entry: Entry) -> None:
    """Refuse potentials that are not short-range (2G)."""
    allowed = SHORT_RANGE_TYPES.get(entry.keyword)
    if allowed is None:
        return
    value = entry.arguments[0] if entry.arguments else ""
    if value not in allowed:
        pairs = entry.keyword == "nn_type_short"
        what = _PAIRS if pairs else OTHER_TYPES.get(value[:1], "")
        raise entry.error(
            f"{value or 'without a value'} is not supported: only short-range (2G) potentials, "
            f"{' or '.join(allowed)}, can be evaluated{'; this is ' if what else ''}{what}"
        )


def _check_supported(entry: Entry) -> None:
    if entry.keyword in UNSUPPORTED:
        raise entry.error(f"is not supported: {UNSUPPORTED[entry.keyword]}")
    if entry.keyword in FLAGS and entry.arguments:
        raise entry.error(f"takes no argument, got {' '.join(entry.arguments)}")
    known = READ | IGNORED | set(SHORT_RANGE_TYPES)
    if entry.keyword not in known:
        close = difflib.get_close_matches(entry.keyword, sorted(known), n=1, cutoff=0.8)
        hint = f"did you mean {close[0]!r}?" if close else "check its spelling"
        warnings.warn(
            f"{entry.where}: unknown keyword {entry.keyword!r} is ignored; {hint}", stacklevel=2
        )
