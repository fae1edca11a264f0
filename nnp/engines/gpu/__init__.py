"""GPU engines: kernels written for one potential and compiled at run time; see docs/gpu_engine.md.

Modules, from what a user sees to what a device does: ``engine`` (one evaluation),
``neighbor_list``, ``program`` (the compiled kernels), ``library`` (writes their text), ``box`` and
``layout`` (what host and kernels share), ``device`` with ``cuda`` and ``opencl`` behind it.
"""

from nnp.engines.gpu.engine import GpuEngine, GpuKernelEngine, OpenCLEngine

__all__ = ["GpuEngine", "GpuKernelEngine", "OpenCLEngine"]
