"""nnp_gpu.h and nnp_device.h of the C library, declared."""

from __future__ import annotations

import ctypes as ct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines import _library
from nnp.engines.flatten import FlatPotential

DEVICE_VERSION = 1

# dtype → enum nnp_gpu_precision of nnp_device.h. "float32" is, as in the CPU engine, arithmetic in
# float32 with sums in float64: OpenMM's "mixed".
PRECISIONS = {"float64": 2, "float32": 1, "single": 0}
# enum nnp_gpu_dialect
DIALECTS = {"cuda": 0, "opencl": 1, "openmm": 2}
# enum nnp_gpu_program
PROGRAMS = {"list": 0, "evaluation": 1, "change": 2}
# enum nnp_gpu_wanted
ENERGY, FORCES, VIRIAL, DESCRIPTORS, GRADIENT, CHANGE = 1, 2, 4, 8, 16, 32
# enum nnp_code
INTERNAL, UNKNOWN_ELEMENT, UNAVAILABLE = 6, 9, 11

_void_p, _int32, _int64, _uint64 = ct.c_void_p, ct.c_int32, ct.c_int64, ct.c_uint64
ALLOCATE = ct.CFUNCTYPE(ct.c_int, _void_p, _int64, _int32, ct.POINTER(_uint64))
RELEASE = ct.CFUNCTYPE(None, _void_p, _uint64)
COPY = ct.CFUNCTYPE(ct.c_int, _void_p, _uint64, _void_p, _int64)
COMPILE = ct.CFUNCTYPE(ct.c_int, _void_p, ct.c_char_p, _int32, ct.POINTER(_uint64))
KERNEL = ct.CFUNCTYPE(ct.c_int, _void_p, _uint64, ct.c_char_p, ct.c_char_p, ct.POINTER(_uint64))
LAUNCH = ct.CFUNCTYPE(ct.c_int, _void_p, _uint64, _int64, _int32, _void_p)
MESSAGE = ct.CFUNCTYPE(_void_p, _void_p)


class DeviceTable(ct.Structure):
    """nnp_device"""

    _fields_ = [
        ("version", _int32),
        ("dialect", _int32),
        ("local_bytes", _int64),
        ("most_groups", _int64),
        ("many_threads", _int32),
        ("description", ct.c_char_p),
        ("context", _void_p),
        ("allocate", ALLOCATE),
        ("release", RELEASE),
        ("write", COPY),
        ("read", COPY),
        ("compile", COMPILE),
        ("kernel", KERNEL),
        ("launch", LAUNCH),
        ("message", MESSAGE),
    ]


class EngineOptions(ct.Structure):
    """nnp_gpu_engine_options"""

    _fields_ = [
        ("precision", _int32),
        ("group_size", _int32),
        ("capacity", _int32),
        ("skin", ct.c_double),
    ]


class Atoms(ct.Structure):
    """nnp_gpu_atoms"""

    _fields_ = [
        ("n", _int64),
        ("positions", _void_p),
        ("positions_there", _uint64),
        ("single", _int32),
        ("numbers", _void_p),
        ("numbers_there", _uint64),
        ("cell", _void_p),
        ("cell_there", _uint64),
        ("periodic", _void_p),
        ("periodic_there", _uint64),
    ]


class Request(ct.Structure):
    """nnp_gpu_request"""

    _fields_ = [
        ("wanted", _int32),
        ("single", _int32),
        ("allow_not_finite", _int32),
        ("energy", _uint64),
        ("energies", _uint64),
        ("forces", _uint64),
        ("stress", _uint64),
        ("dl_dg", _uint64),
        ("dl_dg_size", _int64),
        ("direction", _uint64),
        ("strain", _uint64),
    ]


class Found(ct.Structure):
    """nnp_gpu_found"""

    _fields_ = [("not_finite", _int32), ("n_extrapolations", _int64)]


class Statistics(ct.Structure):
    """nnp_gpu_statistics"""

    _fields_ = [
        (name, _int64)
        for name in ("list_builds", "most_entries", "capacity", "group_size", "generation")
    ]


class SourceOptions(ct.Structure):
    """nnp_gpu_options"""

    _fields_ = [
        ("precision", _int32),
        ("dialect", _int32),
        ("group_size", _int32),
        ("capacity", _int32),
    ]


def load_library() -> ct.CDLL:
    """The C library with the functions of nnp_gpu.h declared.

    Raises:
        UnavailableError: it is missing, does not load, or is of another version.
    """
    library = _library.load_library()
    _declare(library)
    return library


def _declare(library: ct.CDLL) -> None:
    engine, error, count = ct.c_void_p, ct.POINTER(_library.Failure), ct.c_int64
    potential, source = ct.c_void_p, ct.POINTER(SourceOptions)
    atoms, request = ct.POINTER(Atoms), ct.POINTER(Request)
    create = [potential, ct.POINTER(EngineOptions), ct.POINTER(DeviceTable), ct.POINTER(engine)]
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "engine_create": (ct.c_int, [*create, error]),
        "engine_destroy": (None, [engine]),
        "engine_prepare": (ct.c_int, [engine, error]),
        "engine_evaluate": (ct.c_int, [engine, atoms, request, ct.POINTER(Found), error]),
        "engine_launch": (ct.c_int, [engine, atoms, request, error]),
        "engine_settle": (ct.c_int, [engine, atoms, ct.POINTER(_int32), error]),
        "engine_read": (ct.c_int, [engine, *[_void_p] * 4, error]),
        "engine_extrapolations": (ct.c_int, [engine, *[_void_p] * 4, error]),
        "engine_n_functions": (count, [engine]),
        "engine_give_functions": (ct.c_int, [engine, _uint64, error]),
        "engine_give_gradient": (ct.c_int, [engine, _uint64, _int32, _uint64, error]),
        "engine_statistics": (None, [engine, ct.POINTER(Statistics)]),
        "source": (count, [potential, source, _int32, _void_p, count, error]),
        "parameters": (count, [potential, _int32, _void_p, count, error]),
        "order": (count, [potential, _int32, _void_p, count, error]),
        "local_bytes": (count, [potential, source, error]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, f"nnp_gpu_{name}")
        function.restype, function.argtypes = result, arguments


class Generator:
    """Writes the kernels of one potential.

    Args:
        flat: the potential.
    """

    def __init__(self, flat: FlatPotential) -> None:
        self._library = load_library()
        self._model = _library.Model(flat)

    def source(self, options: SourceOptions, program: str = "evaluation") -> str:
        """A program's text; ``program``: of `PROGRAMS`."""
        text = self._array("source", np.uint8, ct.byref(options), PROGRAMS[program])
        return text[:-1].tobytes().decode()

    def parameters(self, element: int) -> NDArray[np.float64]:
        """The parameter buffer of an element."""
        return self._array("parameters", np.float64, element)

    def order(self, element: int) -> NDArray[np.int64]:
        """For each function inside the kernels, its number among the element's functions."""
        return self._array("order", np.int64, element)

    def local_bytes(self, options: SourceOptions) -> int:
        """Local memory a work-group needs, bytes."""
        return self._call("local_bytes", ct.byref(options))

    def _array(self, function: str, dtype: Any, *arguments: Any) -> NDArray[Any]:
        size = self._call(function, *arguments, None, 0)
        out = np.empty(size, dtype)
        self._call(function, *arguments, out.ctypes.data, size)
        return out

    def _call(self, function: str, *arguments: Any) -> int:
        error = _library.Failure()
        call = getattr(self._library, f"nnp_gpu_{function}")
        result = call(self._model.handle, *arguments, ct.byref(error))
        error.raise_any()
        return int(result)
