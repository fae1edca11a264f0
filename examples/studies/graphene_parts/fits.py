"""Fits to graphene's structures, and their errors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase import Atoms
from materials_parts.fitting import judge

import nnp
from nnp.io.structures import write_structures
from nnp.train import train
from nnp.train.config.tables import from_table
from nnp.train.fit.settings import TrainingSettings

CUTOFF = 4.0  # Å
# One radial function and 18 angular ones: three widths, three ζ, both λ.
_FEW = {
    "generate": {
        "cutoff": CUTOFF,
        "radial": [{"grid": "centered", "count": 1, "r_first": 2.0}],
        "angular": [{"widths": [4.0, 2.5, 1.5], "zetas": [1.0, 4.0, 16.0]}],
    },
    "prune": {"method": "none"},
}
_MOMENTS = {"generate": {"family": "moments", "cutoff": CUTOFF}}
_HIDDEN = [10, 10]
_UPDATES = 1000  # of the Kalman filter, about


@dataclass(frozen=True)
class Recipe:
    """What varies.

    Attributes:
        functions: table of the settings.
        hidden: neurons; none: a linear model.
        activation: of them.
        forces: whether forces are learned too.
    """

    functions: dict[str, Any]
    hidden: tuple[int, ...] = tuple(_HIDDEN)
    activation: str = "t"
    forces: bool = True


RECIPES = {
    "moments, tanh": Recipe(_MOMENTS, (24, 24)),
    "1 + 18, linear": Recipe(_FEW, ()),
    "1 + 18, tanh": Recipe(_FEW),
    "1 + 18, linear, energies alone": Recipe(_FEW, (), forces=False),
    "1 + 18, tanh, energies alone": Recipe(_FEW, forces=False),
}


def fitted(
    recipe: Recipe, frames: Sequence[Atoms], folder: Path, seed: int, shorten: int = 1
) -> tuple[nnp.Potential, dict[str, float]]:
    """The potential of the last epoch, and what it took.

    Args:
        recipe: what to fit.
        frames: to learn from.
        folder: of the run, overwritten.
        seed: of weights and order.
        shorten: divides the epochs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_structures(frames, folder / "train.extxyz", force=True)
    kalman = recipe.forces
    epochs = max(2, round(_UPDATES / len(frames))) if kalman else 40
    table = {
        "data": {"train": str(folder / "train.extxyz")},
        "functions": recipe.functions,
        "network": {"hidden": list(recipe.hidden), "activation": recipe.activation},
        "loss": {} if recipe.forces else {"forces": 0.0},
        "optimizer": {"kind": "kalman", "kalman": {"candidates": 32}}
        if kalman
        else {"kind": "levenberg_marquardt"},
        "run": {"epochs": max(2, epochs // shorten), "seed": seed, "output": str(folder / "fit")},
    }
    run: dict[str, Any] = table["run"]
    run |= {"evaluate_every": run["epochs"], "checkpoint_every": run["epochs"], "report": False}
    before = time.process_time()
    result = train(from_table(TrainingSettings, table, ""), force=True, quiet=True)
    took = time.process_time() - before
    functions = float(len(result.last.models[0].functions))
    return result.last, {"functions": functions, "CPU seconds": took}


def errors(potential: nnp.Potential, frames: Sequence[Atoms]) -> dict[str, float]:
    """MAE and RMSE: meV/atom and eV/Å."""
    found = judge(potential, frames).comparisons
    energy, forces = found["energy"].statistics(), found["forces"].statistics()
    return {
        "energy MAE / meV/atom": 1e3 * energy["mae"],
        "energy RMSE / meV/atom": 1e3 * energy["rmse"],
        "force MAE / eV/Å": forces["mae"],
        "force RMSE / eV/Å": forces["rmse"],
    }
