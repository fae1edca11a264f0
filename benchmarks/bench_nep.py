"""The same nep.txt in our CPU engine, in nep-adapters and in NEP_CPU (through calorine), one core.

    pip install nep-adapters calorine
    export NNP_REFERENCE_DATA=… OMP_NUM_THREADS=1
    python benchmarks/bench_nep.py --json benchmarks/results/nep.json

Energy, forces and virial of crystals and water, whose atoms move a little before every call: our
neighbour list has its skin, the others' are their own business. All subjects take a call in turn;
rates are per second of processor time, of the median call and of the best. Before the clock starts
their forces are compared.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import ase
import numpy as np
from ase.build import bulk
from calorine.calculators import CPUNEP
from in_turns import Subject, as_atoms, in_turns
from nep_adapters import NEPCalculator
from record import write_record

import nnp
from nnp.bench import replicated
from nnp.bench.measurement import Measurement
from nnp.cli.table import text_table
from nnp.io.structures import read_structures
from nnp.neighbors import neighbor_list
from nnp.structure import Structure, as_structure
from nnp.units import ATOMIC

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}  # of forces beside the largest
WANTED = 8  # times the faster of the two others


def systems(folder: Path, n_atoms: int) -> dict[str, tuple[Path, Structure]]:
    """Name → potential and structure."""
    (water,) = read_structures(folder / "n2p2/H2O_RPBE-D3/input.data", ATOMIC, 0)
    salt = bulk("PbS", "rocksalt", a=5.936, cubic=True)
    salt.symbols[:] = ["Te", "Pb", "S", "Pb", "Na", "Cl", "Te", "Pb"]
    alloy = bulk("Al", cubic=True)
    alloy.symbols[:] = ["Al", "Ni", "Al", "W"]
    structures = {
        "silicon": ("nep4-1el-3body", bulk("Si", cubic=True)),
        "diamond": ("nep4-1el-5body", bulk("C", cubic=True)),
        "water": ("nep4-2el-4body", water),
        "alloy": ("nep4-zbl-3el", alloy),
        "salt": ("nep4-5el-cutoffs", salt),
    }
    found = {}
    for name, (case, atoms) in structures.items():
        structure = replicated(as_structure(atoms), n_atoms)
        moved = structure.positions + np.random.default_rng(1).normal(
            scale=0.03, size=structure.positions.shape
        )
        found[name] = (
            folder / "nep" / case / "nep.txt",
            Structure(moved, structure.atomic_numbers, structure.cell, structure.pbc),
        )
    return found


def ours(path: Path, dtype: str) -> Subject:
    """Our engine."""
    engine = nnp.load(path).make_engine("cpu", dtype=dtype, threads=1)

    def compute(atoms: ase.Atoms) -> np.ndarray:
        return engine.compute(as_structure(atoms), True, True).forces

    return compute


def nep_adapters(path: Path) -> Subject:
    """nep-adapters without ASE's calculator around it."""
    calculator = NEPCalculator(str(path), backend="cpu")
    return lambda atoms: calculator.predict_structures([atoms]).forces


def nep_cpu(path: Path) -> Subject:
    """NEP_CPU as calorine brings it."""
    calculator = CPUNEP(str(path))

    def compute(atoms: ase.Atoms) -> np.ndarray:
        calculator.calculate(atoms, ["energy", "forces", "stress"])
        return calculator.results["forces"]

    return compute


def check(subjects: dict[str, Subject], atoms: ase.Atoms) -> float:
    """The largest difference of forces beside the largest force.

    Raises:
        SystemExit: they are not the same.
    """
    forces = {name: compute(atoms) for name, compute in subjects.items()}
    wanted, worst = forces["nnp float64"], 0.0
    for name, found in forces.items():
        difference = float(np.abs(found - wanted).max() / np.abs(wanted).max())
        worst = max(worst, difference)
        if difference > TOLERANCE["float32" if name == "nnp float32" else "float64"]:
            sys.exit(f"{name}: forces differ by {difference:.1e} of the largest")
    return worst


def neighbors(structure: Structure, radius: float) -> float:
    """Of an atom, on average."""
    return len(neighbor_list(structure, radius).i) / len(structure)


def measure(name: str, path: Path, structure: Structure, calls: int) -> list[Measurement]:
    """All subjects on one system."""
    potential = nnp.load(path)
    radii = sorted({f.radius for model in potential.models for f in model.functions})
    atoms = as_atoms(structure)
    subjects = {f"nnp {dtype}": ours(path, dtype) for dtype in ("float64", "float32")}
    subjects |= {"nep-adapters": nep_adapters(path), "NEP_CPU (calorine)": nep_cpu(path)}
    details = {
        "system": name,
        "potential": path.parent.name,
        "neighbors": [neighbors(structure, radius) for radius in radii],
        "largest_difference": check(subjects, atoms),
    }
    return in_turns(subjects, atoms, calls, details)


def row(found: list[Measurement]) -> list[str]:
    """Of the table."""
    double, single, *others = found
    best = max(m.rate for m in others)
    return [
        double.details["system"],
        " / ".join(f"{n:.0f}" for n in double.details["neighbors"]),
        *(f"{m.rate / 1e3:.1f}" for m in found),
        f"{double.rate / best:.1f}",
        f"{single.rate / best:.1f}",
    ]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=15)
    parser.add_argument("--systems", nargs="+")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    everything, rows = [], []
    for name, (path, structure) in systems(
        Path(os.environ["NNP_REFERENCE_DATA"]), arguments.atoms
    ).items():
        if arguments.systems and name not in arguments.systems:
            continue
        found = measure(name, path, structure, arguments.calls)
        everything += found
        rows.append(row(found))
        print(rows[-1], file=sys.stderr)
    header = ["system", "neighbours", *(m.subject for m in everything[:4])]
    header += ["float64 / best other", "float32 / best other"]
    print("thousand atom-steps per processor second, median")
    print(text_table(header, rows))
    if arguments.json:
        write_record(arguments.json, everything, header, rows)


if __name__ == "__main__":
    main()
