"""CuPy with a usable driver, GPU and compiler behind it; or what to install."""

from __future__ import annotations

from typing import Any

from nnp.distribution import install
from nnp.errors import UnavailableError

_INSTALL = f"{install('cuda13')} or {install('cuda12')}, as nvidia-smi says"
_INSTEAD = "or use engine='cpu'"

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


def refuse_old(cupy: Any, description: str, architecture: tuple[int, int]) -> None:
    """Refuse a GPU that the compiler makes no kernels for.

    Raises:
        UnavailableError: it is too old, or there is no compiler.
    """
    try:
        major, minor = cupy.cuda.nvrtc.getVersion()
    except (ImportError, OSError, RuntimeError) as error:
        raise UnavailableError(
            f"engine='gpu' finds no CUDA compiler, NVRTC ({error}): pip install "
            f"nvidia-cuda-nvrtc of CuPy's CUDA version, {_INSTEAD}"
        ) from error
    oldest = OLDEST_ARCHITECTURE if major >= 13 else _OLDEST_BEFORE_13
    if architecture < oldest:
        what = f"{description} has compute capability {_dotted(architecture)}"
        way_out = f"{install('cuda12')} in a fresh environment, or use" if major >= 13 else "use"
        raise UnavailableError(
            f"{what}, the CUDA compiler (NVRTC {major}.{minor}) makes kernels for "
            f"{_dotted(oldest)} and newer: {way_out} engine='cpu'"
        )


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


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
