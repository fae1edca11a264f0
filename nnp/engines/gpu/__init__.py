"""GPU engines: kernels written for one potential and compiled at run time; see docs/gpu_engine.md.

Modules, from what a user sees to what a device does: ``named`` (the engines by name), ``engine``
and ``array_engine`` (their contract, for structures and for arrays), ``evaluator`` (one evaluation)
with ``kernels`` (its launches and results), ``products`` and ``rows`` (derivatives of functions),
``atoms``, ``arrays``, ``host_arrays``, ``step`` and ``transfer`` (what callers give and get),
``failures`` and ``extrapolations`` (what is said of it), ``neighbor_list``, ``program`` (the
compiled kernels), ``library`` (writes their text), ``box`` and ``layout`` (what host and kernels
share), ``device`` with ``cuda`` and ``opencl`` behind it.
"""

from nnp.engines.gpu.array_engine import GpuKernelEngine
from nnp.engines.gpu.arrays import ArrayEvaluation
from nnp.engines.gpu.named import GpuEngine, OpenCLEngine
from nnp.engines.gpu.step import Step

__all__ = ["ArrayEvaluation", "GpuEngine", "GpuKernelEngine", "OpenCLEngine", "Step"]
