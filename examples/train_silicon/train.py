"""Make the silicon potential that ships with nnp: a network that learns Stillinger-Weber silicon.

    python examples/train_silicon/train.py --output silicon_sw.nnp

writes where the dynamics start, then runs the commands below in a folder, as one would type them:
snapshots with `nnp sample` and `nnp augment`, the fit with `nnp train` and `fit.toml`. It measures
the errors on runs with other seeds, temperatures and volumes; commands, settings and errors go into
the model file. Two minutes of one core's time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import chdir
from dataclasses import asdict, replace
from pathlib import Path
from shutil import copy

import ase.io
import numpy as np
import torch
from ase import Atom
from ase.build import bulk

import nnp
from nnp.cli import main as run_nnp
from nnp.teachers.stillinger_weber import SILICON
from nnp.train import Dataset, evaluate

LATTICE_CONSTANT = 5.431  # Å, the minimum of Stillinger-Weber diamond
SETTINGS = Path(__file__).with_name("fit.toml")

# From 5000 K a small crystal has melted within a picosecond; Stillinger-Weber melts at 1691 K.
TRAINING = """\
sample crystal.extxyz crystals.extxyz --repeat 2 2 2 --timestep 2 --seed 1 \
--temperatures 300 600 900 1200 1500 1800 2100 --volumes 0.92 1 1.08 --snapshots 4
sample vacancies.extxyz defects.extxyz --timestep 2 --seed 2 \
--temperatures 1000 1500 --volumes 0.97 1.03 --snapshots 3
sample crystal.extxyz molten.extxyz --repeat 2 2 2 --timestep 2 --seed 3 \
--temperatures 5000 --volumes 0.9 1 1.1 --snapshots 1 --interval 500
sample molten.extxyz melts.extxyz --timestep 2 --seed 4 \
--temperatures 1700 2000 2500 3000 4000 --snapshots 6 --equilibration 500
augment crystals.extxyz changed.extxyz --scale 0.1 --strain 0.03 --displacement 0.1 --seed 5
sample changed.extxyz strained.extxyz --static
train fit.toml
"""
TEST = """\
sample crystal.extxyz test-crystal.extxyz --repeat 2 2 2 --timestep 2 --seed 101 \
--temperatures 300 1000 1500 2000 --volumes 0.97 1.03 --snapshots 4 --interval 60
sample crystal.extxyz test-large.extxyz --repeat 3 3 3 --timestep 2 --seed 102 \
--temperatures 1500 --snapshots 3 --interval 60
sample vacancies.extxyz test-defects.extxyz --timestep 2 --seed 103 \
--temperatures 1500 --snapshots 4 --interval 60
sample crystal.extxyz molten-too.extxyz --repeat 2 2 2 --timestep 2 --seed 104 \
--temperatures 5000 --volumes 0.95 1.05 --snapshots 1 --interval 500
sample molten-too.extxyz test-melt.extxyz --timestep 2 --seed 105 \
--temperatures 2000 2500 3000 --snapshots 4 --interval 60 --equilibration 500
augment test-crystal.extxyz changed-too.extxyz --scale 0.1 --strain 0.02 --seed 106
sample changed-too.extxyz test-strained.extxyz --static
"""
LABELS = [
    ("energy_rmse_mev_per_atom", "energy", 1000.0),
    ("force_rmse_ev_per_angstrom", "forces", 1.0),
]


def write_starts() -> None:
    """A perfect crystal; one with a vacancy and one with an interstitial."""
    crystal = bulk("Si", a=LATTICE_CONSTANT, cubic=True)
    ase.io.write("crystal.extxyz", crystal)
    vacancy, interstitial = crystal * (2, 2, 2), crystal * (2, 2, 2)
    del vacancy[0]
    interstitial.append(Atom("Si", [LATTICE_CONSTANT / 2] * 3))
    ase.io.write("vacancies.extxyz", [vacancy, interstitial])


def run(commands: str) -> None:
    """Each line as words of ``nnp``."""
    for line in commands.splitlines():
        print("nnp", line, flush=True)
        if run_nnp(line.split()):
            raise SystemExit(1)


def test_errors(potential: nnp.Potential) -> dict[str, dict[str, float]]:
    """Root-mean-square errors by kind of structure and temperature."""
    found = {}
    for path in sorted(Path().glob("test-*.extxyz")):
        report = evaluate(potential, Dataset.read([path]))
        kind = path.stem.removeprefix("test-")
        for group, members in report.groups.items():
            row = {}
            for label, quantity, factor in LABELS:
                statistics = report.comparisons[quantity].of(members).statistics()
                row[label] = round(factor * statistics["rmse"], 4)
            name = f"{kind}, {group}"
            found[name] = row
            print(f"{name:<20}{row}")
    return found


def make(folder: Path) -> nnp.Potential:
    """Data, fit and errors, in a folder."""
    copy(SETTINGS, folder)
    with chdir(folder):
        write_starts()
        run(TRAINING + TEST)
        fitted = nnp.load("training/last.nnp")
        errors = test_errors(fitted)
    provenance = {
        "description": "silicon: a network fitted to the Stillinger-Weber potential",
        "teacher": {"doi": "10.1103/PhysRevB.31.5262", **asdict(SILICON)},
        "script": "examples/train_silicon/train.py",
        "commands": (TRAINING + TEST).splitlines(),
        "training": fitted.provenance,
        "errors": errors,
        "libraries": {"numpy": np.__version__, "torch": torch.__version__},
    }
    return replace(fitted, provenance=json.loads(json.dumps(provenance)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("silicon_sw.nnp"))
    parser.add_argument("--folder", type=Path, help="for data and logs; must be empty")
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    arguments = parser.parse_args()
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        made = make(arguments.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            made = make(Path(folder))
    made.save(arguments.output, force=arguments.force)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
