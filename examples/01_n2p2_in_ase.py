"""An n2p2 potential as an ASE calculator: relax a crystal, then run it at 300 K.

    python examples/01_n2p2_in_ase.py [n2p2-directory [units]]

Without a directory, the silicon potential that comes with the package is written as one first.
"""

from __future__ import annotations

import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import numpy as np
from ase import units
from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.md.langevin import Langevin
from ase.optimize import BFGS

import nnp
from nnp.ase import NNPCalculator


def main(directory: Path, file_units: str = "atomic") -> None:
    potential = nnp.load(directory, units=file_units)
    print(f"{directory.name}: {', '.join(potential.elements)}, cutoff {potential.cutoff:.2f} Å")

    atoms = bulk("Si", a=5.5, cubic=True)
    atoms.calc = NNPCalculator(potential)
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-4)
    energy = atoms.get_potential_energy() / len(atoms)
    print(f"relaxed: lattice constant {atoms.cell.lengths()[0]:.4f} Å, {energy:.4f} eV per atom")

    crystal = atoms.repeat(2)
    crystal.calc = NNPCalculator(potential)
    dynamics = Langevin(
        crystal,
        2 * units.fs,
        temperature_K=300,
        friction=0.02 / units.fs,
        fixcm=False,
        rng=np.random.default_rng(1),
    )
    temperatures = []
    dynamics.attach(lambda: temperatures.append(crystal.get_temperature()), interval=10)
    dynamics.run(500)
    print(f"1 ps at 300 K: mean temperature {np.mean(temperatures[20:]):.0f} K")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), *sys.argv[2:])
    else:
        with tempfile.TemporaryDirectory() as folder:
            shipped = nnp.load(str(files("nnp") / "data" / "silicon_sw.nnp"))
            nnp.io.n2p2.write(shipped, Path(folder) / "silicon", "atomic")
            main(Path(folder) / "silicon")
