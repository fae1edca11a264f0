"""Radial distribution functions of the silicon potential and of its teacher, at 300 K and 3000 K.

    python examples/train_silicon/rdf.py silicon_sw.nnp

216 atoms; the crystal at its own density, the melt 7 % denser. Beside the network's difference from
Stillinger-Weber stands that of a second run of Stillinger-Weber with another seed: what sampling
does. Five minutes of one core's time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk

from nnp.ase import NNPCalculator
from nnp.rdf import RadialDistribution, radial_distribution
from nnp.teachers.ase import StillingerWeber
from nnp.train.data.sampling import SampleSettings, sample

R_MAX = 8.0  # Å
BINS = 100


def distribution(
    make_calculator: Callable[[], Any], start: Atoms, temperature: float, seed: int, snapshots: int
) -> RadialDistribution:
    """From snapshots 40 fs apart, after 2 ps."""
    settings = SampleSettings(
        (temperature,), (1.0,), snapshots, 20, 1000, timestep_fs=2.0, friction_per_ps=2.0, seed=seed
    )
    return radial_distribution(sample([start], make_calculator, settings), R_MAX, BINS)


def melted(crystal: Atoms, seed: int) -> Atoms:
    """A liquid of its own for each run, made by the teacher."""
    hot = SampleSettings((5000.0,), (0.93,), 1, 1, 1500, timestep_fs=2.0, seed=seed)
    return sample([crystal], StillingerWeber, hot)[0]


def compare(first: RadialDistribution, second: RadialDistribution) -> str:
    """Difference, and what the errors of both let expect."""
    difference = np.sqrt(np.mean((first.g - second.g) ** 2))
    noise = np.sqrt(np.mean(first.error**2 + second.error**2))
    return f"{difference:.4f} (expected from sampling {noise:.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("potential")
    parser.add_argument("--snapshots", type=int, default=500)
    arguments = parser.parse_args()
    crystal = bulk("Si", a=5.431, cubic=True) * (3, 3, 3)
    network = partial(NNPCalculator, arguments.potential)
    for temperature in (300.0, 3000.0):
        found = []
        for seed, calculator in enumerate((network, StillingerWeber, StillingerWeber)):
            start = crystal if temperature < 1000 else melted(crystal, 10 + seed)
            found.append(distribution(calculator, start, temperature, seed, arguments.snapshots))
        ours, theirs, again = found
        print(f"{temperature:g} K, largest g {theirs.g.max():.2f}; root mean square differences:")
        print(f"  network - Stillinger-Weber          {compare(ours, theirs)}")
        print(f"  network - Stillinger-Weber, again   {compare(ours, again)}")
        print(f"  Stillinger-Weber - itself           {compare(theirs, again)}", flush=True)


if __name__ == "__main__":
    main()
