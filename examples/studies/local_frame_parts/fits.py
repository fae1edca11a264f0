"""Silicon from Stillinger and Weber, and one network on each kind of functions."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk

from nnp import Potential
from nnp.teachers.ase import StillingerWeber
from nnp.train import Dataset, TrainingSettings, evaluate, train
from nnp.train.config.tables import from_table
from nnp.train.data.sampling import SampleSettings, sample

MELT_K = 2500.0
_CUTOFF = 4.5  # Å; the teacher ends at 3.8
_FRAME = {"family": "local_frame", "cutoff": _CUTOFF}
_POLY2 = 6
FAMILIES: dict[str, dict[str, Any]] = {
    "Behler": {"family": "behler", "cutoff": _CUTOFF},
    "moments": {"family": "moments", "cutoff": _CUTOFF, "learn": False},
    "local frame": _FRAME,
    "local frame, smooth r_c": {**_FRAME, "cutoff_kind": _POLY2},
    "1/r only, smooth r_c": {**_FRAME, "full": 0, "cutoff_kind": _POLY2},
}


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes:
        snapshots: of each state for the fit.
        melting_steps: of 2 fs, until the crystal is gone.
        epochs: of each fit.
        points: along the path.
        steps: of the longest run, 1 fs.
    """

    snapshots: int
    melting_steps: int
    epochs: int
    points: int
    steps: int


FULL = Plan(snapshots=15, melting_steps=2000, epochs=50, points=401, steps=1200)
QUICK = Plan(snapshots=3, melting_steps=100, epochs=2, points=41, steps=20)


def crystal() -> Atoms:
    """64 atoms."""
    return bulk("Si", a=5.431, cubic=True) * (2, 2, 2)


def sampled(plan: Plan, seed: int, snapshots: int) -> list[Atoms]:
    """Crystals of 300, 900 and 1500 K, then melts, labelled."""
    how = SampleSettings((300.0, 900.0, 1500.0), (1.0,), snapshots, 50, 250, 2.0, seed=seed)
    solid = sample([crystal()], StillingerWeber, how)
    melting = replace(how, temperatures=(3000.0,), snapshots=1, equilibration=plan.melting_steps)
    liquid = sample([crystal()], StillingerWeber, melting)
    melt = sample(liquid, StillingerWeber, replace(how, temperatures=(MELT_K,)))
    for frame in (*solid, *melt):
        frame.info["group"] = "melt" if frame in melt else "crystal"
    return [*solid, *melt]


def fitted(
    family: str, data: Dataset, folder: Path, epochs: int
) -> tuple[Potential, dict[str, float]]:
    """As Deep Potential is fitted, whatever the functions; with sizes and seconds of one core."""
    table = {
        "data": {"train": "of the study"},
        "functions": {"generate": FAMILIES[family]},
        "network": {"hidden": [24, 24]},
        "loss": {
            "energy": 0.02,
            "energy_end": 1.0,
            "forces": 1000.0,
            "forces_end": 1.0,
            "schedule": True,
        },
        "optimizer": {"kind": "adam", "batch": 1, "gradient": {"rate": 3e-3}},
        "schedule": {"kind": "exponential", "final": 1e-3, "by_step": True},
        "run": {
            "epochs": epochs,
            "evaluate_every": max(1, epochs // 5),
            "threads": 1,
            "output": str(folder / family.replace(" ", "_").replace("/", "_")),
        },
    }
    settings = from_table(TrainingSettings, table, "")
    began = time.process_time()
    result = train(settings, force=True, quiet=True, data=(data, Dataset(())))
    model = result.last.models[0]
    return result.last, {
        "functions": len(model.functions),
        "weights and biases": model.network.n_parameters,
        "fit / s": round(time.process_time() - began, 1),
    }


def errors(potential: Potential, test: Dataset) -> dict[str, float]:
    """RMSE by group, and what a mirror image changes."""
    report = evaluate(potential, test)
    found = {}
    for group in ("crystal", "melt"):
        members = report.groups[group]
        for quantity, unit, factor in (("energy", "meV/atom", 1e3), ("forces", "eV/Å", 1.0)):
            chosen = report.comparisons[quantity].of(members)
            name = f"{group}, {quantity.removesuffix('s')} RMSE / {unit}"
            found[name] = factor * chosen.statistics()["rmse"]
    engine = potential.engine("cpu" if potential.compiled else "reference")
    changes = []
    for frame in test:
        mirrored = replace(
            frame.structure, positions=-frame.structure.positions, cell=-frame.structure.cell
        )
        both = [engine.compute(s, False).energy for s in (frame.structure, mirrored)]
        changes.append((both[1] - both[0]) / len(frame))
    found["mirror image / meV/atom"] = 1e3 * float(np.sqrt(np.mean(np.square(changes))))
    return found
