"""Every error the package raises on purpose.

A message names the argument or file, the value got, what is allowed and the way out.
Each class also derives from the built-in exception that a caller would expect.
"""

from __future__ import annotations

import re
from pathlib import Path

from nnp.distribution import refuse_another

# Here, since all of the package imports this file: of two projects with one name, the one that was
# installed last has written __init__.py.
refuse_another(Path(__file__).parent)

_LONGEST = 1500  # characters; words of damaged files may have any number
# Of a terminal, and halves of characters, which no stream can hold.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class NNPError(Exception):
    """Base class: ``except nnp.NNPError`` catches everything the package raises on purpose.

    Attributes:
        atoms: those it is about, by their index in the structure, or particle in OpenMM.
    """

    atoms: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The message, in a length for people and without control characters from files."""
        return readable(super().__str__())


class FileFormatError(NNPError, ValueError):
    """A file whose content breaks its format; the message names file and line."""


class StructureError(NNPError, ValueError):
    """Atoms that cannot be evaluated: wrong shapes, missing elements, overlaps, bad cells."""


class OptionError(NNPError, ValueError):
    """An argument or option with a value that is not allowed."""


class UnavailableError(NNPError, RuntimeError):
    """A library, platform or engine was asked for but is missing; says what to install."""


class NumericalError(NNPError, ArithmeticError):
    """Energies, forces or parameters that are not finite."""


class OutputExistsError(NNPError, FileExistsError):
    """Output that would be overwritten."""


def readable(text: str) -> str:
    r"""Text from a file, for a message: control characters escaped, the middle of much left out.

    >>> readable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    text = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 400]} … {text[-300:]}"
    return text
