"""Long runs and extrapolation flags of trained potentials.

    python benchmarks/bench_robustness.py melt si.nnp            64 atoms of silicon, 1 ns, 1 fs
    python benchmarks/bench_robustness.py water water.nnp --start box.extxyz      1 ns, 0.5 fs
    python benchmarks/bench_robustness.py flags member_0.nnp member_1.nnp …

``melt`` and ``water`` call ``nnp md`` and sum up its log: whether it came to its end, how many
atoms were outside the ranges of the training, in how many rows of the log. ``flags`` asks whether
those flags mean something: strained and hot silicon, the spread of the members' forces on atoms
with and without a flag; with ``--labels`` (a test set) also their errors. ``--save`` adds to
benchmarks/results/robustness.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.build import bulk
from numpy.typing import NDArray

import nnp
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

RESULTS = Path(__file__).parent / "results" / "robustness.json"
LATTICE_CONSTANT = 5.47  # Å, of silicon in PBE
RUNS: dict[str, list[str]] = {
    "melt": [*"--temperature 3000 --temperature-end 2000 --ramp-steps 20000 --timestep 1".split()],
    "water": [*"--temperature 300 --timestep 0.5".split()],
}
STEP_FS = {"melt": 1.0, "water": 0.5}
LOG_EVERY = 500
# Linear strains of the crystal, and standard deviations of random displacements (Å).
STRAINS = (-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2)
DISPLACEMENTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


def long_run(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run and sum up."""
    folder = Path(arguments.output)
    folder.mkdir(parents=True, exist_ok=True)
    start = arguments.start
    if start is None:
        start = folder / "start.extxyz"
        ase.io.write(start, bulk("Si", a=LATTICE_CONSTANT, cubic=True).repeat(2))
    steps = round(1000 * arguments.ps / STEP_FS[name])
    command = [sys.executable, "-m", "nnp", "md", str(arguments.models[0]), str(start), *RUNS[name]]
    command += ["--steps", str(steps), "--log-interval", str(LOG_EVERY), "--no-pictures"]
    command += ["--frame-interval", str(steps // 100), "--output", str(folder / name), "--force"]
    command += ["--dtype", arguments.dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout[-600:], done.stderr[-300:], flush=True)
    own = {"run": name, "model": arguments.models[0].name, "dtype": arguments.dtype}
    return own | {"exit_code": done.returncode} | summary(folder / f"{name}.csv")


def summary(path: Path) -> dict[str, Any]:
    """What a log says of the run."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    flagged = np.array([int(row["extrapolating_atoms"]) for row in rows])
    worst = [abs(float(row["worst_excess_percent"] or 0)) for row in rows]
    late = [float(row["temperature_K"]) for row in rows[len(rows) // 2 :]]
    return {
        "picoseconds": float(rows[-1]["time_ps"]),
        "mean_temperature_K": float(np.mean(late)),
        "rows": len(rows),
        "rows_with_flags": int((flagged > 0).sum()),
        "flagged_atoms_mean": float(flagged.mean()),
        "flagged_atoms_most": int(flagged.max()),
        "worst_excess_percent": max(worst),
    }


def cases() -> Iterator[tuple[str, Atoms]]:
    """Strained and displaced crystals of 64 atoms."""
    crystal = bulk("Si", a=LATTICE_CONSTANT, cubic=True).repeat(2)
    for strain in STRAINS:
        atoms = crystal.copy()
        atoms.set_cell(atoms.cell * (1 + strain), scale_atoms=True)
        atoms.rattle(0.02, seed=1)
        yield f"strain {strain:+.0%}", atoms
    for size in DISPLACEMENTS:
        atoms = crystal.copy()
        atoms.rattle(size, seed=2)
        yield f"displaced {size:g} Å", atoms


def flags(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Per structure: atoms with a flag, and the members' spread on those with and without."""
    members = [nnp.load(path) for path in paths]
    found = []
    for name, atoms in cases():
        structure = as_structure(atoms)
        flagged, excess = flagged_atoms(members[0], structure)
        forces = np.array([member.evaluate(structure, "cpu").forces for member in members])
        spread = np.sqrt(((forces - forces.mean(0)) ** 2).sum(-1).mean(0))
        row = {"structure": name, "atoms": len(atoms), "flagged": int(flagged.sum())}
        row["worst_excess_percent"] = 100 * excess
        row["spread_flagged"] = float(spread[flagged].mean()) if flagged.any() else None
        row["spread_others"] = float(spread[~flagged].mean()) if (~flagged).any() else None
        row["force_rms"] = float(np.sqrt((forces.mean(0) ** 2).sum(-1).mean()))
        print(row, flush=True)
        found.append(row)
    return found


def flagged_atoms(potential: Potential, structure: Structure) -> tuple[NDArray[np.bool_], float]:
    """Which atoms are outside the ranges, and the largest excess over a range."""
    found = potential.evaluate(structure, "cpu").extrapolations
    flagged = np.zeros(len(structure), bool)
    flagged[found.atoms] = True
    return flagged, float(np.abs(found.relative).max()) if len(found) else 0.0


def errors_by_flag(potential: Potential, path: Path) -> dict[str, Any]:
    """Mean force error (eV/Å, length of the vector) of atoms with and without a flag."""
    errors, flagged = [], []
    for atoms in ase.io.read(path, ":"):
        structure = as_structure(atoms)
        found = potential.evaluate(structure, "cpu").forces - atoms.get_forces()
        errors.append(np.linalg.norm(found, axis=1))
        flagged.append(flagged_atoms(potential, structure)[0])
    error, flag = np.concatenate(errors), np.concatenate(flagged)
    return {
        "atoms": len(error),
        "flagged": int(flag.sum()),
        "error_flagged": float(error[flag].mean()),
        "error_others": float(error[~flag].mean()),
    }


def save(record: dict[str, Any]) -> None:
    """Put it in the place of an earlier one of its kind."""
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    keys = ("run", "model", "dtype")
    kept = [old for old in earlier if any(old.get(k) != record.get(k) for k in keys)]
    RESULTS.write_text(json.dumps([*kept, record], indent=1) + "\n")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["melt", "water", "flags"])
    parser.add_argument("models", nargs="+", type=Path, help="one; flags: the members")
    parser.add_argument("--start", type=Path, help="of the run (water; silicon begins as crystal)")
    parser.add_argument("--labels", type=Path, help="flags: a test set with forces")
    parser.add_argument("--ps", type=float, default=1000.0)
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    parser.add_argument("--output", default="robustness", help="folder of the runs")
    parser.add_argument("--save", action="store_true", help=f"add the numbers to {RESULTS.name}")
    arguments = parser.parse_args()
    if arguments.what == "flags":
        record: dict[str, Any] = {"run": "flags", "structures": flags(arguments.models)}
        if arguments.labels:
            record["labels"] = errors_by_flag(nnp.load(arguments.models[0]), arguments.labels)
    else:
        record = long_run(arguments.what, arguments)
    names = [path.name for path in arguments.models]
    own = ["--ps", f"{arguments.ps:g}", "--dtype", arguments.dtype]
    command = ["python", "benchmarks/bench_robustness.py", arguments.what, *names, *own]
    record |= {"command": shlex.join(command), "nnp": nnp.__version__}
    print(json.dumps(record))
    if arguments.save:
        save(record)


if __name__ == "__main__":
    main()
