"""GPU kernels on an OpenCL device: ``python gpu_cases.py CASE`` in a process of its own.

The parent (test_gpu_kernels.py) says through the environment which OpenCL runs: PoCL, or the
simulator oclgrind, which also looks for data races and accesses out of bounds. The cases stand in
gpu_cases_*.py, one file per idea.
"""

from __future__ import annotations

import sys

import gpu_cases_functions
import gpu_cases_lists
import gpu_cases_moments
import gpu_cases_products

FILES = (gpu_cases_functions, gpu_cases_lists, gpu_cases_moments, gpu_cases_products)


def run(case):
    """The case of that name."""
    (found,) = (getattr(file, case) for file in FILES if hasattr(file, case))
    found()


if __name__ == "__main__":
    try:
        import torch

        torch.set_num_threads(1)
    finally:
        for case in sys.argv[1:]:
            run(case)
            print("passed", case, flush=True)  # noqa: T201
