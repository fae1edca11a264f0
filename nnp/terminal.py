"""Text for people, on streams that may fail: a full disk, a closed pipe, a terminal gone.

Nothing computed depends on whether anybody is reading, so no failure of a stream reaches the
computation. A stream that cannot hold a character gets the nearest one that it can.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from typing import Any, TextIO

from tqdm import tqdm

# What NFKD does not take apart into ASCII.
_PLAIN = {
    "±": "+-",
    "æ": "ae",
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "x",
    "·": "*",
    "→": "->",
    "←": "<-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "σ": "sigma",
    "η": "eta",
    "λ": "lambda",
    "ζ": "zeta",
    "µ": "u",
    "μ": "u",
    "Δ": "delta ",
    "Σ": "sum ",
    "√": "sqrt ",
    "∞": "inf",
    "°": " deg ",
    "⁻": "^-",
    "…": "...",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}


def plain(text: str) -> str:
    """ASCII for people.

    >>> plain("300 ± 2 K, 0.1 meV/Å, Å⁻²")
    '300 +- 2 K, 0.1 meV/A, A^-2'
    """
    found = []
    for character in text:
        known = _PLAIN.get(character)
        if known is None:
            apart = unicodedata.normalize("NFKD", character)
            known = "".join(c for c in apart if ord(c) < 128) or "?"
        found.append(known)
    return "".join(found)


def _plain_for(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


_NARROWEST = 40  # columns that a terminal has at least


def fold(text: str, columns: int) -> str:
    """Lines that fit a terminal, broken between words; what follows stands below the first word
    after the label.

    >>> print(fold("best   6 meV/atom and 0.1 eV/Å after 8 epochs", 40))
    best   6 meV/atom and 0.1 eV/Å after 8
           epochs
    """
    if "\r" in text or "\x1b" in text:  # a bar that draws over itself
        return text
    return "\n".join(_folded(line, max(columns, _NARROWEST)) for line in text.split("\n"))


def _folded(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    label = re.match(r" *(?:\S+(?: \S+)* {2,})?", line)
    indent = len(label[0]) if label else 0
    if not 0 < indent <= columns // 3:
        indent = len(line) - len(line.lstrip()) + 2
    lines = textwrap.wrap(
        line,
        columns,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return "\n".join(lines)


_ERRORS = "nnp.plain"
codecs.register_error(_ERRORS, _plain_for)


class Stream:
    """A text stream whose failures are noted and not raised.

    Args:
        stream: what is written to; None, as Python has it where the descriptor was closed: nothing.

    Attributes:
        problem: the first failure, None as long as all went well. Later writes go nowhere.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.problem: OSError | None = None

    def write(self, text: str) -> int:
        """Write what the stream can hold of it."""
        if self.problem is None:
            try:
                self._write(text)
            except (OSError, ValueError) as error:  # ValueError: closed from within
                self._note(error)
        return len(text)

    def flush(self) -> None:
        """Flush, where that is possible."""
        if self.problem is None and self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._note(error)

    def isatty(self) -> bool:
        """Whether people look at it."""
        try:
            return self._stream is not None and self.problem is None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    @property
    def encoding(self) -> str:
        """Of the stream beneath."""
        return getattr(self._stream, "encoding", None) or "ascii"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _write(self, text: str) -> None:
        if self._stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if len(text) > _NARROWEST and self.isatty():
            text = fold(text, shutil.get_terminal_size().columns)
        if not text.isascii():
            text = text.encode(self.encoding, _ERRORS).decode(self.encoding)
        self._stream.write(text)

    def _note(self, error: OSError | ValueError) -> None:
        if not isinstance(error, OSError):
            error = OSError(errno.EBADF, str(error))
        self.problem = error
        _silence(self._stream)


def progress_bar(*arguments: Any, **options: Any) -> Any:
    """A bar of tqdm on the standard error, shown where people look at it and it can be shown.

    As wide as the terminal, and gone when it ends: lines that stay say what was done.
    """
    look = {"leave": False, "dynamic_ncols": True} | options
    return tqdm(*arguments, file=Stream(sys.stderr), **look)


def _silence(stream: TextIO | None) -> None:
    """What waits in the buffer would fail again when Python ends, and change the exit code."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if stream in (sys.__stdout__, sys.__stderr__):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())  # type: ignore[union-attr]
            os.close(null)


def reserve_descriptors() -> None:
    """Let 0, 1 and 2 be open, so that no file of ours gets one of them and library's output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free
