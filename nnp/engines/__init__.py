"""Engines: interchangeable ways to evaluate a potential, chosen by name, never silently swapped.

An engine is made for one potential and kept warm: buffers and neighbour lists live in it. Calls
from several threads take turns, as far as they share them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
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


def create_engine(potential: Potential, name: str = DEFAULT_ENGINE, **options: Any) -> Engine:
    """A new engine for a potential.

    Args:
        potential: what to evaluate.
        name: a key of ``ENGINES``; or ``"auto"``: ``gpu`` where it can run (a driver, a GPU, a
            CuPy that fits both) and takes the options, else ``DEFAULT_ENGINE``, with one warning
            in a process that says why. It changes over too when the GPU's memory runs out.
        options: of the engine's constructor.

    Raises:
        OptionError: no engine has this name, or it does not take an option.
        UnavailableError: the engine cannot run here; says what to install.
    """
    if potential.baseline:
        from nnp.engines.with_baseline import EngineWithBaseline

        fitted = create_engine(replace(potential, baseline=()), name, **options)
        return EngineWithBaseline(fitted, potential.baseline)
    if name == "auto":
        from nnp.engines.auto import automatic

        return automatic(potential, options)
    if name not in ENGINES:
        raise OptionError(f"engine={name!r} is unknown: allowed are auto, {', '.join(ENGINES)}")
    constructor = ENGINES[name]()
    allowed = options_of(name)
    for option in options:
        if option not in allowed:
            raise OptionError(
                f"engine={name!r} has no option {option!r}: it takes {', '.join(allowed) or 'none'}"
            )
    return constructor(potential, **options)


def options_of(name: str) -> list[str]:
    """The options that an engine's constructor takes."""
    parameters = inspect.signature(ENGINES[name]()).parameters
    return [parameter for parameter in parameters if parameter != "potential"]


def takes(engine: Any, array: Any) -> bool:
    """Whether an engine evaluates an array where it lies, on a GPU, by its ``*_arrays`` methods."""
    device = getattr(engine, "device", None)
    return device is not None and bool(device.is_array(array))
