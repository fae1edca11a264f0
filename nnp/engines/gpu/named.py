"""The GPU engines by name: which device each of them takes."""

from __future__ import annotations

from typing import Any

from nnp.engines.gpu.array_engine import GpuKernelEngine
from nnp.potential import Potential


class GpuEngine(GpuKernelEngine):
    """Evaluates a potential on an NVIDIA GPU; see `GpuKernelEngine`.

    Args:
        potential: what to evaluate.
        dtype: ``"float64"``, ``"float32"`` or ``"single"``, see `GpuKernelEngine`.
        skin: reach of the neighbour list beyond the cutoff, Å; None: 0.6.
        device: CUDA's number of the device; None: the current one.
        group_size: threads per atom, a power of two; more for few atoms.
        capacity: neighbours in local memory at once; None: as many as an atom has.
    """

    name = "gpu"

    def __init__(
        self,
        potential: Potential,
        dtype: str = "float64",
        skin: float | None = None,
        device: int | None = None,
        group_size: int | None = None,
        capacity: int | None = None,
    ) -> None:
        from nnp.engines.gpu.device_cupy import CupyDevice

        super().__init__(potential, CupyDevice(device), dtype, skin, group_size, capacity)


class OpenCLEngine(GpuKernelEngine):
    """Evaluates a potential on an OpenCL device; see `GpuKernelEngine`.

    Args:
        potential: what to evaluate.
        dtype: ``"float64"``, ``"float32"`` or ``"single"``, see `GpuKernelEngine`.
        skin: reach of the neighbour list beyond the cutoff, Å; None: 0.6.
        device: number of the device, GPUs first; or a ``pyopencl.CommandQueue``, for arrays that
            lie in its context.
        group_size: threads per atom, a power of two.
        capacity: neighbours in local memory at once; None: as many as an atom has.
    """

    name = "opencl"

    def __init__(
        self,
        potential: Potential,
        dtype: str = "float64",
        skin: float | None = None,
        device: Any = 0,
        group_size: int | None = None,
        capacity: int | None = None,
    ) -> None:
        from nnp.engines.gpu.device_opencl import OpenCLDevice

        super().__init__(potential, OpenCLDevice(device), dtype, skin, group_size, capacity)
