"""Does it compile: the programs of both potentials in every precision, and how long that takes."""

from __future__ import annotations

import platform
import subprocess
import time
from typing import Any

import numpy as np
from subjects import box_of, dtypes_of, options_of, potential_of

import nnp


def main() -> None:
    """One row per potential and precision."""
    options, result = options_of(__doc__)
    result["nnp"] = nnp.__version__
    result["python"] = platform.python_version()
    result["nvidia_smi"] = _said("nvidia-smi", "-L")
    result["nvcc"] = _said("nvcc", "--version").splitlines()[-1:]
    if options.engine == "gpu":
        import cupy

        result["cupy"] = cupy.__version__
        result["nvrtc"] = str(cupy.cuda.nvrtc.getVersion())
        result["driver"] = cupy.cuda.runtime.driverGetVersion()
    for name in ("silicon", "water", "nep"):
        potential, what = potential_of(name, options.small)
        for dtype in dtypes_of(options):
            begin = time.perf_counter()
            engine: Any = potential.make_engine(options.engine, dtype=dtype)
            engine.prepare()
            row = {"potential": name, "what": what, "dtype": dtype}
            row["seconds"] = round(time.perf_counter() - begin, 2)
            found = engine.compute(box_of(name, 24))
            row["ok"] = bool(np.isfinite(found.forces).all())
            result["device"] = engine.target
            result.row(**row, capacity=engine.statistics["capacity"])


def _said(*command: str) -> str:
    """What a program says; where it is missing, that."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"({error})"
    return done.stdout.strip()


if __name__ == "__main__":
    main()
