"""Engines: interchangeable ways to evaluate a potential, chosen by name, never silently swapped.

An engine is made for one potential and kept warm: buffers and neighbour lists live in it. It
serves one thread at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError
from nnp.evaluation import Evaluation
from nnp.structure import Structure

if TYPE_CHECKING:
    from nnp.potential import Potential


class Engine(Protocol):
    """The contract of all engines."""

    name: str

    def compute(self, structure: Structure, forces: bool, stress: bool) -> Evaluation:
        """Energy, on request forces (eV/Å) and stress (eV/Å³)."""
        ...

    def descriptors(self, structure: Structure, scaled: bool) -> list[NDArray[np.float64]]:
        """Symmetry functions, one array per atom, raw or scaled."""
        ...


def _reference() -> Callable[..., Engine]:
    from nnp.engines.reference import ReferenceEngine

    return ReferenceEngine


def _cpu() -> Callable[..., Engine]:
    from nnp.engines.cpu import CpuEngine

    return CpuEngine


def _gpu() -> Callable[..., Engine]:
    from nnp.engines.gpu import GpuEngine

    return GpuEngine


def _opencl() -> Callable[..., Engine]:
    from nnp.engines.gpu import OpenCLEngine

    return OpenCLEngine


ENGINES = {"reference": _reference, "cpu": _cpu, "gpu": _gpu, "opencl": _opencl}
DEFAULT_ENGINE = "cpu"


def create_engine(potential: Potential, name: str = "auto", **options: Any) -> Engine:
    """A new engine for a potential.

    Args:
        potential: what to evaluate.
        name: a key of ``ENGINES``, or ``"auto"`` for ``DEFAULT_ENGINE``.
        options: of the engine's constructor.

    Raises:
        OptionError: no engine has this name, or it does not take an option.
        UnavailableError: the engine cannot run here; says what to install.
    """
    name = DEFAULT_ENGINE if name == "auto" else name
    if name not in ENGINES:
        raise OptionError(f"engine={name!r} is unknown: allowed are auto, {', '.join(ENGINES)}")
    constructor = ENGINES[name]()
    allowed = [p for p in inspect.signature(constructor).parameters if p != "potential"]
    for option in options:
        if option not in allowed:
            raise OptionError(
                f"engine={name!r} has no option {option!r}: it takes {', '.join(allowed) or 'none'}"
            )
    return constructor(potential, **options)
