"""Run, select, label, train: molecular dynamics asks for the labels that it misses.

    python examples/07_select_in_md.py [folder]

A committee of two, fitted to shaken silicon crystals, runs at 1,500 K. Where its members disagree,
or atoms leave the range of the training data, structures are selected on the way, and the run
stops where the disagreement is hopeless. A teacher labels them: Stillinger-Weber here; with DFT run
VASP in the folders PREFIX.selected/0001, …, which hold POSCARs, and give the OUTCARs to nnp train.
With the new labels the members disagree less.

The same by hand: nnp md committee.nnp start.extxyz --temperature 1500 --select-every 10
--select-above 0.2 --stop-on-spread 5, then nnp train fit.toml --members 2.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ase.io
import numpy as np
from ase.build import bulk

import nnp
from nnp.md import MDSettings, Outputs, read_log, run
from nnp.teachers.ase import StillingerWeber
from nnp.train import read_settings, train_committee
from nnp.train.data.augment import AugmentSettings, augment
from nnp.train.data.sampling import label

FIRST = AugmentSettings(scale=0.02, strain=0.01, displacement=0.1, copies=16)
HOT = MDSettings(
    temperature=1500.0,
    timestep=2.0,
    steps=300,
    log_interval=10,
    max_extrapolations=64,
    relaxation_time=100.0,
    select_interval=10,
    select_above=0.2,
    select_most=12,
    stop_on_spread=5.0,
)
SETTINGS = """
[data]
train = "silicon.extxyz"
[functions.generate]
cutoff = 4.2
[[functions.generate.radial]]
count = 6
r_first = 1.6
[[functions.generate.angular]]
widths = [4.0, 2.0]
[network]
hidden = [8, 8]
[run]
epochs = 8
output = "training"
"""


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "select-in-md")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fit.toml").write_text(SETTINGS, encoding="utf-8")
    crystal = bulk("Si", a=5.431, cubic=True)
    known = label(augment([crystal], FIRST), StillingerWeber)
    for number in range(2):
        ase.io.write(folder / "silicon.extxyz", known)
        train_committee(read_settings(folder / "fit.toml"), 2, force=True)
        committee = nnp.load(folder / "training" / "committee.nnp")
        outputs = Outputs.named(folder / f"round-{number}", force=True)
        try:
            run(committee, crystal * (2, 2, 2), HOT, outputs)
            how = "went through"
        except nnp.NumericalError as error:
            how = str(error).partition(". ")[0]
        log = read_log(outputs.log)
        chosen = ase.io.read(outputs.selected, ":") if outputs.selected.exists() else []
        print(
            f"round {number}: {len(known)} labels; {how}; median spread of the forces "
            f"{np.median(log['force_spread_eV_A']):.3f} eV/Å; {len(chosen)} structures selected"
        )
        known += label(chosen, StillingerWeber)


if __name__ == "__main__":
    main()
