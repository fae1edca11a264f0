"""Accuracy on the mlearn data sets (Zuo et al., J. Phys. Chem. A 124, 731 (2020)), one recipe.

    NNP_REFERENCE_DATA=... python benchmarks/bench_mlearn.py Si Li

trains on each element's train.extxyz with the settings below, nothing else, and prints the errors
over test.extxyz, which the training never sees, also by group of structures. With --members several
networks are trained and their mean is judged too; --reuse takes those that an earlier call has left
in --output. With --save results are added to benchmarks/results/mlearn.json.
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
from typing import Any

import ase.io
import numpy as np

import nnp
from nnp.train import Dataset, evaluate
from nnp.train.config.tables import from_table
from nnp.train.data.evaluation import EvaluationReport
from nnp.train.fit.run import train
from nnp.train.fit.settings import TrainingSettings

RESULTS = Path(__file__).parent / "results" / "mlearn.json"


# What is generated, and for how many epochs: Behler's 40 functions, or moments whose coefficients
# are learned with the network.
FAMILIES: dict[str, tuple[dict[str, object], int]] = {
    "behler": ({"family": "behler", "cutoff": 6.5}, 16),
    "moments": ({"family": "moments", "cutoff": 6.0}, 8),
}


def recipe(data: Path, output: Path, family: str, epochs: int, seed: int) -> TrainingSettings:
    """Defaults of every table but functions and epochs: networks of 24-24."""
    table = {
        "data": {"train": [str(data)]},
        "functions": {"generate": FAMILIES[family][0]},
        "run": {"epochs": epochs, "seed": seed, "output": str(output), "evaluate_every": epochs},
    }
    return from_table(TrainingSettings, table, "")


def errors(report: EvaluationReport) -> dict[str, Any]:
    """MAE and RMSE of energies (meV/atom) and forces (eV/Å)."""
    energy, forces = (report.comparisons[name].statistics() for name in ("energy", "forces"))
    return {
        "energy_mae_mev": 1e3 * energy["mae"],
        "energy_rmse_mev": 1e3 * energy["rmse"],
        "force_mae": forces["mae"],
        "force_rmse": forces["rmse"],
        "force_largest": float(np.abs(report.comparisons["forces"].error).max()),
    }


def by_group(report: EvaluationReport, path: Path) -> dict[str, dict[str, float]]:
    """Number of structures, energy MAE (meV/atom) and force MAE (eV/Å) of each group."""
    names = [atoms.info["group"] for atoms in ase.io.read(path, ":")]
    sizes = [3 * len(atoms) for atoms in ase.io.read(path, ":")]
    energy, forces = (report.comparisons[name].error.ravel() for name in ("energy", "forces"))
    of_force = np.repeat(names, sizes)
    return {
        group: {
            "structures": names.count(group),
            "energy_mae_mev": 1e3 * float(np.abs(energy[np.array(names) == group]).mean()),
            "force_mae": float(np.abs(forces[of_force == group]).mean()),
        }
        for group in dict.fromkeys(names)
    }


def mean_report(reports: list[EvaluationReport]) -> dict[str, Any]:
    """Errors of the members' mean prediction."""
    found = {}
    for name, factor, key in (("energy", 1e3, "energy_%s_mev"), ("forces", 1.0, "force_%s")):
        error = np.mean([report.comparisons[name].error for report in reports], axis=0)
        found[key % "mae"] = factor * float(np.abs(error).mean())
        found[key % "rmse"] = factor * float(np.sqrt(np.mean(error**2)))
    found["force_largest"] = float(np.abs(error).max())
    return found


def show(name: str, values: dict[str, Any]) -> None:
    """One line per network."""
    print(
        f"{name:14s} energy MAE {values['energy_mae_mev']:.3f} RMSE "
        f"{values['energy_rmse_mev']:.3f} meV/atom  force MAE {values['force_mae']:.4f} RMSE "
        f"{values['force_rmse']:.4f} largest {values['force_largest']:.2f} eV/Å",
        flush=True,
    )


def run(element: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train the members of one element and judge them on its test set."""
    folder = Path(os.environ["NNP_REFERENCE_DATA"]) / "mlearn" / element
    test = Dataset.read(folder / "test.extxyz")
    reports, members = [], []
    epochs = arguments.epochs or FAMILIES[arguments.family][1]
    seeds = range(arguments.first, arguments.first + arguments.members)
    for seed in seeds:
        output = Path(arguments.output) / f"{element}_{seed}"
        cost = output / "cost.json"
        if not (arguments.reuse and cost.exists()):
            settings = recipe(folder / "train.extxyz", output, arguments.family, epochs, seed)
            cost.write_text(json.dumps(trained(settings)))
        reports.append(evaluate(nnp.load(output / "last.nnp"), test, "cpu"))
        groups = {"groups": by_group(reports[-1], folder / "test.extxyz")}
        members.append({"seed": seed} | errors(reports[-1]) | groups | json.loads(cost.read_text()))
        show(f"{element} seed {seed}", members[-1])
    found: dict[str, Any] = {"element": element, "family": arguments.family, "epochs": epochs}
    found["members"] = members
    if arguments.members > 1:
        found["mean"] = mean_report(reports)
        show(f"{element} mean of {arguments.members}", mean_report(reports))
    return found


def trained(settings: TrainingSettings) -> dict[str, float]:
    """Train into the folder that the settings name; what it took."""
    cpu, wall = time.process_time(), time.monotonic()
    train(settings, force=True)
    seconds = {"cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - wall}
    return seconds | {"peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def save(found: dict[str, Any]) -> None:
    """Append to the results, with machine and commit."""
    head = ("git", "rev-parse", "--short", "HEAD")
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    RESULTS.parent.mkdir(exist_ok=True)
    command = f"python benchmarks/bench_mlearn.py {found['element']} --family {found['family']}"
    command += f" --epochs {found['epochs']} --members {len(found['members'])} --save"
    record = found | {"machine": _processor(), "commit": commit, "nnp": nnp.__version__}
    record["command"] = command
    RESULTS.write_text(json.dumps([*earlier, record], indent=1) + "\n")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {len(names)} cores"


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("elements", nargs="+", help="folders of mlearn, such as Si Li")
    parser.add_argument("--family", choices=FAMILIES, default="moments")
    parser.add_argument("--epochs", type=int, help="16 for behler, 8 for moments unless told")
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="seed of the first member")
    parser.add_argument("--reuse", action="store_true", help="do not train what is there already")
    parser.add_argument("--output", default="mlearn-training", help="folder of the runs")
    parser.add_argument("--save", action="store_true", help=f"add the numbers to {RESULTS.name}")
    arguments = parser.parse_args()
    if "NNP_REFERENCE_DATA" not in os.environ:
        sys.exit("NNP_REFERENCE_DATA is unset: it names the folder that holds mlearn/")
    for element in arguments.elements:
        found = run(element, arguments)
        if arguments.save:
            save(found)


if __name__ == "__main__":
    main()
