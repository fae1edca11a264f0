"""The route ``torch``: an ``openmmtorch.TorchForce`` that runs the TorchScript export.

openmmtorch is bound to one version of torch and was built against an older OpenMM. What it cannot
do it does not refuse: the process dies. So we refuse first. See docs/decisions/0004.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import logging
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import openmm

from nnp.distribution import install
from nnp.errors import UnavailableError
from nnp.openmm.computed import Computed
from nnp.openmm.monitor import Monitor, remember_token
from nnp.openmm.species import Species
from nnp.potential import Potential

# openmmtorch's release → the torch release it works with.
TESTED_TORCH = {"1.5": "2.9"}
KERNEL = "CalcTorchForce"
_ADVICE = f"{install('torchforce')}, or use route='python'"


def create_torch_force(
    potential: Potential, species: Species, engine: str, options: dict[str, Any]
) -> openmm.Force:
    """The force; see `routes.create_force`."""
    openmmtorch = load_openmmtorch()
    from nnp import ops
    from nnp.openmm.torchscript import EngineModule, scripted

    module = EngineModule(potential, species, engine, options)
    handle = Monitor()
    handle.computed = partial(Computed.of, potential, species, engine, options)
    ops.listen(module.key, handle)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{handle.token}.pt"
        scripted(module).save(str(path))
        force = uncopyable(openmmtorch.TorchForce)(str(path))
    remember_token(handle)
    force.setOutputsForces(True)
    force.setUsesPeriodicBoundaryConditions(species.periodic)
    force.setName("NNP")
    return force


def load_openmmtorch() -> Any:
    """The module ``openmmtorch`` with its kernels.

    Raises:
        UnavailableError: it or torch is missing, or the two do not work together.
    """
    try:
        import torch
    except ImportError:
        raise UnavailableError(
            f"route='torch' needs torch, which is not installed: {_ADVICE}"
        ) from None
    _check_versions(torch.__version__)
    try:
        with _quiet():
            openmmtorch = importlib.import_module("openmmtorch")
    except ImportError as error:
        raise UnavailableError(
            f"route='torch' needs openmmtorch, which cannot be imported ({error}): {_ADVICE}"
        ) from None
    _load_kernels()
    return openmmtorch


def is_torch_force(force: openmm.Force) -> bool:
    """Whether this is a TorchForce; needs no openmmtorch unless one is there."""
    module = sys.modules.get("openmmtorch")
    return module is not None and bool(module.TorchForce.isinstance(force))


def check_torch_platform(platform: openmm.Platform) -> None:
    """Refuse platforms that TorchForce cannot run on.

    Raises:
        UnavailableError: the platform would end the process, or has no TorchForce.
    """
    name = platform.getName()
    if name == "OpenCL":
        raise UnavailableError(
            "platform='OpenCL' cannot run a TorchForce: the process would abort; use "
            "platform='CPU', or route='python'"
        )
    if not platform.supportsKernels([KERNEL]):
        raise UnavailableError(
            f"platform={name!r} has no TorchForce in the installed openmmtorch: use "
            "platform='CPU', or route='python'"
        )


def _check_versions(torch_version: str) -> None:
    try:
        found = importlib.metadata.version("openmmtorch")
    except importlib.metadata.PackageNotFoundError:
        return  # not from PyPI: conda pairs its builds itself
    wanted = TESTED_TORCH.get(".".join(found.split(".")[:2]))
    if wanted is None:
        raise UnavailableError(
            f"openmmtorch {found} is not known to work: tested are "
            f"{', '.join(f'{o} with torch {t}' for o, t in TESTED_TORCH.items())}; {_ADVICE}"
        )
    if not torch_version.startswith(wanted + "."):
        raise UnavailableError(
            f"openmmtorch {found} works only with torch {wanted}, but torch {torch_version} is "
            f"installed, and the process would crash: {_ADVICE}"
        )


def _load_kernels() -> None:
    """Load the plugin if OpenMM could not: when openmm is imported before torch, it cannot."""
    reference = openmm.Platform.getPlatform("Reference")
    if not reference.supportsKernels([KERNEL]):
        folder = Path(openmm.version.openmm_library_path) / "plugins"
        for library in folder.glob("*OpenMMTorchReference*"):
            openmm.Platform.loadPluginLibrary(str(library))
    if not reference.supportsKernels([KERNEL]):
        raise UnavailableError(f"openmmtorch has no kernels for the CPU here: {_ADVICE}")


def uncopyable(base: Any) -> Any:
    """A class (TorchForce, or System with one in it) that ``copy`` and ``pickle`` refuse.

    OpenMM copies by serialising, and reading a TorchForce back ends the process.
    """

    def refuse(*_: Any) -> Any:
        raise UnavailableError(
            "a TorchForce cannot be copied or pickled: reading it back would crash the process "
            "(openmmtorch 1.5 is built against an older OpenMM); use route='python'"
        )

    methods = dict.fromkeys(("__copy__", "__deepcopy__", "__getstate__", "__reduce_ex__"), refuse)
    return type(base.__name__, (base,), methods)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Mute the warning that importing openmmtorch logs: it imports OpenMM by its name of old."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
