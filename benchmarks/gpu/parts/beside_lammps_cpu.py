"""LAMMPS (n2p2's hdnnp) on the same machine's CPU, and this package's CPU engine beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from subjects import options_of, potential_of

from nnp.errors import NNPError


def main() -> None:
    """What ``nnp bench`` says of both."""
    options, result = options_of(__doc__)
    try:
        from nnp.bench.lammps import find_lammps

        lammps = find_lammps()
    except NNPError as error:
        result.skip(str(error))
    path = Path(options.json).with_name("beside_lammps.nnp")
    potential, result["potential"] = potential_of("silicon", options.small)
    potential.save(path)
    size = "64" if options.small else "4096"
    command = [sys.executable, "-m", "nnp", "bench", str(path), "--atoms", size, "--lammps", lammps]
    command += ["--json", str(path.with_suffix(".bench"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    result["table"] = done.stdout
    written = path.with_suffix(".bench")
    if written.is_file():
        result["measurements"] = json.loads(written.read_text())
        written.unlink()
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
