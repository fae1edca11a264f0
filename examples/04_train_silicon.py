"""Train a potential for Stillinger-Weber silicon in half a minute, then look at its errors.

    python examples/04_train_silicon.py [folder]

Crystals with random displacements and strains, labelled by the teacher; a fifth is kept for
validation. The same settings could stand in a TOML file for ``nnp train``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ase.io
import numpy as np
from ase.build import bulk

from nnp.teachers.ase import StillingerWeber
from nnp.train import Dataset, evaluate, read_settings, train

SETTINGS = """
[data]
train = "silicon.extxyz"
[data.split]
fraction = 0.2
[functions.generate]
cutoff = 4.2
[[functions.generate.radial]]
count = 6
r_first = 1.6
[[functions.generate.angular]]
widths = [4.0, 2.0]
zetas = [1.0, 2.0, 4.0]
[network]
hidden = [12, 12]
[run]
epochs = 20
output = "training"
"""


def sample(count: int) -> list:
    """Strained and shaken crystals of 8 atoms, a quarter of them strained only."""
    rng = np.random.default_rng(0)
    frames = []
    for number in range(count):
        atoms = bulk("Si", cubic=True)
        strain = rng.normal(0, 0.01, (3, 3))
        atoms.set_cell(atoms.cell @ (np.eye(3) + strain + strain.T), scale_atoms=True)
        shaken = number % 4 != 0
        atoms.rattle(0.1 if shaken else 0.0, seed=number)
        atoms.info["group"] = "shaken" if shaken else "strained"
        atoms.calc = StillingerWeber()
        atoms.get_forces()
        frames.append(atoms)
    return frames


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "silicon-training")
    folder.mkdir(parents=True, exist_ok=True)
    ase.io.write(folder / "silicon.extxyz", sample(80))
    (folder / "fit.toml").write_text(SETTINGS, encoding="utf-8")
    result = train(read_settings(folder / "fit.toml"), force=True)
    report = evaluate(result.potential, Dataset.from_atoms(sample(100)[80:]))
    header, rows = report.table()
    for row in (header, *rows):
        print("  ".join(cell.rjust(10) for cell in row))
    print(f"potential: {folder / 'training' / 'best.nnp'}")


if __name__ == "__main__":
    main()
