"""Optimiser by weights and data: ``optimizer.kind = "auto"``.

The Kalman filter learns most from few structures, and by node it costs little more than its rows.
A covariance of larger blocks learns more of each structure, at a price that grows as the square of
their size. So: the largest blocks with which the filter takes an hour of one core at most; where
it would take longer even by node, Adam, with a falling rate and an average of the weights.
docs/decisions/0034-optimisers-that-scale.md has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnp.train.fit.choosing import Chosen, learns_coefficients
from nnp.train.fit.memory import n_parameters
from nnp.train.fit.optimizers import AUTO, OptimizerSettings
from nnp.train.fit.optimizers.base import ScheduleKind, ScheduleSettings
from nnp.train.fit.optimizers.blocks import Decoupling, numbers_of, parameter_blocks, resolved
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import networks_of

# Seconds of one core that the filter may take.
_LONGEST = 3600.0
# Its steps, one for each structure, and what epochs they make.
_KALMAN_STEPS, _KALMAN_FEWEST, _KALMAN_MOST = 40_000, 2, 16
# A step's seconds: what does not depend on the covariance; per row and number of it; per row and
# weight by node, where the rows are the larger part; per atom where coefficients are learned.
_STEP, _PER_NUMBER, _PER_WEIGHT, _LEARNED = 0.01, 1.3e-10, 5e-8, 8e-4
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
    epochs = settings.run.epochs or _clipped(
        _KALMAN_STEPS / chosen.n_train, _KALMAN_FEWEST, _KALMAN_MOST
    )
    what = f"{n_parameters(settings, chosen)} weights and {chosen.n_train} structures"
    seconds = 0.0
    for level in _levels(settings, chosen):
        seconds = epochs * chosen.n_train * kalman_step_seconds(settings, chosen, level)
        if seconds <= _LONGEST:
            reason = f"optimiser: kalman, for {what}: some {_minutes(seconds)} of one core"
            return Recipe(_kalman(settings, level, epochs), reason)
    reason = f"optimiser: adam, for {what}: a Kalman filter would take {_minutes(seconds)}"
    return Recipe(_adam(settings, chosen), reason)


def kalman_step_seconds(
    settings: TrainingSettings, chosen: Chosen, decoupling: Decoupling
) -> float:
    """Of one core, for a step of the filter with one structure, about."""
    networks, p = networks_of(settings, chosen), n_parameters(settings, chosen)
    frames = chosen.frames[: chosen.n_train]
    known = [frame.forces.size for frame in frames if frame.forces is not None]
    mean = sum(known) / len(known) if known else 0
    rows = 1 + min(mean, settings.optimizer.kalman.candidates or mean)
    step = _STEP
    if learns_coefficients(settings):
        step += _LEARNED * sum(map(len, frames)) / len(frames)
    if decoupling is Decoupling.NODE:
        return step + _PER_WEIGHT * rows * p
    return step + _PER_NUMBER * rows * numbers_of(parameter_blocks(networks, p, decoupling))


def _levels(settings: TrainingSettings, chosen: Chosen) -> list[Decoupling]:
    """How the covariance may be divided: as the settings say, or from what memory allows on."""
    asked = settings.optimizer.kalman.decoupling
    if asked is not Decoupling.AUTO:
        return [asked]
    networks = networks_of(settings, chosen)
    first = resolved(networks, n_parameters(settings, chosen), asked)
    order = list(Decoupling)
    return order[order.index(first) :]


def _kalman(settings: TrainingSettings, level: Decoupling, epochs: int) -> TrainingSettings:
    own = settings.optimizer
    return replace(
        settings,
        optimizer=replace(own, kind="kalman", kalman=replace(own.kalman, decoupling=level)),
        run=replace(settings.run, epochs=epochs),
    )


def _adam(settings: TrainingSettings, chosen: Chosen) -> TrainingSettings:
    default = OptimizerSettings()
    own = settings.optimizer
    gradient = own.gradient
    if gradient == default.gradient:
        gradient = replace(gradient, rate=1e-2, average=0.999)
    atoms = sum(map(len, chosen.frames[: chosen.n_train]))
    batch = own.batch_atoms or (_BATCH_ATOMS if own.batch == default.batch else None)
    epochs = _clipped(_STEPS * _BATCH_ATOMS / max(atoms, 1), _FEWEST_EPOCHS, _MOST_EPOCHS)
    schedule = settings.schedule
    if schedule == ScheduleSettings():
        schedule = ScheduleSettings(ScheduleKind.COSINE, final=1e-3, warmup=1, by_step=True)
    return replace(
        settings,
        optimizer=replace(own, kind="adam", gradient=gradient, batch_atoms=batch),
        schedule=schedule,
        run=replace(settings.run, epochs=settings.run.epochs or epochs),
    )


def _clipped(count: float, fewest: int, most: int) -> int:
    return min(max(round(count), fewest), most)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
