"""GPU engines: kernels written for one potential and compiled at run time; see docs/gpu_engine.md.

Modules, from what a user sees to what a device does: ``named`` (the engines by name), ``engine``
(their contract), ``evaluator`` (one evaluation), ``arrays``, ``step`` and ``transfer`` (what stays
on the device), ``neighbor_list``, ``program`` (the compiled kernels), ``library`` (writes their
text), ``box`` and ``layout`` (what host and kernels share), ``device`` with ``cuda`` and
``opencl`` behind it.
"""

from nnp.engines.gpu.array_engine import GpuKernelEngine
from nnp.engines.gpu.arrays import ArrayEvaluation
from nnp.engines.gpu.named import GpuEngine, OpenCLEngine
from nnp.engines.gpu.step import Step

__all__ = ["ArrayEvaluation", "GpuEngine", "GpuKernelEngine", "OpenCLEngine", "Step"]
