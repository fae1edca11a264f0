"""Optimiser by weights, data and time: ``optimizer.kind = "auto"``.

The Kalman filter learns most from few structures, and by node it costs little more than its rows.
A covariance of larger blocks learns more of each structure, at a price that grows as the square of
their size. So: the largest blocks with which the filter has its epochs, or a fair part of them, in
the time there is; where even one epoch by node would take longer, Adam, with a falling rate and
an average of the weights. Seconds are counted, not measured: a resumed run must choose the same.
docs/decisions/0034-optimisers-that-scale.md has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnp.train.fit.choosing import Chosen, learns_coefficients
from nnp.train.fit.memory import mean_neighbors, n_parameters
from nnp.train.fit.optimizers import AUTO, OptimizerSettings
from nnp.train.fit.optimizers.base import ScheduleKind, ScheduleSettings
from nnp.train.fit.optimizers.blocks import Decoupling, numbers_of, parameter_blocks, resolved
from nnp.train.fit.optimizers.kalman import PENALISED
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import learns_stress, networks_of

# Seconds of one core that are planned where no time is given, and the share of a given one.
_LONGEST, _PLANNED = 1800.0, 0.8
# Steps of the filter, one for each structure: of few structures for each element, of many in all;
# and what epochs these make.
_FEW, _STEPS_FEW, _EPOCHS_FEW = 400, 1600, (8, 60)
_STEPS_MANY, _EPOCHS_MANY = 40_000, (2, 16)
# Of the epochs that are expected, the share that larger blocks are worth.
_FAIR = 0.25
# Seconds of a step of the filter that do not depend on the covariance, per row and number of it,
# and per row and weight by node, where the rows are the larger part.
_STEP, _PER_NUMBER, _PER_WEIGHT = 0.01, 1e-10, 5e-8
# Where coefficients are learned, in addition: per structure, per atom and neighbour of what is
# recomputed from it, and per row and neighbour.
_LEARNED, _PER_PAIR, _PER_ROW = 2e-3, 3e-6, 1.5e-5
# Of an evaluation without the filter's rows: per structure, per atom.
_EVALUATION, _PER_ATOM = 6e-4, 6e-5
# Adam: atoms of a step, steps altogether, and what epochs they make at most and at least.
_BATCH_ATOMS = 128
_STEPS = 40_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 20, 400


@dataclass(frozen=True)
class Recipe:
    """What was chosen.

    Attributes:
        settings: with an optimiser instead of ``"auto"``.
        reason: one line; empty where nothing was to choose.
    """

    settings: TrainingSettings
    reason: str = ""


def recipe(settings: TrainingSettings, chosen: Chosen) -> Recipe:
    """The optimiser, its schedule and epochs, where the settings leave them open."""
    if settings.optimizer.kind != AUTO:
        return Recipe(settings)
    asked, limit = settings.run.epochs, settings.run.max_time
    time = _LONGEST if limit is None else _PLANNED * limit
    wanted = asked or _kalman_epochs(chosen)
    fewest = asked or 1
    what = f"{n_parameters(settings, chosen)} weights and {chosen.n_train} structures"
    rest = evaluation_seconds(settings, chosen) * n_judged(settings, chosen)
    levels = _levels(settings, chosen)
    costs = [
        chosen.n_train * kalman_step_seconds(settings, chosen, level) + rest for level in levels
    ]
    for least in (max(fewest, round(_FAIR * wanted)), fewest):
        for level, epoch in zip(levels, costs, strict=True):
            epochs = min(wanted, int(time / epoch))
            if epochs >= least:
                text = f"kalman, {_count(epochs)} for {what}: about {_minutes(epochs * epoch)}"
                more = f" ({wanted} epochs would be {_minutes(wanted * epoch)})"
                text += f" on one core{more if epochs < wanted else ''}"
                return Recipe(_kalman(settings, level, epochs), f"optimiser: {text}")
    epoch = costs[-1]
    made, seconds = _adam(settings, chosen, time)
    reason = (
        f"optimiser: adam, {_count(made.run.passes)} for {what}: about {_minutes(seconds)} on one "
        f"core; {_count(fewest)} of a Kalman filter would take {_minutes(fewest * epoch)}"
    )
    return Recipe(made, reason)


def _kalman_epochs(chosen: Chosen) -> int:
    if chosen.n_train > _FEW:
        return _clipped(_STEPS_MANY / chosen.n_train, *_EPOCHS_MANY)
    return _clipped(_STEPS_FEW * len(chosen.functions) / chosen.n_train, *_EPOCHS_FEW)


def kalman_step_seconds(
    settings: TrainingSettings, chosen: Chosen, decoupling: Decoupling
) -> float:
    """Of one core, for a step of the filter with one structure, about."""
    networks, p = networks_of(settings, chosen), n_parameters(settings, chosen)
    frames = chosen.frames[: chosen.n_train]
    known = [frame.forces.size for frame in frames if frame.forces is not None]
    mean = sum(known) / len(known) if known else 0
    rows: float = 1 + min(mean, settings.optimizer.kalman.candidates or mean)
    if learns_stress(settings):
        rows += 6 * sum(frame.stress is not None for frame in frames) / len(frames)
    own = settings.optimizer.kalman.resolved(learns_coefficients(settings))
    drawn = PENALISED if own.penalty or settings.loss.l2 else 0  # rows without pairs of atoms
    step = _STEP
    if learns_coefficients(settings):
        atoms = sum(map(len, frames)) / len(frames)
        neighbors = mean_neighbors(chosen, images=True)
        step += _LEARNED + (_PER_PAIR * atoms + _PER_ROW * rows) * neighbors
    if decoupling is Decoupling.NODE:
        return step + _PER_WEIGHT * (rows + drawn) * p
    return step + _PER_NUMBER * (rows + drawn) * numbers_of(
        parameter_blocks(networks, p, decoupling)
    )


def evaluation_seconds(settings: TrainingSettings, chosen: Chosen) -> float:
    """Of one core, for energies and forces of one structure, about."""
    atoms = sum(map(len, chosen.frames)) / len(chosen.frames)
    seconds = _EVALUATION + _PER_ATOM * atoms
    if learns_coefficients(settings):
        seconds += _LEARNED + _PER_PAIR * atoms * mean_neighbors(chosen, images=True)
    return seconds


def n_judged(settings: TrainingSettings, chosen: Chosen) -> int:
    """Structures of both sets that are judged after an epoch."""
    held_out = len(chosen.frames) - chosen.n_train
    return settings.run.judged(chosen.n_train, held_out) + held_out


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


def _adam(
    settings: TrainingSettings, chosen: Chosen, time: float
) -> tuple[TrainingSettings, float]:
    """With as many epochs as the time has; its seconds."""
    default = OptimizerSettings()
    own = settings.optimizer
    gradient = own.gradient
    if gradient == default.gradient:
        gradient = replace(gradient, rate=1e-2, average=0.999)
    atoms = sum(map(len, chosen.frames[: chosen.n_train]))
    batch = own.batch_atoms or (_BATCH_ATOMS if own.batch == default.batch else None)
    # A step costs two evaluations, and structures are judged after each epoch.
    each = evaluation_seconds(settings, chosen)
    epoch = each * (2 * chosen.n_train + n_judged(settings, chosen))
    most = max(1, int(time / epoch))
    epochs = _clipped(_STEPS * _BATCH_ATOMS / max(atoms, 1), _FEWEST_EPOCHS, _MOST_EPOCHS)
    epochs = settings.run.epochs or min(epochs, most)
    schedule = settings.schedule
    if schedule == ScheduleSettings():
        schedule = ScheduleSettings(
            ScheduleKind.COSINE, final=1e-3, warmup=int(epochs >= 10), by_step=True
        )
    made = replace(
        settings,
        optimizer=replace(own, kind="adam", gradient=gradient, batch_atoms=batch),
        schedule=schedule,
        run=replace(settings.run, epochs=epochs),
    )
    return made, epochs * epoch


def _count(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _clipped(count: float, fewest: int, most: int) -> int:
    return min(max(round(count), fewest), most)


def _minutes(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
