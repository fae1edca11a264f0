"""What families need of a file's line of symmetry functions; `nnp.io.n2p2.functions` has it."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol

from nnp.cutoffs import Cutoff
from nnp.functions.core import Core


class Line(Sized, Protocol):
    """Typed access to the arguments of a line; lengths come in Å.

    Arguments count from 0: the central element, the type, then what the family reads.
    """

    @property
    def kind(self) -> int:
        """The type number."""
        ...

    def expect(self, *counts: int) -> None:
        """Refuse another number of arguments."""
        ...

    def element(self, index: int) -> str:
        """The symbol of one of the potential's elements."""
        ...

    def pair(self, index: int) -> tuple[str, str]:
        """Two of them, one after the other."""
        ...

    def number(self, index: int) -> float:
        """A number without a unit."""
        ...

    def length(self, index: int) -> float:
        """Å."""
        ...

    def inverse_length(self, index: int) -> float:
        """Å⁻¹."""
        ...

    def inverse_area(self, index: int) -> float:
        """Å⁻²."""
        ...

    def cutoff(self, index: int) -> Cutoff:
        """The file's cutoff function with this argument as its radius."""
        ...

    def core(self, index: int) -> tuple[Core, bool]:
        """A subtype such as ``p2a``: core, and whether asymmetric."""
        ...


class Words(Protocol):
    """Numbers as a file has them, from Å."""

    def number(self, value: float) -> str:
        """Without a unit."""
        ...

    def length(self, value: float) -> str:
        """From Å."""
        ...

    def inverse_area(self, value: float) -> str:
        """From Å⁻²."""
        ...
