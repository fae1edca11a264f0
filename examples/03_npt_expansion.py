"""How silicon grows with temperature: constant pressure, log and trajectory by `nnp.md`.

    python examples/03_npt_expansion.py [folder]

The same from the command line: nnp md silicon_sw start.extxyz --ensemble npt --temperature 900
"""

from __future__ import annotations

import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from ase.build import bulk

import nnp
from nnp.md import MDSettings, Outputs, read_log, run
from nnp.metrics import block_average

CELLS = 2  # edges of the box in lattice constants


def main(folder: Path) -> None:
    potential = nnp.load(str(files("nnp") / "data" / "silicon_sw.nnp"))
    atoms = bulk("Si", a=5.431, cubic=True) * (CELLS, CELLS, CELLS)
    for temperature in (300.0, 900.0):
        settings = MDSettings(
            ensemble="npt",
            temperature=temperature,
            pressure=1.0,
            timestep=2.0,
            steps=3000,
            relaxation_time=200.0,
            barostat_interval=10,
            log_interval=20,
        )
        outputs = Outputs.named(folder / f"{temperature:.0f}K", force=True)
        outcome = run(potential, atoms, settings, outputs)
        volumes = read_log(outputs.log)["volume_A3"]
        edges = volumes[len(volumes) // 3 :] ** (1 / 3) / CELLS
        mean, error = block_average(edges)
        print(
            f"{temperature:.0f} K: lattice constant {mean:.4f} ± {error:.4f} Å, "
            f"{outcome.ns_per_day:.0f} ns/day, log in {outputs.log}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
