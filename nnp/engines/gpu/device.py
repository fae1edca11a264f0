"""What the GPU engines need of a device: compile, hold buffers, launch. Two kinds exist."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnp.errors import UnavailableError


@dataclass(frozen=True)
class Buffer:
    """Memory on a device.

    Attributes:
        handle: the device's own object.
        size: number of items.
        dtype: of one item.
    """

    handle: Any
    size: int
    dtype: np.dtype[Any]


def first_error(error: Exception) -> str:
    """One line of what may be a whole compiler log: the first that says error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "error:" in line), lines[0] if lines else "")


def no_memory(description: str, n_bytes: int, error: Exception) -> UnavailableError:
    """What a device says that has no memory left."""
    return UnavailableError(
        f"{description} has no {n_bytes / 1e6:.0f} MB left ({first_error(error)}): evaluate fewer "
        "atoms, free other arrays, or use engine='cpu'"
    )


class Device(Protocol):
    """One GPU (or what takes its place) and its queue; all calls are in order."""

    dialect: str  # of `library.DIALECTS`
    description: str
    local_bytes: int  # local memory of a work-group
    most_groups: int  # work-groups of one launch; kernels loop over the rest

    def compile(self, source: str, precision: str) -> Any:
        """A program. Raises UnavailableError with the compiler's words."""
        ...

    def empty(self, size: int, dtype: Any) -> Buffer:
        """Memory without content. Raises UnavailableError when there is none left."""
        ...

    def write(self, buffer: Buffer, values: NDArray[Any]) -> None:
        """Copy host values into the front of a buffer."""
        ...

    def read(self, buffer: Buffer, size: int) -> NDArray[Any]:
        """The first items of a buffer; waits for all that was launched before."""
        ...

    def launch(
        self, program: Any, kernel: str, groups: int, size: int, args: Sequence[Any]
    ) -> None:
        """Start a kernel on ``groups`` work-groups of ``size``; args are Buffers and ints."""
        ...

    # ---- arrays of the caller ------------------------------------------------------------------

    def is_array(self, value: Any) -> bool:
        """Whether a value is an array in the memory of such devices."""
        ...

    def queue_of(self, *values: Any) -> AbstractContextManager[None]:
        """All calls within go where the caller's own work on these arrays goes, after it."""
        ...

    def view(self, name: str, array: Any) -> Buffer:
        """An array's memory, not a copy.

        Raises:
            OptionError: the array, ``name`` in the message, is not in rows (C order) or lies on
                another device.
        """
        ...

    def new(self, like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array without content, of the library and in the place of ``like``.

        Raises:
            UnavailableError: no memory is left.
        """
        ...

    def cast(self, array: Any, dtype: Any) -> Any:
        """The array in another type and in rows, itself where it is so already."""
        ...
