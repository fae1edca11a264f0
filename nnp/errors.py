"""Every error the package raises on purpose.

A message names the argument or file, the value got, what is allowed and the way out.
Each class also derives from the built-in exception that a caller would expect.
"""

from __future__ import annotations


class NNPError(Exception):
    """Base class: ``except nnp.NNPError`` catches everything the package raises on purpose.

    Attributes:
        atoms: those it is about, by their index in the structure, or particle in OpenMM.
    """

    atoms: tuple[int, ...] = ()


class FileFormatError(NNPError, ValueError):
    """A file whose content breaks its format; the message names file and line."""


class StructureError(NNPError, ValueError):
    """Atoms that cannot be evaluated: wrong shapes, missing elements, overlaps, bad cells."""


class OptionError(NNPError, ValueError):
    """An argument or option with a value that is not allowed."""


class UnavailableError(NNPError, RuntimeError):
    """A library, platform or engine that is asked for and not there; says what to install."""


class NumericalError(NNPError, ArithmeticError):
    """Energies, forces or parameters that are not finite."""


class OutputExistsError(NNPError, FileExistsError):
    """Output that would be overwritten."""
