"""Optimiser by weights and data: ``optimizer.kind = "auto"``.

The Kalman filter learns most from few structures, but a step costs as much as its covariance has
numbers. Where it would take longer than half an hour of one core, Adam takes its place, with a
falling rate and an average of the weights. docs/decisions/0034-optimisers-that-scale.md has the
measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnp.train.fit.choosing import Chosen
from nnp.train.fit.memory import n_parameters
from nnp.train.fit.optimizers import AUTO, OptimizerSettings, kalman_blocks
from nnp.train.fit.optimizers.base import ScheduleKind, ScheduleSettings
from nnp.train.fit.optimizers.blocks import Decoupling, numbers_of, resolved
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import networks_of

# Seconds of one core that the filter may take.
_LONGEST = 1800.0
_KALMAN_EPOCHS = 16
# A step's seconds: what does not depend on the covariance, and per number of it and row.
_STEP, _PER_NUMBER = 0.01, 1.3e-10
# Adam: atoms of a step, steps altogether, and what epochs they make at most and at least.
_BATCH_ATOMS = 128
_STEPS = 40_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 20, 400


@dataclass(frozen=True)
class Recipe:
    """What was chosen.

    Attributes:
        settings: with an optimiser in place of ``"auto"``.
        reason: one line; empty where nothing was to choose.
    """

    settings: TrainingSettings
    reason: str = ""


def recipe(settings: TrainingSettings, chosen: Chosen) -> Recipe:
    """The optimiser, its schedule and epochs, where the settings leave them open."""
    if settings.optimizer.kind != AUTO:
        return Recipe(settings)
    seconds = kalman_seconds(settings, chosen)
    weights, structures = n_parameters(settings, chosen), chosen.n_train
    what = f"{weights} weights and {structures} structures"
    if seconds <= _LONGEST:
        optimizer = replace(settings.optimizer, kind="kalman")
        run = replace(settings.run, epochs=settings.run.epochs or _KALMAN_EPOCHS)
        reason = f"optimiser: kalman, for {what}: some {_minutes(seconds)} of one core"
        return Recipe(replace(settings, optimizer=optimizer, run=run), reason)
    reason = f"optimiser: adam, for {what}: a Kalman filter would take {_minutes(seconds)}"
    return Recipe(_adam(settings, chosen), reason)


def kalman_seconds(settings: TrainingSettings, chosen: Chosen) -> float:
    """Of one core, for the filter's epochs, about."""
    optimizer = replace(settings.optimizer, kind="kalman")
    networks = networks_of(settings, chosen)
    p = n_parameters(settings, chosen)
    frames = chosen.frames[: chosen.n_train]
    known = [frame.forces.size for frame in frames if frame.forces is not None]
    mean = sum(known) / len(known) if known else 0
    rows = 1 + min(mean, optimizer.kalman.candidates or mean)
    numbers = numbers_of(kalman_blocks(optimizer, p, networks))
    if resolved(networks, p, optimizer.kalman.decoupling) is Decoupling.NODE:
        numbers = max(numbers, 100 * p)  # the rows themselves are the larger part
    epochs = settings.run.epochs or _KALMAN_EPOCHS
    return epochs * chosen.n_train * (_STEP + _PER_NUMBER * rows * numbers)


def _adam(settings: TrainingSettings, chosen: Chosen) -> TrainingSettings:
    default = OptimizerSettings()
    own = settings.optimizer
    gradient = own.gradient
    if gradient == default.gradient:
        gradient = replace(gradient, rate=1e-2, average=0.999)
    atoms = sum(map(len, chosen.frames[: chosen.n_train]))
    batch = own.batch_atoms or (_BATCH_ATOMS if own.batch == default.batch else None)
    epochs = round(_STEPS * _BATCH_ATOMS / max(atoms, 1))
    epochs = min(max(epochs, _FEWEST_EPOCHS), _MOST_EPOCHS)
    schedule = settings.schedule
    if schedule == ScheduleSettings():
        schedule = ScheduleSettings(ScheduleKind.COSINE, final=1e-3, warmup=1, by_step=True)
    return replace(
        settings,
        optimizer=replace(own, kind="adam", gradient=gradient, batch_atoms=batch),
        schedule=schedule,
        run=replace(settings.run, epochs=settings.run.epochs or epochs),
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
