"""CUDA devices through CuPy, which compiles at run time (NVRTC) and keeps the result on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu.cuda_arrays import CudaArrays
from nnp.engines.gpu.device import Buffer, first_error, no_memory
from nnp.errors import OptionError, UnavailableError

_INSTALL = "pip install 'nnp[gpu]' (CUDA 13) or pip install cupy-cuda12x (CUDA 12)"
_INSTEAD = "or use engine='cpu'"

# The only options that differ from NVRTC's defaults: single precision needs neither denormals nor
# correctly rounded division and square root.
COMPILE_OPTIONS = {
    "single": ("--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"),
    "float32": ("--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"),
    "float64": ("--std=c++17",),
}
# Oldest architecture that NVRTC compiles for: of CUDA 13, and of CUDA 12.
OLDEST_ARCHITECTURE = (7, 5)
_OLDEST_BEFORE_13 = (5, 0)
# cudaError_t
_INSUFFICIENT_DRIVER, _NO_DEVICE = 35, 100


def import_cupy() -> Any:
    """CuPy, with a usable driver behind it.

    Raises:
        UnavailableError: CuPy is missing or does not load, there is no driver or device, or CuPy
            is made for a newer CUDA than the driver.
    """
    try:
        import cupy
    except ImportError as error:
        raise UnavailableError(
            f"engine='gpu' needs CuPy, which cannot be imported ({error}): {_INSTALL}, {_INSTEAD}"
        ) from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise UnavailableError(_why_no_device(cupy, error)) from error
    if count == 0:
        raise UnavailableError("engine='gpu' finds no NVIDIA GPU: use engine='cpu'")
    return cupy


def _why_no_device(cupy: Any, error: Any) -> str:
    """What is wrong where CUDA does not count devices, and what to do."""
    status, runtime = getattr(error, "status", None), cupy.cuda.runtime
    driver = runtime.driverGetVersion()  # 0 where there is none
    if status == _NO_DEVICE:
        return (
            f"engine='gpu' finds no NVIDIA GPU ({error}): look at CUDA_VISIBLE_DEVICES and at "
            f"nvidia-smi, {_INSTEAD}"
        )
    if status == _INSUFFICIENT_DRIVER and driver:
        made_for = runtime.runtimeGetVersion()
        return (
            f"engine='gpu': this CuPy is made for CUDA {_version(made_for)}, the NVIDIA driver "
            f"knows CUDA {_version(driver)}: install the CuPy of the driver's CUDA ({_INSTALL}), "
            f"or a newer driver, {_INSTEAD}"
        )
    return (
        f"engine='gpu' finds no usable NVIDIA driver ({error}): install the driver and look at "
        f"nvidia-smi, {_INSTEAD}"
    )


def _version(number: int) -> str:
    """13020 → 13.2."""
    return f"{number // 1000}.{number % 1000 // 10}"


class CudaDevice(CudaArrays):
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
        cupy = import_cupy()
        count = cupy.cuda.runtime.getDeviceCount()
        index = cupy.cuda.Device().id if index is None else index
        if not 0 <= index < count:
            raise OptionError(f"device={index}: there are 0 to {count - 1}")
        super().__init__(cupy, cupy.cuda.Device(index))
        properties = cupy.cuda.runtime.getDeviceProperties(index)
        self.description = str(properties["name"].decode())
        self._refuse_old((int(properties["major"]), int(properties["minor"])))
        self._functions: dict[tuple[Any, str], Any] = {}

    def compile(self, source: str, precision: str) -> Any:
        """See `Device.compile`."""
        cupy = self._cupy
        module = cupy.RawModule(code=source, options=COMPILE_OPTIONS[precision], backend="nvrtc")
        try:
            with self._device:
                module.compile()
        except (cupy.cuda.compiler.CompileException, cupy.cuda.driver.CUDADriverError) as error:
            raise UnavailableError(
                f"the CUDA compiler does not take the kernels for {self.description} "
                f"({first_error(error)}): report it, {_INSTEAD}"
            ) from error
        return module

    def empty(self, size: int, dtype: Any) -> Buffer:
        """See `Device.empty`."""
        dtype = np.dtype(dtype)
        try:
            with self._device:
                handle = self._cupy.empty(max(size, 1), dtype)
        except self._cupy.cuda.memory.OutOfMemoryError as error:
            raise no_memory(self.description, size * dtype.itemsize, error) from error
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
        key = (program, kernel)
        values = tuple(a.handle if isinstance(a, Buffer) else np.int32(a) for a in args)
        with self._device:
            if key not in self._functions:
                self._functions[key] = program.get_function(kernel)
            self._functions[key]((groups,), (size,), values)

    def _refuse_old(self, architecture: tuple[int, int]) -> None:
        try:
            major, minor = self._cupy.cuda.nvrtc.getVersion()
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"engine='gpu' finds no CUDA compiler, NVRTC ({error}): pip install "
                f"nvidia-cuda-nvrtc of CuPy's CUDA version, {_INSTEAD}"
            ) from error
        oldest = OLDEST_ARCHITECTURE if major >= 13 else _OLDEST_BEFORE_13
        if architecture < oldest:
            what = f"{self.description} is of compute capability {_dotted(architecture)}"
            way_out = "install cupy-cuda12x, or use" if major >= 13 else "use"
            raise UnavailableError(
                f"{what}, the CUDA compiler (NVRTC {major}.{minor}) makes kernels for "
                f"{_dotted(oldest)} and newer: {way_out} engine='cpu'"
            )


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
