"""What a report of a fault needs to know of a machine: ``nnp info --debug``."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from nnp import __version__
from nnp.bench.lammps_plugin import find_plugin
from nnp.bench.measurement import machine
from nnp.distribution import DISTRIBUTION
from nnp.engines import _library
from nnp.engines.cpu import CpuEngine
from nnp.errors import NNPError, readable
from nnp.io import load
from nnp.io.bundled import bundled_names
from nnp.values import counted

_PACKAGES = (
    *("numpy", "scipy", "ase", "vesin", "torch", "openmm", "openmmtorch", "openmmml", "matplotlib"),
    *("cupy-cuda13x", "cupy-cuda12x", "pyopencl", "lammps", "MDAnalysis", "phonopy"),
)
_GIB = 2**30


def report() -> Iterator[str]:
    """Lines of a name and what was found; what cannot be found out says why."""
    for name, find in _ROWS.items():
        try:
            found = find()
        except (NNPError, ImportError, OSError, ValueError) as error:
            found = f"- ({readable(str(error))})"
        yield f"{name:<11} {found}"


def _nnp() -> str:
    return f"{__version__} ({DISTRIBUTION}), {Path(__file__).resolve().parents[1]}"


def _python() -> str:
    return f"{platform.python_version()}, {sys.executable}"


def _processor() -> str:
    found = machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return f"{found['processor']}, {counted(found['cores'], 'core')} usable, {memory:.0f} GiB"


def _engine() -> str:
    engine = CpuEngine(load(bundled_names()[0]))
    return f"{_library.library_path()}, {engine.target}, {counted(engine.threads, 'thread')}"


def _packages() -> str:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def _openmm() -> str:
    import openmm

    from nnp.openmm._plugin import why_unavailable

    count = openmm.Platform.getNumPlatforms()
    names = [openmm.Platform.getPlatform(i).getName() for i in range(count)]
    return f"platforms {', '.join(names)}; plugin {why_unavailable() or 'loads'}"


def _cuda() -> str:
    from nnp.engines.gpu.cuda_driver import import_cupy

    cupy = import_cupy()
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return f"{name}, driver for CUDA {cupy.cuda.runtime.driverGetVersion()}"


def _opencl() -> str:
    import pyopencl

    devices = [d.name.strip() for p in pyopencl.get_platforms() for d in p.get_devices()]
    return ", ".join(devices) or "no device"


def _lammps() -> str:
    plugin = find_plugin()
    return "no pair_style nnp" if plugin is None else f"pair_style nnp in {plugin}"


_ROWS: dict[str, Callable[[], str]] = {
    "nnp": _nnp,
    "python": _python,
    "system": platform.platform,
    "processor": _processor,
    "cpu engine": _engine,
    "packages": _packages,
    "openmm": _openmm,
    "cuda": _cuda,
    "opencl": _opencl,
    "lammps": _lammps,
}
