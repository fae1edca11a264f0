"""The C library that writes the GPU kernels of a potential: finding, loading and calling it."""

from __future__ import annotations

import ctypes as ct
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines._library import (
    PotentialArrays,
    check,
    check_version,
    find_library,
    open_library,
)
from nnp.engines.flatten import FlatPotential

ABI_VERSION = 2
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
    needed = "the GPU engines need the library that writes their kernels"
    return find_library(_NAME, "NNP_GPU_LIBRARY", needed, "engine='cpu'")


@cache
def load_library() -> ct.CDLL:
    """The library, loaded once and declared.

    Raises:
        UnavailableError: it is missing, does not load, or is of another version.
    """
    path = library_path()
    library = open_library(path, "the GPU engines'")
    check_version(path, "the GPU engines'", library.nnp_gpu_abi_version(), ABI_VERSION)
    for name in ("source", "tangent_source", "parameters", "order", "local_bytes"):
        getattr(library, f"nnp_gpu_{name}").restype = ct.c_int64
    return library


class Generator:
    """Writes the kernels of one potential.

    Args:
        flat: the potential.
    """

    def __init__(self, flat: FlatPotential) -> None:
        self._library = load_library()
        self._flat = flat  # keeps the arrays alive that `_arrays` points to
        self._arrays = PotentialArrays.of(flat)

    def source(self, options: SourceOptions) -> str:
        """The program's text."""
        return self._text("nnp_gpu_source", options)

    def tangent_source(self, options: SourceOptions) -> str:
        """The text of the program beside it: Jacobian-vector products."""
        return self._text("nnp_gpu_tangent_source", options)

    def parameters(self, element: int) -> NDArray[np.float64]:
        """The parameter buffer of an element."""
        return self._array("nnp_gpu_parameters", ct.c_int32(element), np.float64)

    def order(self, element: int) -> NDArray[np.int64]:
        """For each function inside the kernels, its number among the element's functions."""
        return self._array("nnp_gpu_order", ct.c_int32(element), np.int64)

    def local_bytes(self, options: SourceOptions) -> int:
        """Local memory a work-group needs, bytes."""
        return self._call("nnp_gpu_local_bytes", ct.byref(options))

    def _text(self, function: str, options: SourceOptions) -> str:
        return self._array(function, ct.byref(options), np.uint8)[:-1].tobytes().decode()

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
