"""The part of the C library that writes the GPU kernels of a potential."""

from __future__ import annotations

import ctypes as ct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines._library import PotentialArrays, check, load_library
from nnp.engines.flatten import FlatPotential

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
