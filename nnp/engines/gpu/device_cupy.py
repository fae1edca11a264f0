"""CUDA devices through CuPy, which compiles at run time (NVRTC) and keeps the result on disk; and
arrays there: CuPy's, torch's, and all with ``__cuda_array_interface__``.

torch is not imported: an array of it brings it along.
"""

from __future__ import annotations

import ctypes as ct
import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnp.engines.gpu.cuda_driver import import_cupy, refuse_old
from nnp.engines.gpu.device import Buffer, Device, first_error, no_memory
from nnp.errors import OptionError, UnavailableError

# The only options that differ from NVRTC's defaults: single precision needs neither denormals nor
# correctly rounded division and square root.
COMPILE_OPTIONS = {
    "single": ("--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"),
    "float32": ("--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"),
    "float64": ("--std=c++17",),
}
# cudaMemcpyKind
_TO_DEVICE, _TO_HOST = 1, 2
# Sets of arguments kept ready: those of an evaluation recur at every step.
_MOST_KEPT = 256


def is_torch(value: Any) -> bool:
    """Whether a value is a torch tensor."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def as_torch(values: np.ndarray) -> Any:
    """A tensor on the host with the same memory; torch is there already."""
    return sys.modules["torch"].from_numpy(values)


class _Foreign:
    """A stream of another library, by CUDA's stream protocol."""

    def __init__(self, pointer: int) -> None:
        self._pointer = pointer

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self._pointer


class CupyDevice(Device):
    """A CUDA device; memory is known by its address.

    Args:
        index: CUDA's number of the device; None: the current one.

    Raises:
        UnavailableError: no CuPy, driver or device, or one too old.
        OptionError: there is no device of this index.
    """

    dialect = "cuda"
    local_bytes = 48 * 1024  # what a kernel may have without asking the driver for more
    many_threads = True

    def __init__(self, index: int | None) -> None:
        super().__init__()
        cupy = import_cupy()
        count = cupy.cuda.runtime.getDeviceCount()
        index = cupy.cuda.Device().id if index is None else index
        if not 0 <= index < count:
            raise OptionError(f"device={index}: devices are 0 to {count - 1}")
        self._cupy, self._device = cupy, cupy.cuda.Device(index)
        properties = cupy.cuda.runtime.getDeviceProperties(index)
        self.description = str(properties["name"].decode())
        refuse_old(cupy, self.description, (int(properties["major"]), int(properties["minor"])))
        self._kernels: list[tuple[Any, list[Any]]] = []  # function, type of each argument
        self._ready: dict[tuple[int, bytes], tuple[Any, ...]] = {}
        self._last: Any = None  # the stream that had the last call
        self._one_at_a_time = threading.RLock()

    # ---- what the host calls -------------------------------------------------------------------

    def compile(self, source: str, precision: str) -> Any:
        """See `Device.compile`."""
        cupy = self._cupy
        module = cupy.RawModule(code=source, options=COMPILE_OPTIONS[precision], backend="nvrtc")
        try:
            with self._device:
                module.compile()
        except (cupy.cuda.compiler.CompileException, cupy.cuda.driver.CUDADriverError) as error:
            raise UnavailableError(
                f"the CUDA compiler rejects the kernels for {self.description} "
                f"({first_error(error)}): report it, or use engine='cpu'"
            ) from error
        return module

    def kernel(self, program: Any, name: str, signature: str) -> int:
        """See `Device.kernel`."""
        types = [np.uint64 if letter == "b" else np.int32 for letter in signature]
        with self._device:
            self._kernels.append((program.get_function(name), types))
        return len(self._kernels) - 1

    def empty(self, size: int, dtype: Any) -> Buffer:
        """See `Device.empty`."""
        dtype = np.dtype(dtype)
        n_bytes = max(size, 1) * dtype.itemsize
        try:
            with self._device:
                memory = self._cupy.cuda.alloc(n_bytes)
        except self._cupy.cuda.memory.OutOfMemoryError as error:
            raise no_memory(self.description, n_bytes, error) from error
        return Buffer(int(memory.ptr), size, dtype, memory)

    def release(self, handle: int) -> None:
        """See `Device.release`: arguments are addresses and keep nothing alive."""

    def write(self, handle: int, values: int, n_bytes: int) -> None:
        """See `Device.write`: from memory of the host that may go when the call returns."""
        self._copy(handle, values, n_bytes, _TO_DEVICE)

    def read(self, handle: int, values: int, n_bytes: int) -> None:
        """See `Device.read`."""
        self._copy(values, handle, n_bytes, _TO_HOST).synchronize()

    def _copy(self, to: int, source: int, n_bytes: int, kind: int) -> Any:
        stream = self._cupy.cuda.get_current_stream()
        self._cupy.cuda.runtime.memcpyAsync(to, source, n_bytes, kind, stream.ptr)
        return stream

    def launch(self, kernel: int, groups: int, size: int, arguments: int) -> None:
        """See `Device.launch`; on the stream that is current."""
        function, types = self._kernels[kernel]
        key = kernel, ct.string_at(arguments, 8 * len(types))
        values = self._ready.get(key)
        if values is None:
            numbers = np.frombuffer(key[1], np.uint64)
            values = tuple(kind(number) for kind, number in zip(types, numbers, strict=True))
            if len(self._ready) >= _MOST_KEPT:
                self._ready.clear()
            self._ready[key] = values
        function((groups,), (size,), values)

    # ---- arrays of the caller ------------------------------------------------------------------

    def is_array(self, value: Any) -> bool:
        """See `Device.is_array`."""
        if is_torch(value):
            return bool(value.is_cuda)
        return isinstance(value, self._cupy.ndarray) or hasattr(value, "__cuda_array_interface__")

    @contextmanager
    def queue_of(self, *values: Any) -> Iterator[None]:
        """See `Device.queue_of`.

        torch's current stream for tensors, CuPy's current stream for all else. Where the stream
        is another one than at the last call, it first waits for that one, whose kernels may still
        use the engine's buffers; not during a capture, which may not wait for what is outside.
        Python threads take turns: the buffers and the list are one.
        """
        self.require_own_process()
        with self._one_at_a_time, self._device:
            stream = self._stream(values)
            with stream:
                last = self._last
                if last is not None and last.ptr != stream.ptr and not stream.is_capturing():
                    stream.wait_event(last.record())
                self._last = stream
                yield

    def view(self, name: str, array: Any) -> Buffer:
        """See `Device.view`."""
        found = self._as_cupy(array)
        if not found.flags.c_contiguous:
            raise OptionError(f"{name} is not in rows (C order): give a contiguous copy")
        if found.device.id != self._device.id:
            raise OptionError(
                f"{name} lies on CUDA device {found.device.id}, the engine on {self._device.id}: "
                f"make the engine with device={found.device.id}, or move the array"
            )
        return Buffer(int(found.data.ptr), int(found.size), np.dtype(found.dtype), found)

    def new(self, like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        """See `Device.new`."""
        dtype, full = np.dtype(dtype), (self._cupy.cuda.memory.OutOfMemoryError,)
        torch = sys.modules["torch"] if is_torch(like) else None
        if torch is not None:
            full = (torch.cuda.OutOfMemoryError,)
        try:
            if torch is None:
                return self._cupy.empty(shape, dtype)
            return torch.empty(shape, dtype=getattr(torch, dtype.name), device=like.device)
        except full as error:
            size = dtype.itemsize * math.prod(shape)
            raise no_memory(self.description, size, error) from error

    def cast(self, array: Any, dtype: Any) -> Any:
        """See `Device.cast`."""
        return self._cupy.ascontiguousarray(self._as_cupy(array), dtype)

    def _as_cupy(self, array: Any) -> Any:
        if is_torch(array):
            array = array.detach()
        if hasattr(array, "__cuda_array_interface__"):
            return self._cupy.asarray(array)
        return self._cupy.from_dlpack(array)

    def _stream(self, values: tuple[Any, ...]) -> Any:
        cuda = self._cupy.cuda
        if not any(is_torch(value) and value.is_cuda for value in values):
            return cuda.get_current_stream()
        pointer = sys.modules["torch"].cuda.current_stream(self._device.id).cuda_stream
        if hasattr(cuda.Stream, "from_external"):  # since CuPy 14
            return cuda.Stream.from_external(_Foreign(pointer))
        return cuda.ExternalStream(pointer, self._device.id)
