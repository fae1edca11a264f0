"""Deep Potential's local frames of 2018 beside Behler's functions and moments.

The same silicon, network and fit (Adam, minibatches, falling rate, prefactors that follow it) for
all. Errors; energy and force along a path on which frames change; total energy in runs without a
thermostat.
"""

from __future__ import annotations

from typing import Any

from ase import Atoms
from frame import Study, begin, legend, panels, table
from local_frame_parts.fits import (
    FAMILIES,
    FULL,
    MELT_K,
    QUICK,
    Plan,
    errors,
    fitted,
    sampled,
)
from local_frame_parts.path import Path, frame_changes, walk
from local_frame_parts.runs import Run, constant_energy

from nnp import Potential
from nnp.ase import NNPCalculator
from nnp.teachers.ase import StillingerWeber
from nnp.train import Dataset

_TEACHER = "Stillinger-Weber"
_AROUND = 0.02  # Å
_RUNS = {"crystal, 900 K": (900.0, 1.0), "melt, 1 fs": (MELT_K, 1.0), "melt, 0.5 fs": (MELT_K, 0.5)}


def main() -> None:
    study = begin(__doc__, needs=("torch", "matplotlib"))
    plan = FULL if study.full else QUICK
    print("sampling the teacher", flush=True)
    frames = sampled(plan, 0, plan.snapshots)
    unseen = sampled(plan, 100, max(2, plan.snapshots // 4))
    data, test = Dataset.from_atoms(frames), Dataset.from_atoms(unseen)
    potentials, rows = {}, {}
    for family in FAMILIES:
        potentials[family], took = fitted(family, data, study.work, plan.epochs)
        rows[family] = took | errors(potentials[family], test)
        print(family, *(f"{name} {value:.4g};" for name, value in rows[family].items()), flush=True)
    models = {_TEACHER: StillingerWeber()} | {n: calculator(p) for n, p in potentials.items()}
    quiet, hot = unseen[0], unseen[-1]
    paths = {name: walk(quiet, model, plan.points) for name, model in models.items()}
    changes = frame_changes(quiet, plan.points)
    draw_path(study, paths, changes)
    runs = {
        state: moved(models, hot if "melt" in state else quiet, temperature, step, plan)
        for state, (temperature, step) in _RUNS.items()
    }
    draw_runs(study, runs)
    shown = {name: path.numbers() for name, path in paths.items()}
    drifts = {s: {name: run.numbers() for name, run in own.items()} for s, own in runs.items()}
    for numbers in (rows, shown, *drifts.values()):
        print(
            table(
                ["", *next(iter(numbers.values()))], [[n, *r.values()] for n, r in numbers.items()]
            )
        )
    study.finish({"fits": rows, "path": shown, "frame changes": len(changes), "runs": drifts})


def calculator(potential: Potential) -> NNPCalculator:
    """By the engine that has its functions."""
    return NNPCalculator(potential, engine="cpu" if potential.compiled else "reference")


def moved(
    models: dict[str, Any], start: Atoms, temperature: float, timestep_fs: float, plan: Plan
) -> dict[str, Run]:
    """All models from one start, for the same time."""
    steps = round(plan.steps / timestep_fs)
    return {
        name: constant_energy(start, model, temperature, steps, timestep_fs)
        for name, model in models.items()
    }


def draw_path(study: Study, paths: dict[str, Path], changes: list[float]) -> None:
    """Energy over the teacher's, and force; all of it, and around the largest jump."""
    figure, axes = panels(2, 2, sharex="col")
    teacher = paths[_TEACHER]
    middle = teacher.place[int(abs(paths["local frame, smooth r_c"].torn).argmax())]
    inside = abs(teacher.place - middle) <= _AROUND
    for chosen, column in zip((slice(None), inside), axes.T, strict=True):
        for number, (name, path) in enumerate(paths.items()):
            off = 1e3 * (path.energy - teacher.energy)
            style = {"color": f"C{number}", "linewidth": 1, "label": name}
            if name != _TEACHER:
                column[0].plot(path.place[chosen], (off - off.mean())[chosen], ".-", ms=2, **style)
            column[1].plot(path.place[chosen], path.force[chosen], ".-", ms=2, **style)
        seen = teacher.place[chosen]
        for axis in column:
            for x in changes:
                if seen[0] <= x <= seen[-1]:
                    axis.axvline(x, color="0.8", linewidth=0.7, zorder=0)
    axes[0, 0].set(ylabel="energy − teacher's / meV", title="one atom moved")
    axes[0, 1].set(title="around the largest jump")
    axes[1, 0].set(xlabel="displacement / Å", ylabel="force / eV/Å")
    axes[1, 1].set(xlabel="displacement / Å")
    legend(figure, axes[1, 0], 3)
    study.picture("path", figure)


def draw_runs(study: Study, runs: dict[str, dict[str, Run]]) -> None:
    """Total energy over time."""
    figure, axes = panels(1, len(runs))
    for axis, (state, own) in zip(axes, runs.items(), strict=True):
        for number, (name, run) in enumerate(own.items()):
            axis.plot(run.time_ps, 1e3 * run.total, f"C{number}", linewidth=1, label=name)
        axis.set_yscale("symlog", linthresh=0.1)  # linear up to there: meV
        axis.set(xlabel="time / ps", title=state)
    axes[0].set_ylabel("total energy / meV per atom")
    legend(figure, axes[0])
    study.picture("runs", figure)


if __name__ == "__main__":
    main()
