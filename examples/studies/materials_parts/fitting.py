"""One fit with the package's trainer, and its errors over test structures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ase import Atoms

from nnp.io.structures import write_structures
from nnp.networks import Activation
from nnp.potential import Potential
from nnp.train import Dataset, TrainingSettings, evaluate, train
from nnp.train.data.evaluation import EvaluationReport
from nnp.train.data.sets import DataSettings
from nnp.train.fit.initial import NetworkSettings
from nnp.train.fit.optimizers import OptimizerSettings
from nnp.train.fit.optimizers.base import ScheduleSettings
from nnp.train.fit.optimizers.first_order import GradientSettings, LbfgsSettings
from nnp.train.fit.optimizers.kalman import KalmanSettings
from nnp.train.fit.settings import RunSettings
from nnp.train.inputs.functions import (
    AngularSettings,
    FunctionSettings,
    GeneratedFunctions,
    RadialSettings,
)

# Name in tables and pictures: optimiser, its epochs. Gradient descent has the largest rate of
# 3e-4, 1e-3, 3e-3, 1e-2 that did not diverge for graphene.
OPTIMISERS = {
    "Kalman": (OptimizerSettings("kalman", kalman=KalmanSettings(candidates=32)), 20),
    "Levenberg-Marquardt": (OptimizerSettings("levenberg_marquardt"), 20),
    "L-BFGS": (OptimizerSettings("lbfgs", lbfgs=LbfgsSettings(iterations=10)), 15),
    "gradient descent": (
        OptimizerSettings("sgd", batch=1, gradient=GradientSettings(rate=1e-3, momentum=0.0)),
        30,
    ),
}
UPDATES = 400  # of the Kalman filter where the number of structures is varied
ACTIVATIONS = {
    "linear": Activation.IDENTITY,
    "sigmoid": Activation.LOGISTIC,
    "tanh": Activation.TANH,
    "twist": Activation.TWISTED_TANH,
}


@dataclass(frozen=True)
class Recipe:
    """What the comparisons vary; all else is the same in every fit.

    Attributes:
        optimiser: of `OPTIMISERS`.
        activation: of `ACTIVATIONS`.
        cutoff: Å.
        angular: whether there are angular functions.
        hidden: neurons.
        epochs: those of `OPTIMISERS` when None.
        seed: of weights and order.
        curves: whether errors are taken after every epoch, not only after the last.
    """

    optimiser: str = "Kalman"
    activation: str = "tanh"
    cutoff: float = 4.0
    angular: bool = True
    hidden: tuple[int, ...] = (10, 10)
    epochs: int | None = None
    seed: int = 0
    curves: bool = False

    def settings(self, folder: Path) -> TrainingSettings:
        """For ``train.extxyz`` and ``test.extxyz`` in a folder."""
        optimiser, epochs = OPTIMISERS[self.optimiser]
        epochs = self.epochs or epochs
        decays = self.optimiser == "gradient descent"
        schedule = ScheduleSettings("exponential", final=0.05) if decays else ScheduleSettings()
        sets = (AngularSettings(widths=(3.0, 1.5), zetas=(1.0, 4.0)),) if self.angular else ()
        radial = (RadialSettings(count=8, r_first=1.0),)
        return TrainingSettings(
            DataSettings((str(folder / "train.extxyz"),), (str(folder / "test.extxyz"),)),
            FunctionSettings(generate=GeneratedFunctions(self.cutoff, radial=radial, angular=sets)),
            network=NetworkSettings(self.hidden, ACTIVATIONS[self.activation]),
            optimizer=optimiser,
            schedule=schedule,
            run=RunSettings(
                epochs=epochs,
                seed=self.seed,
                output=str(folder / "fit"),
                evaluate_every=1 if self.curves else epochs,
                checkpoint_every=epochs,
            ),
        )


def epochs_for(frames: Sequence[Atoms]) -> int:
    """As many Kalman updates for any number of structures."""
    return max(2, round(UPDATES / len(frames)))


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit ended with.

    Attributes:
        potential: of the last epoch: the test structures have no say in which one is taken.
        rows: the log; its "valid" columns are the test structures.
        seconds: of the fit, CPU time of this process.
        functions: of the first element, after pruning.
    """

    potential: Potential
    rows: list[dict[str, float]]
    seconds: float
    functions: int

    def numbers(self) -> dict[str, float]:
        """Errors of the last epoch: meV/atom and eV/Å."""
        last = self.rows[-1]
        return {
            "train_energy": last["train_energy_rmse_mev"],
            "train_force": last["train_force_rmse"],
            "test_energy": last["valid_energy_rmse_mev"],
            "test_force": last["valid_force_rmse"],
            "seconds": self.seconds,
            "functions": self.functions,
        }


def fit(recipe: Recipe, frames: Sequence[Atoms], test: Sequence[Atoms], folder: Path) -> Fit:
    """Train in a folder, which is overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    write_structures(frames, folder / "train.extxyz", force=True)
    write_structures(test, folder / "test.extxyz", force=True)
    start = time.process_time()
    result = train(recipe.settings(folder), force=True, quiet=True)
    seconds = time.process_time() - start
    functions = len(result.last.models[0].functions)
    return Fit(result.last, result.rows, seconds, functions)


def judge(potential: Potential, frames: Sequence[Atoms]) -> EvaluationReport:
    """Predicted beside true."""
    return evaluate(potential, Dataset.from_atoms(frames), "cpu")


def with_seeds(recipe: Recipe, seeds: int) -> list[Recipe]:
    """The recipe with seeds from 0."""
    return [replace(recipe, seed=seed) for seed in range(seeds)]


def as_lists(fits: Sequence[Fit]) -> dict[str, Any]:
    """Numbers of several fits, one list each."""
    keys = fits[0].numbers()
    return {key: [found.numbers()[key] for found in fits] for key in keys}
