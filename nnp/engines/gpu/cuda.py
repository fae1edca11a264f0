"""CUDA devices through CuPy, which compiles at run time (NVRTC) and keeps the result on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu.device import Buffer
from nnp.errors import OptionError, UnavailableError

_INSTALL = "pip install 'nnp[gpu]' (CUDA 13) or pip install cupy-cuda12x (CUDA 12)"

# The only options that differ from NVRTC's defaults: single precision needs neither denormals nor
# correctly rounded division and square root.
COMPILE_OPTIONS = {
    "single": ("--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"),
    "float32": ("--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"),
    "float64": ("--std=c++17",),
}
# Oldest architecture that NVRTC of CUDA 13 compiles for.
OLDEST_ARCHITECTURE = (7, 5)


def import_cupy() -> Any:
    """CuPy, with a usable driver behind it.

    Raises:
        UnavailableError: CuPy is missing or does not load, or there is no driver or device.
    """
    try:
        import cupy
    except ImportError as error:
        raise UnavailableError(
            f"engine='gpu' needs CuPy, which cannot be imported ({error}): {_INSTALL}, or use "
            "engine='cpu'"
        ) from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise UnavailableError(
            f"engine='gpu' finds no usable NVIDIA driver ({error}): install the driver, or a CuPy "
            f"for the CUDA version your driver has ({_INSTALL}), or use engine='cpu'"
        ) from error
    if count == 0:
        raise UnavailableError("engine='gpu' finds no NVIDIA GPU: use engine='cpu'")
    return cupy


def available() -> bool:
    """Whether engine='gpu' can run here."""
    try:
        import_cupy()
    except UnavailableError:
        return False
    return True


class CudaDevice:
    """A device of `Device`'s kind: the caller's current device and stream unless told otherwise.

    Args:
        index: CUDA's number of the device; None: the current one.

    Raises:
        UnavailableError: no CuPy, driver or device, or one too old.
        OptionError: there is no device of this index.
    """

    dialect = "cuda"
    local_bytes = 48 * 1024  # what a kernel may have without asking the driver for more
    most_groups = 1 << 20

    def __init__(self, index: int | None) -> None:
        self._cupy = import_cupy()
        count = self._cupy.cuda.runtime.getDeviceCount()
        index = self._cupy.cuda.Device().id if index is None else index
        if not 0 <= index < count:
            raise OptionError(f"device={index}: there are 0 to {count - 1}")
        self._device = self._cupy.cuda.Device(index)
        properties = self._cupy.cuda.runtime.getDeviceProperties(index)
        self.description = str(properties["name"].decode())
        architecture = (int(properties["major"]), int(properties["minor"]))
        if architecture < OLDEST_ARCHITECTURE:
            raise UnavailableError(
                f"{self.description} is of compute capability {architecture[0]}.{architecture[1]}: "
                f"engine='gpu' needs {OLDEST_ARCHITECTURE[0]}.{OLDEST_ARCHITECTURE[1]} (Turing) or "
                "newer: use engine='cpu'"
            )

    def compile(self, source: str, precision: str) -> Any:
        """See `Device.compile`."""
        cupy = self._cupy
        with self._device:
            module = cupy.RawModule(
                code=source, options=COMPILE_OPTIONS[precision], backend="nvrtc"
            )
            try:
                module.compile()
            except (cupy.cuda.compiler.CompileException, cupy.cuda.driver.CUDADriverError) as error:
                raise UnavailableError(
                    f"the CUDA compiler does not take the kernels for {self.description}: {error}"
                ) from error
        return module

    def empty(self, size: int, dtype: Any) -> Buffer:
        """See `Device.empty`."""
        dtype = np.dtype(dtype)
        try:
            with self._device:
                handle = self._cupy.empty(max(size, 1), dtype)
        except self._cupy.cuda.memory.OutOfMemoryError as error:
            raise UnavailableError(
                f"{self.description} has no {size * dtype.itemsize / 1e6:.0f} MB left ({error}): "
                "evaluate fewer atoms, or use engine='cpu'"
            ) from error
        return Buffer(handle, size, dtype)

    def write(self, buffer: Buffer, values: NDArray[Any]) -> None:
        """See `Device.write`."""
        with self._device:
            flat = np.ascontiguousarray(values, buffer.dtype).ravel()
            buffer.handle[: flat.size].set(flat)

    def read(self, buffer: Buffer, size: int) -> NDArray[Any]:
        """See `Device.read`."""
        with self._device:
            return np.asarray(buffer.handle[:size].get())

    def launch(
        self, program: Any, kernel: str, groups: int, size: int, args: Sequence[Any]
    ) -> None:
        """See `Device.launch`."""
        values = tuple(a.handle if isinstance(a, Buffer) else np.int32(a) for a in args)
        with self._device:
            program.get_function(kernel)((groups,), (size,), values)
