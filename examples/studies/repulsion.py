"""Silicon with ZBL repulsion through a 50 eV collision and a 3,000 K melt, and without it.

Both learn the same structures of Stillinger and Weber's potential: of the crystal at 300 K, up to
1,600 K, and with the melt; one of the two on top of the repulsion (`[baseline] zbl`). Then an atom
is kicked at its neighbour, head-on and a little aside, and a crystal is held at 3,000 K.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms
from frame import Study, begin, legend, panels, table
from repulsion_parts.runs import Course, collision, crystal, melt

from nnp.ase import NNPCalculator
from nnp.teachers.ase import StillingerWeber
from nnp.train import Dataset, evaluate, read_settings, train
from nnp.train.data.baseline import BaselineSettings
from nnp.train.data.repulsion import RepulsionSettings
from nnp.train.data.sampling import SampleSettings, sample

# Functions and network of the potential that comes with nnp
SETTINGS = Path(__file__).parents[1] / "train_silicon" / "fit.toml"
ZBL = RepulsionSettings(inner=1.0, outer=2.0)
KICK_EV = 50.0
MELT_K = 3000.0
ASIDE = (0.0, 0.5, 1.0)  # Å
TEACHER = "Stillinger-Weber"
_COLOURS = {TEACHER: "black", "without": "C3", "with ZBL": "C0"}


def sets(full: bool) -> dict[str, list[Atoms]]:
    """Labelled structures by name of the set; those of the crystal begin with 300 K."""
    count = 12 if full else 4
    states = SampleSettings((300.0, 900.0, 1600.0), (0.96, 1.0, 1.04), count, 20, 100, 2.0)
    if not full:
        states = replace(states, volumes=(1.0,))
    solid = sample([crystal(2)], StillingerWeber, states)
    hot = SampleSettings(
        (MELT_K,), snapshots=1, equilibration=2500 if full else 500, timestep_fs=2.0
    )
    liquid = sample([crystal(2)], StillingerWeber, hot)
    states = replace(states, temperatures=(2000.0, MELT_K), seed=1)
    melts = sample(liquid, StillingerWeber, states)
    cold = solid[: len(solid) // 3]
    return {"300 K": cold, "crystal": solid, "crystal and melt": solid + melts}


def learnt(frames: list[Atoms], study: Study, name: str, zbl: RepulsionSettings | None) -> Any:
    """The potential fitted to frames, with the settings of the one that comes with nnp."""
    folder = study.work / name.replace(",", "").replace(" ", "_")
    folder.mkdir(exist_ok=True)
    ase.io.write(folder / "frames.extxyz", frames)
    told = read_settings(SETTINGS)
    epochs = 15 if study.full else 4
    here = replace(
        told,
        data=replace(told.data, train=(str(folder / "frames.extxyz"),), validation=()),
        baseline=BaselineSettings(zbl=zbl),
        run=replace(told.run, epochs=epochs, evaluate_every=epochs, output=str(folder / "fit")),
    )
    return train(here, force=True, quiet=True).potential


def force_error(potential: Any, frames: list[Atoms]) -> float:
    """RMSE over the structures of the fit, eV/Å."""
    report = evaluate(potential, Dataset.from_atoms(frames))
    return float(report.comparisons["forces"].statistics()["rmse"])


def run_all(study: Study, calculator: Any) -> dict[str, Course]:
    """Collisions by how far they miss, and the melt."""
    steps = 1000 if study.full else 300
    runs = {
        f"collision, {aside:g} Å aside": collision(calculator, KICK_EV, aside, steps, seed)
        for seed, aside in enumerate(ASIDE if study.full else ASIDE[:1])
    }
    steps = 10_000 if study.full else 300
    return {**runs, f"melt, {MELT_K:g} K": melt(calculator, MELT_K, steps, seed=7)}


def main() -> None:
    study = begin(__doc__, needs=("torch", "matplotlib"))
    courses = {TEACHER: run_all(study, StillingerWeber())}
    errors: dict[str, float] = {}
    for data, frames in sets(study.full).items():
        for kind, zbl in (("without", None), ("with ZBL", ZBL)):
            name = f"{data}, {kind}"
            potential = learnt(frames, study, name, zbl)
            errors[name] = force_error(potential, frames)
            courses[name] = run_all(study, NNPCalculator(potential))
    study.picture("nearest", draw(courses))
    numbers = {
        name: {run: course.numbers() for run, course in runs.items()}
        for name, runs in courses.items()
    }
    for run in courses[TEACHER]:
        columns = list(numbers[TEACHER][run])
        rows = [[name, *own[run].values()] for name, own in numbers.items()]
        print(f"\n{run}\n{table(['potential', *columns], rows)}")
    study.finish({"force RMSE of the fit / eV/Å": errors, "runs": numbers})


def draw(courses: dict[str, dict[str, Course]]) -> Any:
    """The nearest pair over time: head-on collision, and melt; a row per training set."""
    kinds = [name for name in courses if name != TEACHER]
    data = list(dict.fromkeys(name.rsplit(", ", 1)[0] for name in kinds))
    runs = list(courses[TEACHER])
    shown = (runs[0], runs[-1])
    figure, axes = panels(len(data), len(shown), sharex="col", squeeze=False)
    for row, chosen in zip(axes, data, strict=True):
        for axis, run in zip(row, shown, strict=True):
            for name in (TEACHER, *(n for n in kinds if n.rsplit(", ", 1)[0] == chosen)):
                course, kind = courses[name][run], name.rsplit(", ", 1)[-1]
                axis.plot(course.time_fs, course.nearest, _COLOURS[kind], lw=0.8, label=kind)
            axis.set(title=f"{chosen}: {run}", ylim=(0, 2.6))
            axis.title.set_fontsize("small")
        row[0].set_ylabel("nearest pair / Å")
    for axis in axes[-1]:
        axis.set_xlabel("time / fs")
    legend(figure, axes[0, 0])
    return figure


if __name__ == "__main__":
    main()
