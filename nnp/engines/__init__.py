"""Engines: interchangeable ways to evaluate a potential, chosen by name, never silently swapped.

`contract` defines an engine, `registry` finds engines by name; they are imported at their first
use.
"""

from __future__ import annotations

from nnp.engines.contract import Capabilities, Engine
from nnp.engines.registry import (
    AUTO,
    DEFAULT_ENGINE,
    Constructor,
    create_engine,
    engine_for,
    engine_names,
    make_engine,
    options_of,
    register,
)

__all__ = [
    "AUTO",
    "DEFAULT_ENGINE",
    "Capabilities",
    "Engine",
    "create_engine",
    "engine_for",
    "engine_names",
    "make_engine",
    "options_of",
]


@register("reference")
def _reference() -> Constructor:
    from nnp.engines.reference import ReferenceEngine

    return ReferenceEngine


@register("cpu")
def _cpu() -> Constructor:
    from nnp.engines.cpu import CpuEngine

    return CpuEngine


@register("gpu")
def _gpu() -> Constructor:
    from nnp.engines.gpu import GpuEngine

    return GpuEngine


@register("opencl")
def _opencl() -> Constructor:
    from nnp.engines.gpu import OpenCLEngine

    return OpenCLEngine


@register(AUTO)
def _auto() -> Constructor:
    from nnp.engines.auto import automatic

    return automatic
