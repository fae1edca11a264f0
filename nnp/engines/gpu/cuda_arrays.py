"""Arrays that lie on an NVIDIA GPU: CuPy's, torch's, and all with ``__cuda_array_interface__``.

torch is not imported: an array of it brings it along.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnp.engines.gpu.device import Buffer, no_memory
from nnp.errors import OptionError


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


class CudaArrays:
    """The array part of `nnp.engines.gpu.device.Device`.

    Args:
        cupy: the module.
        device: a ``cupy.cuda.Device``.
    """

    description: str

    def __init__(self, cupy: Any, device: Any) -> None:
        self._cupy, self._device = cupy, device
        self._last: Any = None  # the stream that had the last call
        self._one_at_a_time = threading.RLock()

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
        return Buffer(found.reshape(-1), int(found.size), np.dtype(found.dtype))

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
