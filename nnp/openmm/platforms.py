"""Platforms by name, and what runs on which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import openmm

from nnp.errors import NNPError, OptionError, UnavailableError
from nnp.openmm._plugin import is_native
from nnp.openmm.native_force import asks_for_gpu_kernels
from nnp.openmm.torch_force import check_torch_platform, is_torch_force

_WITHOUT_GPU = ("CPU", "Reference")


def find_platform(name: str) -> openmm.Platform:
    """The platform of this name.

    Raises:
        UnavailableError: OpenMM has none of this name here.
    """
    count = openmm.Platform.getNumPlatforms()
    known = [openmm.Platform.getPlatform(index).getName() for index in range(count)]
    if name not in known:
        raise UnavailableError(
            f"platform={name!r} is not available: this OpenMM has {', '.join(known)}"
        )
    return openmm.Platform.getPlatform(name)


def check_platform(system: openmm.System, platform: str) -> openmm.Platform:
    """The platform of this name, if all of a system's forces can run on it.

    Call it before making a Context of a system with a TorchForce: on a platform that cannot run
    one, the Context would end the process. `create_simulation` does.

    Raises:
        UnavailableError: OpenMM has no such platform, or a force cannot run on it.
        OptionError: see `check_force`.
    """
    found = find_platform(platform)
    for force in system.getForces():
        check_force(force, found)
    return found


@contextmanager
def context_errors(platform: openmm.Platform) -> Iterator[None]:
    """What OpenMM refuses when a Context is made, as one of our errors.

    Raises:
        NNPError: such as too many threads, a device that is not there, a property it does not know.
    """
    try:
        yield
    except openmm.OpenMMException as error:
        raise NNPError(
            f"OpenMM cannot make a Context on platform={platform.getName()!r}: {error}"
        ) from error


def check_force(force: openmm.Force, platform: openmm.Platform) -> None:
    """Refuse a platform that a force cannot run on.

    Raises:
        UnavailableError: it cannot.
        OptionError: GPU kernels were asked for, and the platform has no GPU. The plugin itself does
            not refuse: OpenMM's minimiser makes a Context on the CPU where forces overflow the
            GPU's numbers.
    """
    if is_torch_force(force):
        check_torch_platform(platform)
    if platform.getName() in _WITHOUT_GPU and is_native(force) and asks_for_gpu_kernels(force):
        raise OptionError(
            f"gpu_kernels=True with platform={platform.getName()!r}, which runs on no GPU: use "
            "platform='CUDA', 'OpenCL' or 'HIP', or leave gpu_kernels out"
        )
