"""compute-sanitizer over an evaluation with a fresh list: memory and races; where there is one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any

from subjects import box_of, options_of, potential_of

TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
_CLEAN = "ERROR SUMMARY: 0 errors"


def main() -> None:
    """One row per tool."""
    options, result = options_of(__doc__, "--bare")
    if options.bare:
        for name in ("silicon", "water"):
            potential, _ = potential_of(name, small=True)
            engine: Any = potential.make_engine(options.engine, dtype="single")
            engine.compute(box_of(name, 192), True, True)
        return
    if options.engine != "gpu":
        result.skip("of CUDA only; tests/test_gpu_kernels.py looks for races in oclgrind")
    if shutil.which("compute-sanitizer") is None:
        result.skip("compute-sanitizer is not installed")
    for tool in TOOLS:
        command = ["compute-sanitizer", "--tool", tool, sys.executable, __file__, "--bare"]
        command += ["--json", "/dev/null"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout.strip().splitlines()
        clean = _CLEAN in done.stdout or "0 hazards" in done.stdout
        result.row(tool=tool, ok=clean and done.returncode == 0, said=said[-1] if said else "")


if __name__ == "__main__":
    main()
