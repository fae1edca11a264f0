"""pytest -m gpu: every structure in every precision, arrays, graphs, a million atoms."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from subjects import options_of

ROOT = Path(__file__).parents[3]


def main() -> None:
    """Runs them; what they said."""
    options, result = options_of(__doc__)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "gpu"]
    command += [str(ROOT / "tests/test_gpu_device.py")]
    if options.small:
        command += ["--collect-only"]  # their potentials take PoCL minutes to compile
    environment = os.environ | {"NNP_GPU_ENGINE": options.engine}
    done = subprocess.run(
        command, cwd=ROOT / "tests", env=environment, capture_output=True, text=True, check=False
    )
    lines = done.stdout.strip().splitlines()
    result["summary"] = lines[-1] if lines else ""
    result["failures"] = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-1000:])


if __name__ == "__main__":
    main()
