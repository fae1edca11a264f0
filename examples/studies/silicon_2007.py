"""Behler and Parrinello's silicon of 2007: 48 functions, 40-40, energies of the melt alone.

Sample 64 atoms at 3000 K, keep a tenth aside, fit energies (no forces) to the rest; then ask for
what was never fitted: forces, and the melt's radial distribution. Where mlearn's DFT data are at
hand ($NNP_REFERENCE_DATA/mlearn/Si) the same functions and network learn them too, with forces.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from frame import Study, begin, legend, panels, table
from md_parts.dynamics import Run, run
from md_parts.fitting import errors, learnt
from md_parts.models import network, teacher
from silicon_parts.learn import MELT_K, crystal

from nnp.analysis import AnalysisSettings
from nnp.io.structures import read_structures
from nnp.teachers.ase import StillingerWeber
from nnp.train.data.sampling import SampleSettings, sample

MELTING_STEPS = 2500  # of 2 fs
INTERVAL = 10  # steps between snapshots
TEST_SHARE = 800 / 9000
STRUCTURE = AnalysisSettings(r_max=8.0, bin_width=0.04)

SETTINGS = Path(__file__).parent / "silicon_parts" / "melt_2007.toml"
DFT_SETTINGS = SETTINGS.with_name("dft_2007.toml")


def main() -> None:
    study = begin(__doc__, needs=("openmm", "torch", "matplotlib"))
    frames = melt(snapshots=9000 if study.full else 120)
    kept = round(TEST_SHARE * len(frames))
    step = len(frames) // kept
    test = frames[::step][:kept]
    chosen = {id(frame) for frame in test}
    training = [without_forces(frame) for frame in frames if id(frame) not in chosen]
    potential = learnt(training, SETTINGS, study.work, epochs=4 if study.full else 1)
    header, rows = errors(potential, test)
    print(table(header, rows))

    steps = 10_000 if study.full else 300
    models = [teacher("Stillinger-Weber", StillingerWeber), network(potential)]
    start = frames[-1]
    runs = {
        model.name: run(model, start, "melt-2007", study.work, steps, MELT_K, STRUCTURE)
        for model in models
    }
    draw(study, runs)
    study.finish(
        {
            "training structures": len(training),
            "test structures": len(test),
            "test errors": [dict(zip(header, row, strict=True)) for row in rows],
            "DFT test errors": dft(study),
        }
    )


def melt(snapshots: int) -> list[Atoms]:
    """Labelled snapshots of 64 atoms at 3000 K."""
    settings = SampleSettings(
        (MELT_K,), (1.0,), snapshots, INTERVAL, MELTING_STEPS, timestep_fs=2.0
    )
    print("sampling the teacher", flush=True)
    return sample([crystal(2)], StillingerWeber, settings)


def without_forces(frame: Atoms) -> Atoms:
    """The same with its energy alone."""
    bare = frame.copy()
    energy = frame.get_potential_energy()
    bare.calc = SinglePointCalculator(bare, energy=energy)
    return bare


def dft(study: Study) -> list[dict[str, Any]] | str:
    """Errors over mlearn's test set after learning its training set."""
    place = os.environ.get("NNP_REFERENCE_DATA")
    folder = Path(place or "") / "mlearn" / "Si"
    if not study.full:
        return "in full mode only"
    if not place or not (folder / "train.extxyz").exists():
        return "mlearn's data are not at hand: set NNP_REFERENCE_DATA"
    own = study.work / "dft"
    own.mkdir(exist_ok=True)
    potential = learnt(read_structures(folder / "train.extxyz"), DFT_SETTINGS, own, epochs=10)
    header, rows = errors(potential, read_structures(folder / "test.extxyz"))
    print(table(header, rows))
    return [dict(zip(header, row, strict=True)) for row in rows]


def draw(study: Study, runs: dict[str, Run]) -> None:
    """The melt's radial distribution, by both."""
    figure, axis = panels(1, 1)
    for style, (name, found) in zip(("C0-", "C1--"), runs.items(), strict=True):
        rdf = found.analysis.curves["rdf"]
        axis.plot(rdf.x, rdf.values["total"], style, label=name, linewidth=1)
    axis.set(xlabel="r / Å", ylabel="g(r)", title=f"silicon at {MELT_K:g} K")
    legend(figure, axis)
    study.picture("melt", figure)


if __name__ == "__main__":
    main()
