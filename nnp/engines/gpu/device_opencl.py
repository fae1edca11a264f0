"""OpenCL devices through PyOpenCL: GPUs without CUDA, and the CPU (PoCL), where tests run."""

from __future__ import annotations

import ctypes as ct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnp.engines.gpu.binaries import Binaries
from nnp.engines.gpu.device import Buffer, Device, first_error, no_memory
from nnp.errors import OptionError, UnavailableError

try:
    import pyopencl as cl
    import pyopencl.array as cla
except ImportError as error:
    raise UnavailableError(
        "engine='opencl' needs pyopencl, which is not installed: pip install pyopencl (and, for "
        "the CPU, pocl-binary-distribution), or use engine='cpu'"
    ) from error

# PoCL 3.1 optimises before it turns work-groups into loops; in long kernels with barriers in nested
# loops work-items get lost, after minutes of compiling. Without that stage the result is right.
_POCL = "Portable Computing Language"
# PyOpenCL's own cache is written in place: a killed process leaves half a binary and a lock.
_NO_CACHE: Any = {"cache_dir": False}
_NEEDED = {"cl_khr_fp64": "float64", "cl_khr_int64_base_atomics": "64-bit atomics"}
# Sets of arguments kept ready: those of an evaluation recur at every step.
_MOST_KEPT = 256


def devices() -> list[Any]:
    """All OpenCL devices, GPUs first."""
    try:
        platforms = cl.get_platforms()
    except cl.Error:  # no platform is an error in OpenCL
        return []
    found = [device for platform in platforms for device in platform.get_devices()]
    return sorted(found, key=lambda device: not device.type & cl.device_type.GPU)


class OpenCLDevice(Device):
    """An OpenCL device; memory is known by its ``cl_mem``.

    Args:
        which: index into `devices`, or a ``pyopencl.CommandQueue`` (in order) to work on.

    Raises:
        UnavailableError: there is no device, or it has no float64 or no 64-bit atomics.
        OptionError: there is no device of this index.
    """

    dialect = "opencl"
    many_threads = False  # a CPU's work-groups are loops; not measured on GPUs

    def __init__(self, which: Any) -> None:
        super().__init__()
        self.queue = which if isinstance(which, cl.CommandQueue) else _new_queue(which)
        self._device, self._context = self.queue.device, self.queue.context
        self.description = self._device.name.strip()
        for extension, what in _NEEDED.items():
            if extension not in self._device.extensions:
                raise UnavailableError(
                    f"OpenCL device {self.description} has no {what}, which every dtype "
                    "needs: choose another device=, or use engine='cpu'"
                )
        self.local_bytes = int(self._device.local_mem_size)
        pocl = self._device.platform.name == _POCL
        self._options = ["-cl-opt-disable"] if pocl else []
        self._kernels: list[tuple[Any, str]] = []
        self._ready: dict[tuple[int, bytes], tuple[Any, ...]] = {}
        self._one_at_a_time = threading.RLock()  # Python threads: buffers and list are one

    # ---- what the host calls -------------------------------------------------------------------

    def compile(self, source: str, precision: str) -> Any:
        """See `Device.compile`."""
        del precision  # the text says it
        device = self._device
        binaries = Binaries(
            "opencl", device.platform.name, device.platform.version, device.name,
            device.driver_version, *self._options, source,
        )  # fmt: skip
        found = binaries.load()
        if found is not None:
            try:
                return cl.Program(self._context, [device], [found]).build(self._options)
            except cl.Error:  # of another driver after all: compiled again
                pass
        try:
            program = cl.Program(self._context, source).build(self._options, **_NO_CACHE)
        except cl.Error as error:
            raise UnavailableError(
                f"the OpenCL compiler of {self.description} rejects the kernels "
                f"({first_error(error)}): update the driver, or use engine='cpu'"
            ) from error
        binaries.save(program.get_info(cl.program_info.BINARIES)[0])
        return program

    def kernel(self, program: Any, name: str, signature: str) -> int:
        """See `Device.kernel`."""
        self._kernels.append((cl.Kernel(program, name), signature))
        return len(self._kernels) - 1

    def empty(self, size: int, dtype: Any) -> Buffer:
        """See `Device.empty`."""
        dtype = np.dtype(dtype)
        n_bytes = max(size, 1) * dtype.itemsize
        try:
            memory = cl.Buffer(self._context, cl.mem_flags.READ_WRITE, n_bytes)
        except cl.Error as error:
            raise no_memory(self.description, n_bytes, error) from error
        return Buffer(memory.int_ptr, size, dtype, memory)

    def release(self, handle: int) -> None:
        """See `Device.release`."""
        if handle in self._memory:
            self._ready.clear()  # it would keep the memory

    def write(self, handle: int, values: int, n_bytes: int) -> None:
        """See `Device.write`."""
        try:
            self._copy(self._buffer(handle), _host(values, n_bytes))
        except cl.MemoryError as error:  # some drivers allocate when memory is first used
            raise no_memory(self.description, n_bytes, error) from error

    def read(self, handle: int, values: int, n_bytes: int) -> None:
        """See `Device.read`."""
        self._copy(_host(values, n_bytes), self._buffer(handle))

    def launch(self, kernel: int, groups: int, size: int, arguments: int) -> None:
        """See `Device.launch`."""
        function, signature = self._kernels[kernel]
        key = kernel, ct.string_at(arguments, 8 * len(signature))
        values = self._ready.get(key)
        if values is None:
            numbers = np.frombuffer(key[1], np.uint64).tolist()
            pairs = list(zip(signature, numbers, strict=True))
            values = tuple(np.int32(v) if s == "i" else self._buffer(v) for s, v in pairs)
            if all(v in self._memory for s, v in pairs if s == "b"):  # the host's, released by it
                if len(self._ready) >= _MOST_KEPT:
                    self._ready.clear()
                self._ready[key] = values
        try:
            function(self.queue, (groups * size,), (size,), *values)
        except cl.MemoryError as error:
            raise no_memory(self.description, 0, error) from error

    def _buffer(self, handle: int) -> Any:
        """The object of a number, of the host's or of a caller's, who keeps it."""
        found = self._memory.get(handle)
        return cl.MemoryObject.from_int_ptr(handle) if found is None else found

    def _copy(self, to: Any, source: Any) -> None:
        cl.enqueue_copy(self.queue, to, source, is_blocking=True)

    # ---- arrays of the caller ------------------------------------------------------------------

    def is_array(self, value: Any) -> bool:
        """See `Device.is_array`."""
        return isinstance(value, cla.Array)

    @contextmanager
    def queue_of(self, *values: Any) -> Iterator[None]:
        """See `Device.queue_of`: the engine's own queue, after the work on the arrays' queues."""
        for value in values:
            if value.context != self._context:
                raise OptionError(
                    "positions lie in another OpenCL context than the engine: make the engine "
                    "with device=<their queue>"
                )
        queues = {value.queue for value in values} - {None, self.queue}
        self.require_own_process()
        with self._one_at_a_time:
            for queue in queues:
                self._wait(self.queue, queue)
            yield
            for queue in queues:
                self._wait(queue, self.queue)

    def view(self, name: str, array: Any) -> Buffer:
        """See `Device.view`."""
        if not array.flags.c_contiguous or array.offset:
            raise OptionError(f"{name} is not in rows (C order) from its start: give a copy")
        memory = array.base_data
        handle = 0 if memory is None else memory.int_ptr  # none of an array without elements
        return Buffer(handle, int(array.size), np.dtype(array.dtype), memory)

    def new(self, like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        """See `Device.new`."""
        try:
            return cla.empty(like.queue or self.queue, shape, np.dtype(dtype))
        except cl.MemoryError as error:
            size = int(np.prod(shape)) * np.dtype(dtype).itemsize
            raise no_memory(self.description, size, error) from error

    def cast(self, array: Any, dtype: Any) -> Any:
        """See `Device.cast`."""
        return array.with_queue(self.queue).astype(np.dtype(dtype))

    @staticmethod
    def _wait(later: Any, earlier: Any) -> None:
        """What is enqueued from now on in one queue comes after what is in another."""
        cl.enqueue_barrier(later, [cl.enqueue_marker(earlier)])
        earlier.flush()


def _host(address: int, n_bytes: int) -> Any:
    """Memory of the host, as what PyOpenCL copies from and to."""
    return (ct.c_uint8 * n_bytes).from_address(address)


def _new_queue(index: int) -> Any:
    found = devices()
    if not found:
        raise UnavailableError(
            "engine='opencl' finds no OpenCL device: install your GPU's driver or, for the "
            "CPU, pip install pocl-binary-distribution, or use engine='cpu'"
        )
    if not 0 <= index < len(found):
        raise OptionError(f"device={index}: devices are 0 to {len(found) - 1}")
    return cl.CommandQueue(cl.Context([found[index]]))
