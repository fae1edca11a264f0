"""GPU engines: kernels written for one potential and compiled at run time; see docs/gpu_engine.md.

What decides (box, neighbour list, sizes, launches, failures) is C++, kernels/gpu/host. Modules,
from what a user sees to what a device does: ``named`` (the engines by name), ``engine`` and
``array_engine`` (their contract, for structures and for arrays), ``arrays`` and ``step`` (what
callers give and get), ``host`` (the C++ host), ``library`` (its C interface), ``device`` (what the
host needs of one) with ``device_cupy`` (and ``cuda_driver``) and ``device_opencl`` (``binaries``).
"""

from nnp.engines.gpu.array_engine import GpuKernelEngine
from nnp.engines.gpu.named import GpuEngine, OpenCLEngine
from nnp.engines.gpu.step import Step
from nnp.evaluation import ArrayEvaluation

__all__ = ["ArrayEvaluation", "GpuEngine", "GpuKernelEngine", "OpenCLEngine", "Step"]
