"""The OpenMM plugin: finding, checking, loading and declaring its library.

OpenMM's C++ interface changes between its minor releases, and a plugin built for another one would
end the process. So the library's name says which OpenMM it is for, and is looked at first.
"""

from __future__ import annotations

import ctypes as ct
import os
import re
import sys
import sysconfig
from functools import cache
from pathlib import Path

import openmm

from nnp.engines import _library as engine_library
from nnp.errors import UnavailableError

ABI_VERSION = 5
KERNEL = "CalcNNPForce"
_SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"
_NAME = re.compile(r"libnnp_openmm_(\d+\.\d+)" + re.escape(_SUFFIX))
_WAY_OUT = "or use route='python'"

_void_p, _size_t, _char_p = ct.c_void_p, ct.c_size_t, ct.c_char_p


class Reading(ct.Structure):
    """nnp_openmm_reading"""

    _fields_ = [
        ("evaluations", ct.c_int64),
        ("code", ct.c_int64),
        ("message", ct.c_char_p),
        ("failure", ct.c_int64),
        ("failed_particle", ct.c_int64),
        ("failed_other", ct.c_int64),
        ("energy", ct.c_double),
        ("n_particles", ct.c_int64),
        ("n_atoms", ct.c_int64),
        ("particles", ct.POINTER(ct.c_int64)),
        ("energies", ct.POINTER(ct.c_double)),
        ("forces", ct.POINTER(ct.c_double)),
        ("n_extrapolating", ct.c_int64),
        ("n_extrapolations", ct.c_int64),
        ("extrapolating_particles", ct.POINTER(ct.c_int64)),
        ("functions", ct.POINTER(ct.c_int64)),
        ("excess", ct.POINTER(ct.c_double)),
        ("relative", ct.POINTER(ct.c_double)),
        ("worst", ct.c_int64),
        ("stress", ct.POINTER(ct.c_double)),
    ]


def plugin_path() -> Path:
    """Where the library for the installed OpenMM lies.

    ``NNP_OPENMM_LIBRARY`` in the environment names another build of it.

    Raises:
        UnavailableError: there is none, or only for another OpenMM; says what to install.
    """
    version = openmm.version.short_version
    minor = ".".join(version.split(".")[:2])
    found = _libraries()
    if minor in found:
        return found[minor]
    if found:
        built = ", ".join(sorted(found))
        raise UnavailableError(
            f"the OpenMM plugin was built for OpenMM {built}, but OpenMM {version} is installed: "
            f"pip install 'openmm=={max(found)}.*', {_WAY_OUT}"
        )
    raise UnavailableError(
        "the OpenMM plugin is missing: install nnp from a wheel, or from source with a C++17 "
        f"compiler (pip install .), {_WAY_OUT}"
    )


@cache
def load_plugin() -> ct.CDLL:
    """The library, loaded once, its kernels registered.

    Raises:
        UnavailableError: it is missing, for another OpenMM, or does not load.
    """
    path = plugin_path()
    engine_library.load_library()
    try:
        openmm.Platform.loadPluginLibrary(str(path))
        library = ct.CDLL(str(path))
    except (openmm.OpenMMException, OSError) as error:
        raise UnavailableError(
            f"the OpenMM plugin {path} does not load ({error}): reinstall nnp, {_WAY_OUT}"
        ) from None
    if library.nnp_openmm_abi_version() != ABI_VERSION:
        raise UnavailableError(
            f"the OpenMM plugin {path} has version {library.nnp_openmm_abi_version()} of its "
            f"interface, this package version {ABI_VERSION}: reinstall nnp, {_WAY_OUT}"
        )
    _declare(library)
    return library


@cache
def why_unavailable() -> str | None:
    """Why the plugin cannot be used, None when it can; loads it."""
    try:
        load_plugin()
    except UnavailableError as error:
        return str(error)
    return None


def address(thing: openmm.Force | openmm.Context) -> int:
    """Of the C++ object."""
    return int(thing.this)


def is_native(force: openmm.Force) -> bool:
    """Whether this is a force of the plugin."""
    return why_unavailable() is None and bool(load_plugin().nnp_openmm_is_force(address(force)))


def _libraries() -> dict[str, Path]:
    """Version of OpenMM → library."""
    override = os.environ.get("NNP_OPENMM_LIBRARY")
    if override:
        candidates = [Path(override)]
    else:
        folders = [Path(folder) for folder in sys.modules["nnp"].__path__]
        folders.append(Path(sysconfig.get_path("platlib")) / "nnp")
        candidates = [file for folder in folders for file in (folder / "lib").glob("libnnp_*")]
    matches = [(_NAME.fullmatch(file.name), file) for file in candidates if file.is_file()]
    return {match[1]: file for match, file in reversed(matches) if match}


def _declare(library: ct.CDLL) -> None:
    signatures = {
        "nnp_openmm_abi_version": (ct.c_int, []),
        "nnp_openmm_is_force": (ct.c_int, [_void_p]),
        "nnp_openmm_set_potential": (
            ct.c_int,
            [_void_p, _char_p, _size_t, _char_p, _size_t],
        ),
        "nnp_openmm_update_context": (ct.c_int, [_void_p, _void_p, _char_p, _size_t]),
        "nnp_openmm_failures": (ct.c_int64, []),
        "nnp_openmm_monitor_create": (_void_p, [_void_p, _void_p, _char_p, _size_t]),
        "nnp_openmm_monitor_destroy": (None, [_void_p]),
        "nnp_openmm_monitor_read": (None, [_void_p, ct.POINTER(Reading)]),
        "nnp_openmm_monitor_fetch": (
            ct.c_int,
            [_void_p, ct.POINTER(Reading), _char_p, _size_t],
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
