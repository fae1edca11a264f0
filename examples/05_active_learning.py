"""Sample, train, run, select, relabel: three rounds against Stillinger-Weber silicon.

    python examples/05_active_learning.py [folder]

Starts from shaken crystals only. Each round trains a committee of two, runs hot dynamics with its
mean, labels the snapshots where the members disagree most, and adds them. Errors over an
independent hot test set fall from round to round.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ase.io
import numpy as np
from ase.build import bulk

import nnp
from nnp.ase import NNPCalculator
from nnp.teachers.ase import StillingerWeber
from nnp.train import Dataset, evaluate, read_settings, train_committee
from nnp.train.data.augment import AugmentSettings, augment
from nnp.train.data.sampling import SampleSettings, label, sample
from nnp.train.data.select import choose, rank

# Two states above all that the first data has seen
HOT = SampleSettings((600.0, 1200.0), (0.97, 1.03), snapshots=10, interval=20, timestep_fs=2.0)
FIRST = AugmentSettings(scale=0.02, strain=0.01, displacement=0.1, copies=24)
MOST = 3.0  # eV/Å: where members differ by more, the dynamics has left physics
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
hidden = [10, 10]
[run]
epochs = 12
output = "training"
"""


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "active-learning")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fit.toml").write_text(SETTINGS, encoding="utf-8")
    crystal = bulk("Si", a=5.431, cubic=True)
    known = label(augment([crystal], FIRST), StillingerWeber)
    test = Dataset.from_atoms(sample([crystal], StillingerWeber, HOT))
    for number in range(3):
        ase.io.write(folder / "silicon.extxyz", known)
        train_committee(read_settings(folder / "fit.toml"), 2, force=True)
        committee = nnp.load(folder / "training" / "committee.nnp")
        forces = evaluate(committee, test).comparisons["forces"].statistics()
        mean = committee.mean()  # one network: members are asked where deviations count
        seen = sample([crystal], lambda m=mean: NNPCalculator(m), HOT)
        ranked = rank(committee, seen)
        chosen = choose(ranked, 12, apart=2, most=MOST)
        print(
            f"round {number}: {len(known)} labels, test force RMSE {forces['rmse']:.3f} eV/Å, "
            f"median disagreement {np.median([c.force_deviation for c in ranked]):.3f} eV/Å"
        )
        known += label([seen[c.index] for c in chosen], StillingerWeber)


if __name__ == "__main__":
    main()
