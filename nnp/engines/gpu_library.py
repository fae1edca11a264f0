"""The C library that writes the GPU kernels of a potential: finding, loading and calling it."""

from __future__ import annotations

import ctypes as ct
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnp
from nnp.engines._library import PotentialArrays, check
from nnp.engines.flatten import FlatPotential
from nnp.errors import UnavailableError

ABI_VERSION = 1
_NAME = "libnnp_gpu.dylib" if sys.platform == "darwin" else "libnnp_gpu.so"

# dtype → enum nnp_gpu_precision of nnp_gpu.h. "float32" is, as in the CPU engine, arithmetic in
# float32 with sums in float64: OpenMM's "mixed".
PRECISIONS = {"float64": 2, "float32": 1, "single": 0}
# enum nnp_gpu_dialect
DIALECTS = {"cuda": 0, "opencl": 1, "openmm": 2}


class SourceOptions(ct.Structure):
    """nnp_gpu_options"""

    _fields_ = [
        ("precision", ct.c_int32),
        ("dialect", ct.c_int32),
        ("group_size", ct.c_int32),
        ("capacity", ct.c_int32),
    ]


def library_path() -> Path:
    """Where the library lies; ``NNP_GPU_LIBRARY`` in the environment names another build.

    Raises:
        UnavailableError: it is nowhere.
    """
    override = os.environ.get("NNP_GPU_LIBRARY")
    folders = [Path(folder) for folder in nnp.__path__]
    folders.append(Path(sysconfig.get_path("platlib")) / "nnp")
    candidates = [Path(override)] if override else [folder / "lib" / _NAME for folder in folders]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise UnavailableError(
        "the GPU engines need the library that writes their kernels, which is not at "
        f"{' or '.join(map(str, candidates))}: install the package with a C++17 compiler at hand "
        "(pip install .), or use engine='cpu'"
    )


@cache
def load_library() -> ct.CDLL:
    """The library, loaded once and declared.

    Raises:
        UnavailableError: it is missing, does not load, or is of another version.
    """
    path = library_path()
    try:
        library = ct.CDLL(str(path))
    except OSError as error:
        raise UnavailableError(
            f"the GPU engines' library {path} does not load ({error}): reinstall the package"
        ) from error
    for name in ("source", "parameters", "order", "local_bytes"):
        getattr(library, f"nnp_gpu_{name}").restype = ct.c_int64
    if library.nnp_gpu_abi_version() != ABI_VERSION:
        raise UnavailableError(
            f"the GPU engines' library {path} speaks version {library.nnp_gpu_abi_version()} of "
            f"its interface, this package version {ABI_VERSION}: reinstall the package"
        )
    return library


class Generator:
    """Writes the kernels of one potential.

    Args:
        flat: the potential.
    """

    def __init__(self, flat: FlatPotential) -> None:
        self._library = load_library()
        self._flat = flat  # keeps the arrays alive that `_arrays` points to
        self._arrays = PotentialArrays(
            flat.integers.ctypes.data_as(ct.POINTER(ct.c_int64)),
            len(flat.integers),
            flat.reals.ctypes.data_as(ct.POINTER(ct.c_double)),
            len(flat.reals),
        )

    def source(self, options: SourceOptions) -> str:
        """The program's text."""
        text = self._array("nnp_gpu_source", ct.byref(options), np.uint8)
        return text[:-1].tobytes().decode()

    def parameters(self, element: int) -> NDArray[np.float64]:
        """The parameter buffer of an element."""
        return self._array("nnp_gpu_parameters", ct.c_int32(element), np.float64)

    def order(self, element: int) -> NDArray[np.int64]:
        """For each function inside the kernels, its number among the element's functions."""
        return self._array("nnp_gpu_order", ct.c_int32(element), np.int64)

    def local_bytes(self, options: SourceOptions) -> int:
        """Local memory a work-group needs, bytes."""
        return self._call("nnp_gpu_local_bytes", ct.byref(options))

    def _array(self, function: str, argument: Any, dtype: Any) -> NDArray[Any]:
        size = self._call(function, argument, None, ct.c_int64(0))
        out = np.empty(size, dtype)
        self._call(function, argument, ct.c_void_p(out.ctypes.data), ct.c_int64(size))
        return out

    def _call(self, function: str, *arguments: Any) -> int:
        message = ct.create_string_buffer(1024)
        result = getattr(self._library, function)(
            ct.byref(self._arrays), *arguments, message, ct.c_size_t(len(message))
        )
        check(int(max(0, -result)), message.value.decode())
        return int(result)
