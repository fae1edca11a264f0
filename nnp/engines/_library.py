"""libnnp, the C library: finding, loading and declaring it."""

from __future__ import annotations

import ctypes as ct
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from nnp.engines.flatten import FlatPotential
from nnp.errors import (
    FileFormatError,
    NNPError,
    NumericalError,
    OptionError,
    StructureError,
    UnavailableError,
)
from nnp.finalize import release_with

ABI_VERSION = 3
GPU_VERSION = 3
_NAME = "libnnp.3.dylib" if sys.platform == "darwin" else "libnnp.so.3"

# enum nnp_code of nnp.h
_ERRORS: dict[int, type[NNPError]] = {
    1: OptionError,
    2: StructureError,
    3: OptionError,
    4: NumericalError,
    7: FileFormatError,
    8: StructureError,
    9: StructureError,
    10: StructureError,
    11: UnavailableError,
}
_NOT_FOUND = -1

# Parts of one atom's work that a profiling build times.
PHASES = (
    "gather",
    "radial",
    "triples",
    "angular",
    "network",
    "angular_back",
    "expand",
    "scatter",
)

# nnp_statistics, without the ticks.
COUNTERS = {
    "evaluations": ct.c_int64,
    "list_builds": ct.c_int64,
    "list_seconds": ct.c_double,
    "kernel_seconds": ct.c_double,
    "reduce_seconds": ct.c_double,
    "bytes": ct.c_int64,
    "list_entries": ct.c_int64,
    "triples": ct.c_int64,
}

_double_p = ct.POINTER(ct.c_double)
_int64_p = ct.POINTER(ct.c_int64)
_int32_p = ct.POINTER(ct.c_int32)


class PotentialArrays(ct.Structure):
    """nnp_arrays"""

    _fields_ = [
        ("integers", _int64_p),
        ("n_integers", ct.c_int64),
        ("reals", _double_p),
        ("n_reals", ct.c_int64),
    ]

    @classmethod
    def of(cls, flat: FlatPotential) -> PotentialArrays:
        """Pointers into a flat potential, which has to outlive them."""
        return cls(
            flat.integers.ctypes.data_as(_int64_p),
            len(flat.integers),
            flat.reals.ctypes.data_as(_double_p),
            len(flat.reals),
        )


class FunctionInfo(ct.Structure):
    """nnp_function_info"""

    _fields_ = [
        ("family", ct.c_int32),
        ("neighbors", ct.c_int32 * 2),
        ("radius", ct.c_double),
        ("minimum", ct.c_double),
        ("maximum", ct.c_double),
        ("integers", _int64_p),
        ("reals", _double_p),
        ("text", ct.c_char_p),
    ]


class FamilyInfo(ct.Structure):
    """nnp_family_info"""

    _fields_ = [
        ("name", ct.c_char_p),
        ("number", ct.c_int32),
        ("loop", ct.c_int32),
        ("n_integers", ct.c_int32),
        ("n_reals", ct.c_int32),
    ]


class ParameterInfo(ct.Structure):
    """nnp_parameter_info"""

    _fields_ = [("name", ct.c_char_p), ("meaning", ct.c_char_p)]


class Options(ct.Structure):
    """nnp_options"""

    _fields_ = [
        ("precision", ct.c_int32),
        ("threads", ct.c_int32),
        ("skin", ct.c_double),
        ("target", ct.c_int32),
        ("wide", ct.c_int32),
    ]


class StructureArrays(ct.Structure):
    """nnp_structure, with addresses, which take a third of the time of pointers"""

    _fields_ = [
        ("n_atoms", ct.c_int64),
        ("positions", ct.c_void_p),
        ("atomic_numbers", ct.c_void_p),
        ("cell", ct.c_void_p),
        ("periodic", ct.c_int32 * 3),
    ]


class Results(ct.Structure):
    """nnp_results, with addresses"""

    _fields_ = [
        ("energy", ct.c_void_p),
        ("energies", ct.c_void_p),
        ("forces", ct.c_void_p),
        ("virial", ct.c_void_p),
        ("virials", ct.c_void_p),
        ("neighbor_virials", ct.c_void_p),
        ("descriptors", ct.c_void_p),
        ("add", ct.c_int32),
    ]


class DomainArrays(ct.Structure):
    """nnp_domain"""

    _fields_ = [
        ("n_atoms", ct.c_int64),
        ("positions", _double_p),
        ("species", _int32_p),
        ("n_centres", ct.c_int64),
        ("centres", _int32_p),
        ("counts", _int32_p),
        ("neighbors", ct.POINTER(_int32_p)),
        ("mask", ct.c_int32),
    ]


class Failure(ct.Structure):
    """nnp_error"""

    _fields_ = [
        ("code", ct.c_int32),
        ("function", ct.c_int32),
        ("atom", ct.c_int64),
        ("other", ct.c_int64),
        ("value", ct.c_double),
        ("text", ct.c_char * 1000),
    ]

    def raise_any(self) -> None:
        """Raise the package's error for what it says; nothing where all went well."""
        check(self.code, self.text.decode(errors="replace"), self.atom, self.other)


class ExtrapolationArrays(ct.Structure):
    """nnp_extrapolations"""

    _fields_ = [
        ("count", ct.c_int64),
        ("atoms", _int64_p),
        ("functions", _int64_p),
        ("excess", _double_p),
    ]


class Statistics(ct.Structure):
    """nnp_statistics"""

    _fields_: ClassVar[Any] = [*COUNTERS.items(), ("ticks", ct.c_uint64 * len(PHASES))]


# enum nnp_cost_item of nnp.h
COST_ITEMS = (
    "atom",
    "entry",
    "neighbor",
    "function",
    "radial",
    "group",
    "row",
    "row_vector",
    "triple",
    "spill",
    "compact",
    "series",
    "moment",
    "moment_atom",
    "weight",
    "node",
)


class CostArrays(ct.Structure):
    """nnp_cost"""

    _fields_: ClassVar[Any] = [
        ("counts", ct.c_double * len(COST_ITEMS)),
        ("microseconds", ct.c_double * len(COST_ITEMS)),
        ("neighbors", ct.c_double),
        ("n_wide", ct.c_int32),
        ("n_by_moments", ct.c_int32),
    ]


def library_path() -> Path:
    """Where the library lies; ``NNP_LIBRARY`` in the environment names another build.

    Raises:
        UnavailableError: it is nowhere.
    """
    override = os.environ.get("NNP_LIBRARY")
    folders = [Path(folder) for folder in sys.modules["nnp"].__path__]
    folders.append(Path(sysconfig.get_path("platlib")) / "nnp")
    candidates = [Path(override)] if override else [folder / "lib" / _NAME for folder in folders]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise UnavailableError(
        "the engines 'cpu', 'gpu' and 'opencl' need the package's C++ library, which is not at "
        f"{' or '.join(map(str, candidates))}: install the package with a C++17 compiler "
        "(pip install .), or use engine='reference'"
    )


def include_dir() -> Path:
    """The folder of nnp.h, for compilers.

    Raises:
        UnavailableError: the package was installed without it.
    """
    return _installed("include", "nnp.h")


def cmake_dir() -> Path:
    """The folder of the CMake package: what ``nnp_DIR`` or CMAKE_PREFIX_PATH wants.

    Raises:
        UnavailableError: the package was installed without it.
    """
    return _installed("lib/cmake/nnp", "nnpConfig.cmake")


def _installed(folder: str, file: str) -> Path:
    found = library_path().parent.parent / folder
    if (found / file).is_file():
        return found
    raise UnavailableError(f"{file} is not in {found}: install the package (pip install .)")


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
            f"the C++ library {path} does not load ({error}): reinstall the package"
        ) from error
    try:
        _check_version(library, path)
        _declare(library)
    except AttributeError as error:  # a function that is not there
        raise UnavailableError(
            f"the C++ library {path} belongs to another version of this package, or to none "
            f"({error}): reinstall the package (pip install .)"
        ) from None
    return library


def _check_version(library: ct.CDLL, path: Path) -> None:
    found = library.nnp_version(), library.nnp_gpu_version()
    if found != (ABI_VERSION, GPU_VERSION):
        raise UnavailableError(
            f"the C++ library {path} has version {found[0]} of its interface ({found[1]} for "
            f"GPUs), this package version {ABI_VERSION} ({GPU_VERSION}): reinstall the package"
        )


class Model:
    """An nnp_model of a flat potential, released with this object.

    Raises:
        OptionError: the arrays do not describe a potential.
    """

    def __init__(self, flat: FlatPotential) -> None:
        library, failure, self.handle = load_library(), Failure(), ct.c_void_p()
        library.nnp_model_from_arrays(
            ct.byref(PotentialArrays.of(flat)), ct.byref(self.handle), ct.byref(failure)
        )
        failure.raise_any()
        release_with(self, library.nnp_model_release, self.handle)


def check(code: int, message: str, *atoms: int) -> None:
    """Raise the package's error for a code of nnp.h; ``atoms`` are those it is about, or -1."""
    if code:
        error = _ERRORS.get(code, UnavailableError)(message)
        error.atoms = tuple(atom for atom in atoms if atom != _NOT_FOUND)
        raise error


def _declare(library: ct.CDLL) -> None:
    model, engine, failure = ct.c_void_p, ct.c_void_p, ct.POINTER(Failure)
    structure, results = ct.POINTER(StructureArrays), ct.POINTER(Results)
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "nnp_version": (ct.c_int, []),
        "nnp_model_from_arrays": (
            ct.c_int,
            [ct.POINTER(PotentialArrays), ct.POINTER(model), failure],
        ),
        "nnp_model_open": (ct.c_int, [ct.c_char_p, ct.POINTER(model), failure]),
        "nnp_model_from_memory": (
            ct.c_int,
            [ct.c_char_p, ct.c_size_t, ct.POINTER(model), failure],
        ),
        "nnp_model_release": (None, [model]),
        "nnp_model_n_members": (ct.c_int32, [model]),
        "nnp_model_member": (model, [model, ct.c_int32]),
        "nnp_model_n_elements": (ct.c_int32, [model]),
        "nnp_model_atomic_number": (ct.c_int32, [model, ct.c_int32]),
        "nnp_model_n_functions": (ct.c_int32, [model, ct.c_int32]),
        "nnp_model_function": (
            ct.c_int,
            [model, ct.c_int32, ct.c_int32, ct.POINTER(FunctionInfo)],
        ),
        "nnp_n_families": (ct.c_int32, []),
        "nnp_family": (ct.c_int, [ct.c_int32, ct.POINTER(FamilyInfo)]),
        "nnp_family_parameter": (
            ct.c_int,
            [ct.c_int32, ct.c_int32, ct.POINTER(ParameterInfo)],
        ),
        "nnp_model_cutoff": (ct.c_double, [model]),
        "nnp_engine_create": (
            ct.c_int,
            [model, ct.POINTER(Options), ct.POINTER(engine), failure],
        ),
        "nnp_engine_destroy": (None, [engine]),
        "nnp_engine_target": (ct.c_char_p, [engine]),
        "nnp_engine_threads": (ct.c_int, [engine]),
        "nnp_engine_compute": (ct.c_int, [engine, structure, results, failure]),
        "nnp_engine_compute_domain": (
            ct.c_int,
            [engine, ct.POINTER(DomainArrays), results, failure],
        ),
        "nnp_engine_extrapolations": (ct.c_int, [engine, ct.POINTER(ExtrapolationArrays)]),
        "nnp_engine_descriptor_size": (ct.c_int, [engine, structure, _int64_p, failure]),
        "nnp_engine_descriptor_vjp": (
            ct.c_int,
            [engine, structure, ct.c_void_p, ct.c_void_p, ct.c_void_p, failure],
        ),
        "nnp_engine_descriptor_jvp": (
            ct.c_int,
            [engine, structure, ct.c_void_p, ct.c_void_p, ct.c_void_p, failure],
        ),
        "nnp_engine_cost": (
            ct.c_int,
            [engine, ct.c_int32, structure, ct.POINTER(CostArrays), failure],
        ),
        "nnp_engine_statistics": (ct.c_int, [engine, ct.POINTER(Statistics)]),
        "nnp_formula_evaluate": (
            ct.c_int,
            [ct.c_int, ct.c_int, _double_p, ct.c_int64, _double_p, _double_p, _double_p],
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
