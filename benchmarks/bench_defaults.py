"""Defaults on data alone: `nnp train DATA` as a user types it, judged on structures it never saw.

    NNP_REFERENCE_DATA=... python benchmarks/bench_defaults.py Si Li TiO2 water nitride --save
    ... python benchmarks/bench_defaults.py nitride --nep --save     # a NEP of the same data beside
    ... python benchmarks/bench_defaults.py molecules --more --time 30min

Si and Li are mlearn's sets (Zuo et al., J. Phys. Chem. A 124, 731 (2020)), TiO2 is ænet-PyTorch's;
water, nitride (layers like MoSi2N4, whose public set is not at hand) and molecules are made, see
default_sets.py. Nothing is said to the training but the file. Seconds are of processor time;
results are added to benchmarks/results/defaults.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from default_sets import WANTED, command, data_of

import nnp
from nnp.train import read_settings
from nnp.train.config.write import write_settings
from nnp.train.fit.optimizers import AUTO, OptimizerSettings
from nnp.train.inputs.functions import FunctionSettings
from nnp.train.inputs.nep import GeneratedNep

RESULTS = Path(__file__).parent / "results" / "defaults.json"


def run(name: str, folder: Path, more: Sequence[str], nep: bool) -> dict[str, object]:
    """Train on a set by defaults, judge on its test set."""
    train, test = data_of(name, folder)
    output, settings = folder / (name + "-nep" * nep), folder / f"{name}.toml"
    words: list[object] = [train, "--output", output, "--settings", settings, "--force", *more]
    if nep:
        command("train", *words, "--dry-run")
        words = [nep_settings(settings, output), "--force"]
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command("train", *words)
    seconds = time.monotonic() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    judged = folder / f"{output.name}-test"
    command("evaluate", output / "best.nnp", test, "--output", judged, "--force")
    errors = json.loads((judged / "metrics.json").read_text())["groups"]["all"]
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    log = (output / "log.csv").read_text(encoding="utf-8").splitlines()
    return {
        "set": name,
        "functions": "nep" if nep else "moments",
        "more": list(more),
        "epochs": len(log) - 1,
        "energy_mae_mev": errors["energy"]["mae"],
        "energy_rmse_mev": errors["energy"]["rmse"],
        "force_mae": errors["forces"]["mae"],
        "force_rmse": errors["forces"]["rmse"],
        "largest_force_error": errors["forces"]["max"],
        "cpu_s": spent,
        "wall_s": seconds,
        "peak_memory_mib": after.ru_maxrss / 1024,
        "wanted": asdict(WANTED[name]),
    }


def nep_settings(settings: Path, output: Path) -> Path:
    """The same fit with the functions and the network of `nep.in`'s defaults."""
    own = read_settings(settings)
    made = replace(
        own,
        functions=FunctionSettings(generate=GeneratedNep()),
        optimizer=OptimizerSettings(kind=AUTO),
        run=replace(own.run, output=str(output)),
    )
    path = settings.with_name(f"{output.name}.toml")
    write_settings(made, path, [], force=True)
    return path


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
    parser.add_argument("sets", nargs="+", choices=tuple(WANTED))
    parser.add_argument("--output", default="defaults", help="folder of data and runs")
    parser.add_argument("--nep", action="store_true", help="NEP's functions in place of defaults")
    parser.add_argument("--more", nargs=argparse.REMAINDER, default=[], help="options of nnp train")
    parser.add_argument("--save", action="store_true", help=f"add the numbers to {RESULTS.name}")
    arguments = parser.parse_args()
    folder = Path(arguments.output)
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.sets:
        found = run(name, folder, arguments.more, arguments.nep)
        print(json.dumps(found, indent=1))
        if arguments.save:
            save(found)


if __name__ == "__main__":
    main()
