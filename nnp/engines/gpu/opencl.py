"""OpenCL devices through PyOpenCL: GPUs without CUDA, and the CPU (PoCL), where tests run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu.device import Buffer
from nnp.errors import OptionError, UnavailableError

try:
    import pyopencl as cl
except ImportError as error:
    raise UnavailableError(
        "engine='opencl' needs pyopencl, which is not installed: pip install pyopencl (and, for "
        "the CPU, pocl-binary-distribution), or use engine='cpu'"
    ) from error

# PoCL 3.1 optimises before it turns work-groups into loops; in long kernels with barriers in nested
# loops work-items get lost, after minutes of compiling. Without that stage the result is right.
_POCL = "Portable Computing Language"


def devices() -> list[Any]:
    """All OpenCL devices, GPUs first."""
    try:
        platforms = cl.get_platforms()
    except cl.Error:  # no platform is an error in OpenCL
        return []
    found = [device for platform in platforms for device in platform.get_devices()]
    return sorted(found, key=lambda device: not device.type & cl.device_type.GPU)


class OpenCLDevice:
    """A device of `Device`'s kind.

    Args:
        index: into `devices`.

    Raises:
        UnavailableError: there is no device, or it has no float64 or no 64-bit atomics.
        OptionError: there is no device of this index.
    """

    dialect = "opencl"
    most_groups = 1 << 20

    def __init__(self, index: int) -> None:
        found = devices()
        if not found:
            raise UnavailableError(
                "engine='opencl' finds no OpenCL device: install your GPU's driver or, for the "
                "CPU, pip install pocl-binary-distribution"
            )
        if not 0 <= index < len(found):
            raise OptionError(f"device={index}: there are 0 to {len(found) - 1}")
        self._device = found[index]
        self.description = self._device.name.strip()
        for extension, what in (
            ("cl_khr_fp64", "float64"),
            ("cl_khr_int64_base_atomics", "64-bit atomics"),
        ):
            if extension not in self._device.extensions:
                raise UnavailableError(
                    f"OpenCL device {self.description} has no {what}, which every precision "
                    "needs: choose another device=, or use engine='cpu'"
                )
        self.local_bytes = int(self._device.local_mem_size)
        self._context = cl.Context([self._device])
        self._queue = cl.CommandQueue(self._context)
        pocl = self._device.platform.name == _POCL
        self._options = ["-cl-opt-disable"] if pocl else []
        self._kernels: dict[tuple[Any, str], Any] = {}

    def compile(self, source: str, precision: str) -> Any:
        """See `Device.compile`."""
        del precision  # the text says it
        try:
            return cl.Program(self._context, source).build(self._options)
        except cl.Error as error:
            raise UnavailableError(
                f"the OpenCL compiler of {self.description} does not take the kernels: {error}"
            ) from error

    def empty(self, size: int, dtype: Any) -> Buffer:
        """See `Device.empty`."""
        dtype = np.dtype(dtype)
        n_bytes = max(size, 1) * dtype.itemsize
        try:
            handle = cl.Buffer(self._context, cl.mem_flags.READ_WRITE, n_bytes)
        except cl.Error as error:
            raise UnavailableError(
                f"{self.description} has no {n_bytes / 1e6:.0f} MB left ({error}): evaluate fewer "
                "atoms, or use engine='cpu'"
            ) from error
        return Buffer(handle, size, dtype)

    def write(self, buffer: Buffer, values: NDArray[Any]) -> None:
        """See `Device.write`."""
        values = np.ascontiguousarray(values, buffer.dtype)
        if values.size:
            cl.enqueue_copy(self._queue, buffer.handle, values, is_blocking=True)

    def read(self, buffer: Buffer, size: int) -> NDArray[Any]:
        """See `Device.read`."""
        out = np.empty(size, buffer.dtype)
        if size:
            cl.enqueue_copy(self._queue, out, buffer.handle, is_blocking=True)
        return out

    def launch(
        self, program: Any, kernel: str, groups: int, size: int, args: Sequence[Any]
    ) -> None:
        """See `Device.launch`."""
        key = (program, kernel)
        if key not in self._kernels:
            self._kernels[key] = cl.Kernel(program, kernel)
        values = [a.handle if isinstance(a, Buffer) else np.int32(a) for a in args]
        self._kernels[key](self._queue, (groups * size,), (size,), *values)
