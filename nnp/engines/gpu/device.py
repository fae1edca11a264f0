"""What the GPU host of libnnp needs of a device, as Python methods behind the table of C functions.

The host (kernels/gpu/host) decides what is allocated, copied, compiled and launched; a device does
it. Memory is known by a number: an address for CUDA, a ``cl_mem`` for OpenCL. What a method raises
crosses the C code as a code and is raised again by `Device.reraise`.
"""

from __future__ import annotations

import ctypes as ct
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import library as c
from nnp.errors import UnavailableError


@dataclass(frozen=True)
class Buffer:
    """Memory on a device.

    Attributes:
        handle: the number that the host knows it by.
        size: number of items.
        dtype: of one item.
        owner: object that keeps the memory.
    """

    handle: int
    size: int
    dtype: np.dtype[Any]
    owner: Any


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


class Device(ABC):
    """One GPU (or what takes its place) and its queue; all calls are in order."""

    dialect: str  # of `library.DIALECTS`
    description: str
    local_bytes: int  # local memory of a work-group
    most_groups = 1 << 20  # work-groups of one launch; kernels loop over the rest
    many_threads: bool  # whether larger work-groups pay where atoms are few

    # The process that used the first one: drivers do not survive a fork.
    _process: ClassVar[int | None] = None

    def __init__(self) -> None:
        Device._process = Device._process or os.getpid()
        self.require_own_process()
        self._memory: dict[int, Any] = {}  # of the host: number → object that keeps it
        self._programs: list[Any] = []
        self._failure: BaseException | None = None
        self._message = ct.create_string_buffer(1000)
        self._name = b""
        self._table: c.DeviceTable | None = None

    def require_own_process(self) -> None:
        """Refuse a process forked from one that has used a GPU, in which drivers hang or crash.

        Raises:
            UnavailableError: it is one.
        """
        if Device._process != os.getpid():
            raise UnavailableError(
                "this process was forked from one that had used a GPU engine, and neither CUDA nor "
                "OpenCL survives that: start it by spawn (multiprocessing.get_context('spawn')), "
                "make GPU engines only in the children, or use engine='cpu'"
            )

    # ---- what the host calls -------------------------------------------------------------------

    @abstractmethod
    def compile(self, source: str, precision: str) -> Any:
        """A program. Raises UnavailableError with the compiler's words."""

    @abstractmethod
    def kernel(self, program: Any, name: str, signature: str) -> int:
        """A number for `launch`. ``signature``: i for an integer, b for a buffer, per argument."""

    @abstractmethod
    def empty(self, size: int, dtype: Any) -> Buffer:
        """Uninitialised memory. Raises UnavailableError when there is none left."""

    @abstractmethod
    def release(self, handle: int) -> None:
        """Memory that the host does not use any more is about to go."""

    @abstractmethod
    def write(self, handle: int, values: int, n_bytes: int) -> None:
        """Copy from an address on the host to the front of a buffer."""

    @abstractmethod
    def read(self, handle: int, values: int, n_bytes: int) -> None:
        """The way back; waits for all that was launched before."""

    @abstractmethod
    def launch(self, kernel: int, groups: int, size: int, arguments: int) -> None:
        """Start a kernel on ``groups`` work-groups; an address of 64 bits per argument."""

    # ---- arrays of the caller ------------------------------------------------------------------

    @abstractmethod
    def is_array(self, value: Any) -> bool:
        """Whether a value is an array in the memory of such devices."""

    @abstractmethod
    def queue_of(self, *values: Any) -> AbstractContextManager[None]:
        """All calls within go where the caller's own work on these arrays goes, after it."""

    @abstractmethod
    def view(self, name: str, array: Any) -> Buffer:
        """An array's memory, not a copy.

        Raises:
            OptionError: the array, ``name`` in the message, is not in rows (C order) or lies on
                another device.
        """

    @abstractmethod
    def new(self, like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        """An uninitialised array of the library and on the device of ``like``.

        Raises:
            UnavailableError: no memory is left.
        """

    @abstractmethod
    def cast(self, array: Any, dtype: Any) -> Any:
        """The array in another type and in rows, itself where it is so already."""

    # ---- for both ------------------------------------------------------------------------------

    def uploaded(self, values: NDArray[Any]) -> Buffer:
        """Host values in memory of the device."""
        values = np.ascontiguousarray(values)
        found = self.empty(values.size, values.dtype)
        self.write(found.handle, values.ctypes.data, values.nbytes)
        return found

    def downloaded(self, buffer: Buffer) -> NDArray[Any]:
        """The way back, (size,)."""
        out = np.empty(buffer.size, buffer.dtype)
        self.read(buffer.handle, out.ctypes.data, out.nbytes)
        return out

    def memory(self) -> list[Any]:
        """What the host holds: as long as someone has this list it stays where it is."""
        return list(self._memory.values())

    def reraise(self) -> None:
        """Raise what a method raised while the host had called it."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def table(self) -> c.DeviceTable:
        """The C functions, which live as long as the device."""
        if self._table is None:
            self._name = self.description.encode()
            self._table = c.DeviceTable(
                c.DEVICE_VERSION,
                c.DIALECTS[self.dialect],
                self.local_bytes,
                self.most_groups,
                self.many_threads,
                self._name,
                None,
                c.ALLOCATE(self._guarded("_allocate")),
                c.RELEASE(self._released),
                c.COPY(self._guarded("write")),
                c.COPY(self._guarded("read")),
                c.COMPILE(self._guarded("_compile")),
                c.KERNEL(self._guarded("_kernel")),
                c.LAUNCH(self._guarded("launch")),
                c.MESSAGE(lambda _: ct.addressof(self._message)),
            )
        return self._table

    def _guarded(self, method: str) -> Callable[..., int]:
        """A method that the host calls: no exception may cross C code."""

        def call(_: int, *arguments: Any) -> int:
            try:
                getattr(self, method)(*arguments)
            except BaseException as error:  # noqa: BLE001 - raised again by `reraise`
                self._failure = error
                self._message.value = str(error).encode()[:999]
                return c.UNAVAILABLE
            return 0

        return call

    def _allocate(self, n_items: int, item_bytes: int, handle: Any) -> None:
        found = self.empty(n_items * item_bytes, np.uint8)
        self._memory[found.handle] = found.owner
        handle[0] = found.handle

    def _released(self, _: int, handle: int) -> None:
        self.release(handle)
        self._memory.pop(handle, None)

    def _compile(self, source: bytes, precision: int, program: Any) -> None:
        names = {number: name for name, number in c.PRECISIONS.items()}
        self._programs.append(self.compile(source.decode(), names[precision]))
        program[0] = len(self._programs)

    def _kernel(self, program: int, name: bytes, signature: bytes, kernel: Any) -> None:
        found = self.kernel(self._programs[program - 1], name.decode(), signature.decode())
        kernel[0] = found
