"""Defaults on data alone: `nnp train DATA` as a user types it, judged on structures it never saw.

    NNP_REFERENCE_DATA=... python benchmarks/bench_defaults.py Si Li MoSi2N4 --save

Si and Li are mlearn's sets (Zuo et al., J. Phys. Chem. A 124, 731 (2020)). MoSi2N4 is made here,
for the public set is not at hand: layers of 28 atoms, ordered to strongly distorted, with
GFN1-xTB (tblite, wave functions at Γ) as the teacher. Nothing is said to the training but the file.
Results are added to benchmarks/results/defaults.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

import nnp

RESULTS = Path(__file__).parent / "results" / "defaults.json"
# By set: energy MAE (meV/atom), force MAE (eV/Å) and minutes that are expected.
WANTED = {"Si": (2.9, 0.066, 10), "Li": (0.40, 0.0080, 10)}


def mosin(folder: Path, count: int = 90, test: int = 30, seed: int = 1) -> tuple[Path, Path]:
    """Training and test file of the three-element set, made once.

    ``count`` and ``test`` are drawn; those with collisions are left out.
    """
    files = folder / "MoSi2N4-train.extxyz", folder / "MoSi2N4-test.extxyz"
    if all(file.exists() for file in files):
        return files
    from tblite.ase import TBLite

    rng = np.random.default_rng(seed)
    calculator = TBLite(method="GFN1-xTB", verbosity=0)
    for file, number in zip(files, (count, test), strict=True):
        frames = []
        for index in range(number):
            atoms = monolayer()
            name, width = KINDS[index % len(KINDS)]
            strain = np.zeros((3, 3))
            strain[:2, :2] = rng.normal(0, 0.02, (2, 2))
            atoms.set_cell(atoms.cell @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
            atoms.positions += rng.normal(0, width, atoms.positions.shape)
            atoms.calc = calculator
            labels = {n: atoms.calc.get_property(n, atoms) for n in ("energy", "forces")}
            atoms.calc = SinglePointCalculator(atoms, **labels)
            atoms.info["config_type"] = name
            if np.abs(labels["forces"]).max() < STRONGEST:
                frames.append(atoms)
        write(file, frames)
    return files


# Forces (eV/Å) of structures that no run meets.
STRONGEST = 30.0
# Displacements of each coordinate, Å: ordered to strongly distorted.
KINDS = (("ordered", 0.03), ("warm", 0.08), ("hot", 0.16), ("distorted", 0.28))


def monolayer() -> Atoms:
    """2 × 2 cells of MoSi2N4, 28 atoms; heights (Å) near those of the relaxed layer."""
    a, middle = 2.91, 6.5
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, 2 * middle]])
    sites = [("Mo", 1, 0.0), ("N", 2, 1.25), ("N", 2, -1.25), ("Si", 1, 2.99), ("Si", 1, -2.99)]
    sites += [("N", 2, 3.5), ("N", 2, -3.5)]
    places = {1: (1 / 3, 2 / 3), 2: (2 / 3, 1 / 3)}
    positions = [
        places[k][0] * cell[0] + places[k][1] * cell[1] + [0, 0, middle + z] for _, k, z in sites
    ]
    unit = Atoms([symbol for symbol, _, _ in sites], positions, cell=cell, pbc=True)
    return unit * (2, 2, 1)


def data_of(name: str, folder: Path) -> tuple[Path, Path]:
    """Training and test file of a set."""
    if name == "MoSi2N4":
        return mosin(folder)
    found = Path(os.environ["NNP_REFERENCE_DATA"]) / "mlearn" / name
    return found / "train.extxyz", found / "test.extxyz"


def command(*words: object) -> None:
    """Run nnp; its output goes on."""
    subprocess.run([sys.executable, "-m", "nnp", *map(str, words)], check=True)


def run(name: str, arguments: argparse.Namespace) -> dict[str, object]:
    """Train on a set by defaults, judge on its test set."""
    folder = Path(arguments.output)
    folder.mkdir(parents=True, exist_ok=True)
    train, test = data_of(name, folder)
    output = folder / name
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    words = ["--output", output, "--settings", folder / f"{name}.toml", "--force"]
    command("train", train, *words, *arguments.more)
    seconds = time.monotonic() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    command("evaluate", output / "best.nnp", test, "--output", folder / f"{name}-test", "--force")
    errors = json.loads((folder / f"{name}-test" / "metrics.json").read_text())["groups"]["all"]
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "set": name,
        "more": list(arguments.more),
        "energy_mae_mev": errors["energy"]["mae"],
        "energy_rmse_mev": errors["energy"]["rmse"],
        "force_mae": errors["forces"]["mae"],
        "force_rmse": errors["forces"]["rmse"],
        "largest_force_error": errors["forces"]["max"],
        "cpu_s": spent,
        "wall_s": seconds,
        "peak_memory_mib": after.ru_maxrss / 1024,
        "wanted": WANTED.get(name),
    }


def save(found: dict[str, object]) -> None:
    """Append to the results, with machine and commit."""
    head = ("git", "rev-parse", "--short", "HEAD")
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    RESULTS.parent.mkdir(exist_ok=True)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    record = found | {"machine": machine, "commit": commit, "nnp": nnp.__version__}
    RESULTS.write_text(json.dumps([*earlier, record], indent=1) + "\n")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=("Si", "Li", "MoSi2N4"))
    parser.add_argument("--output", default="defaults", help="folder of data and runs")
    parser.add_argument("--more", nargs=argparse.REMAINDER, default=[], help="options of nnp train")
    parser.add_argument("--save", action="store_true", help=f"add the numbers to {RESULTS.name}")
    arguments = parser.parse_args()
    if "NNP_REFERENCE_DATA" not in os.environ and set(arguments.sets) - {"MoSi2N4"}:
        sys.exit("NNP_REFERENCE_DATA is unset: it names the folder that holds mlearn/")
    for name in arguments.sets:
        found = run(name, arguments)
        print(json.dumps(found, indent=1))
        if arguments.save:
            save(found)


if __name__ == "__main__":
    main()
