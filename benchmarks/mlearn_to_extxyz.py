"""mlearn's data sets as they are published (JSON) to the extended XYZ of bench_mlearn.py.

The repository materialsvirtuallab/mlearn has them in data/; then

    python benchmarks/mlearn_to_extxyz.py mlearn/data/Ge DATA/mlearn/Ge
    NNP_REFERENCE_DATA=DATA python benchmarks/bench_mlearn.py Ge

Energies in eV, forces in eV/Å; the group of a structure is kept, its virial is not.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

FILES = {"training.json": "train.extxyz", "test.json": "test.extxyz"}


def to_atoms(record: dict[str, Any]) -> Atoms:
    """One structure with its labels."""
    structure, outputs = record["structure"], record["outputs"]
    sites = structure["sites"]
    atoms = Atoms(
        [site["label"] for site in sites],
        positions=[site["xyz"] for site in sites],
        cell=structure["lattice"]["matrix"],
        pbc=True,
        info={"group": record["group"]},
    )
    forces = np.array(outputs["forces"])
    atoms.calc = SinglePointCalculator(atoms, energy=outputs["energy"], forces=forces)
    return atoms


def main() -> None:
    """Parse the command line and convert."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="with training.json and test.json")
    parser.add_argument("output", type=Path, help="folder of train.extxyz and test.extxyz")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for source, target in FILES.items():
        records = json.loads((arguments.folder / source).read_text())
        images = [to_atoms(record) for record in records]
        write(arguments.output / target, images, format="extxyz")
        print(f"{arguments.output / target}: {len(images)} structures")


if __name__ == "__main__":
    main()
