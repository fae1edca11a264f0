"""The loop: epochs, evaluation, best model, checkpoints, early stop, what happens on NaN."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nnp.elements import atomic_number
from nnp.errors import FileFormatError, NumericalError, OptionError
from nnp.interrupt import Interruptible
from nnp.potential import UNDETERMINED, Potential
from nnp.train.data.findings import Finding
from nnp.train.fit.batches import batches, steps_of_epoch
from nnp.train.fit.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from nnp.train.fit.identity import fingerprint, particulars, portable
from nnp.train.fit.log import SetErrors, TrainingLog, set_errors
from nnp.train.fit.objective import Objective
from nnp.train.fit.progress import Progress
from nnp.train.fit.samples import Samples
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.stages import Stages
from nnp.train.fit.task import Task
from nnp.train.inputs.features import Sample

CHECKPOINT, BEST, LAST = "checkpoint.npz", "best.nnp", "last.nnp"
KEPT = "epoch_{:05d}.nnp"
EVERY_KEPT = "epoch_[0-9]*.nnp"
INTERRUPTED, OUT_OF_TIME, ON_TARGET = "interrupted", "out of time", "on target"


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """Result of a run.

    Attributes:
        potential: the model with the smallest validation loss (or training loss without a
            validation set).
        last: the model of the last epoch, or of the last step if the fit was stopped.
        best_epoch: epoch of ``potential``, from 1; 0: before an epoch was evaluated.
        rows: the log.
        findings: of the checks of the data.
        stopped: ``INTERRUPTED`` (Ctrl-C), ``OUT_OF_TIME`` (``run.max_time``), ``ON_TARGET``
            (``run.target``) or empty.
    """

    potential: Potential
    last: Potential
    best_epoch: int
    rows: list[dict[str, float]] = field(repr=False)
    findings: list[Finding] = field(repr=False)
    stopped: str = ""


class Trainer:
    """Fits one network set to one task.

    Args:
        settings: all of them.
        task: data and model.
        quiet: whether to hide the progress bar.
    """

    def __init__(self, settings: TrainingSettings, task: Task, quiet: bool = False) -> None:
        self._settings, self._task = settings, task
        self._quiet = quiet or not task.ranks.writes
        self._folder = Path(settings.run.output)
        self._objective = Objective(task.model, settings.loss, task.ranks)
        self._atoms = np.array([len(frame) for frame in task.frames[: task.n_train]])
        self._steps = steps_of_epoch(settings.optimizer, self._atoms)
        self._judged_part = _judged_part(settings, task)
        self._stages = Stages(settings, task, self._steps)
        self._theta = task.theta.clone()
        self._still = _still(task)
        self._best = (np.inf, 0, self._theta)  # loss, epoch, θ
        self._epoch = 0
        self._start = time.monotonic()
        self._stopped = ""
        self._fingerprint = fingerprint(settings, task)
        self._about = particulars(settings, task)

    def run(self, resume: bool = False) -> TrainingResult:
        """Train, writing models, log and checkpoints into the output folder (rank 0 does).

        Ctrl-C, SIGTERM and ``max_time`` stop it after a step: best.nnp and last.nnp are written,
        and ``resume`` continues from the last checkpoint.

        Args:
            resume: whether to continue from the folder's checkpoint.

        Raises:
            NumericalError: the loss is not finite any more; best and last good model are kept.
            OptionError: the checkpoint belongs to other settings or data.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        log = TrainingLog(
            self._folder, self._settings.run.tensorboard, writes=self._task.ranks.writes
        )
        if resume:
            self._restore(log)
        run, self._start = self._settings.run, time.monotonic()
        progress = Progress(run.passes, self._epoch, self._steps, not self._quiet)
        with Interruptible() as interrupt:
            while self._epoch < run.passes and not self._out_of_patience() and not self._stopped:
                self._one_epoch(log, progress, interrupt)
        progress.close()
        return self._finish(log)

    def _one_epoch(self, log: TrainingLog, progress: Progress, interrupt: Interruptible) -> None:
        run = self._settings.run
        theta, last = self._theta, self._epoch + 1 == run.passes
        theta = self._stages.begin(self._epoch, theta)
        factor = 1.0
        for step, batch in enumerate(self._batches()):
            if self._must_stop(interrupt):
                self._theta = theta
                return
            factor = self._set_rate(step)
            theta = self._stages.optimizer.step(theta, self._objective, batch)
            if self._still is not None:
                theta = torch.where(self._still, self._task.theta, theta)
            if not bool(torch.isfinite(theta).all()):
                self._diverged(log, "a step made the weights infinite or NaN")
            progress.step()
        progress.epoch_done(self._epoch)
        if (self._epoch + 1) % run.evaluate_every == 0 or last:
            progress.epoch(self._evaluated(theta, log, factor))
        self._theta = theta
        self._epoch += 1
        if self._epoch % run.checkpoint_every == 0 or last:
            self._save(log)
        if run.keep_every and self._epoch % run.keep_every == 0 and self._task.ranks.writes:
            kept = self._potential(self._judged(theta), self._epoch)
            kept.save(self._folder / KEPT.format(self._epoch), force=True)

    def _set_rate(self, step: int) -> float:
        """Learning rate and loss of a step; the rate's factor."""
        schedule, epochs = self._settings.schedule, self._settings.run.passes
        if not schedule.by_step:
            factor = schedule.at(self._epoch, epochs)
        else:
            factor = schedule.at_step(self._epoch * self._steps + step, self._steps, epochs)
        self._stages.optimizer.set_rate(factor)
        self._objective.loss = self._settings.loss.at(factor)
        return factor

    def _must_stop(self, interrupt: Interruptible) -> bool:
        """Whether it was asked for, or time is up; the same in all processes."""
        limit = self._settings.run.max_time
        late = limit is not None and time.monotonic() - self._start > limit
        flags = torch.tensor([interrupt.requested, late], dtype=torch.float64)
        self._task.ranks.add(flags)
        interrupted, out_of_time = flags.tolist()
        if interrupted or out_of_time:
            self._stopped = INTERRUPTED if interrupted else OUT_OF_TIME
        return bool(self._stopped)

    def _batches(self) -> Iterator[Sequence[Sample]]:
        """This process' share of each batch; it may be empty."""
        if self._stages.optimizer.full_batch:
            yield self._task.train
            return
        rng = np.random.default_rng((self._settings.run.seed, 2, self._epoch))
        order = rng.permutation(self._task.n_train).tolist()
        for numbers in batches(order, self._atoms, self._settings.optimizer):
            yield self._task.train.of(numbers)

    def _evaluated(self, theta: Tensor, log: TrainingLog, factor: float) -> dict[str, float]:
        # with the same weights in every epoch, so that losses compare
        theta = self._judged(theta)
        reference = Objective(self._task.model, self._settings.loss, self._task.ranks)
        train = set_errors(reference, theta, self._judged_part)
        held_out = set_errors(reference, theta, self._task.validation)
        judged = held_out if len(self._task.frames) > self._task.n_train else train
        if not np.isfinite(train.loss + judged.loss):
            self._diverged(log, "the loss is not finite")
        if judged.loss < self._best[0]:
            self._best = (judged.loss, self._epoch + 1, theta.clone())
        if self._settings.run.target.given and self._on_target(judged):
            self._stopped = ON_TARGET
        seconds = time.monotonic() - self._start
        row = _row(self._epoch + 1, seconds, factor, train, held_out)
        log.add(row)
        return row

    def _on_target(self, judged: SetErrors) -> bool:
        """Whether every error that has a target is known and as small."""
        found = {"energy": judged.energy, "forces": judged.forces}
        return all(
            found[name].count > 0 and found[name].rmse <= target
            for name, target in self._settings.run.target.given.items()
        )

    def _diverged(self, log: TrainingLog, what: str) -> None:
        """Save what was good, and say what to change."""
        self._finish(log)
        kind, dtype = self._settings.optimizer.kind, self._settings.run.dtype
        exact = ", or run.dtype = 'float64'" if dtype == "float32" else ""
        raise NumericalError(
            f"epoch {self._epoch + 1}: {what}; the models of the last good epochs are kept in "
            f"{self._folder}. Change: {_ADVICE[kind]}{exact}"
        )

    def _out_of_patience(self) -> bool:
        patience = self._settings.run.patience
        return patience is not None and self._epoch - self._best[1] >= patience

    def _save(self, log: TrainingLog) -> None:
        loss, epoch, best = self._best
        state = self._stages.state()
        checkpoint = Checkpoint(
            self._epoch,
            self._theta,
            best,
            float(loss),
            epoch,
            state,
            self._fingerprint,
            log.rows,
            self._task.model.inputs,
            self._about,
        )
        if self._task.ranks.writes:
            write_checkpoint(checkpoint, self._folder / CHECKPOINT)
        self._write_models()

    def _restore(self, log: TrainingLog) -> None:
        found = read_checkpoint(self._folder / CHECKPOINT, self._fingerprint, self._about)
        inputs, device = self._task.model.inputs, self._theta.device
        if found.inputs is not None and not np.allclose(found.inputs, inputs, rtol=1e-6):
            raise OptionError(
                f"{self._folder / CHECKPOINT} was written on a machine whose functions "
                "round differently, so that inputs are decorrelated along other directions: resume "
                "on a machine like that one, or start afresh without --resume"
            )
        if found.theta.shape != self._theta.shape or not bool(torch.isfinite(found.theta).all()):
            raise FileFormatError(
                f"{self._folder / CHECKPOINT} is damaged: its weights have shape "
                f"{tuple(found.theta.shape)}, or not finite: start afresh with --force"
            )
        epochs = self._task.ranks.gather(found.epoch)
        if len(set(epochs)) > 1:
            raise FileFormatError(
                f"{self._folder / CHECKPOINT}: processes read it after epochs "
                f"{', '.join(map(str, sorted(set(epochs))))}: give them one folder that all see, "
                "and resume when its files are the same everywhere"
            )
        self._epoch, self._theta = found.epoch, found.theta.to(device)
        self._best = (found.best_loss, found.best_epoch, found.best_theta.to(device))
        try:
            self._stages.restore(found.optimizer)
        except (LookupError, ValueError, TypeError, RuntimeError) as error:
            raise FileFormatError(
                f"{self._folder / CHECKPOINT} is damaged: its optimiser's state does not fit "
                f"({error}): start afresh with --force"
            ) from None
        log.restore(found.rows)

    def _finish(self, log: TrainingLog) -> TrainingResult:
        potential, last = self._write_models()
        self._task.ranks.wait()
        return TrainingResult(
            potential, last, self._best[1], log.rows, self._task.findings, self._stopped
        )

    def _judged(self, theta: Tensor) -> Tensor:
        """What errors and models are of."""
        judged = self._stages.optimizer.judged(theta)
        return judged if self._still is None else torch.where(self._still, theta, judged)

    def _write_models(self) -> tuple[Potential, Potential]:
        """Best and last; a kill leaves those of the last checkpoint."""
        _, epoch, best = self._best
        now = self._judged(self._theta)
        if not epoch:  # nothing has been evaluated
            best = now
        potential, last = self._potential(best, epoch), self._potential(now, self._epoch)
        if self._task.ranks.writes:
            potential.save(self._folder / BEST, force=True)
            last.save(self._folder / LAST, force=True)
        return potential, last

    def _potential(self, theta: Tensor, epoch: int) -> Potential:
        provenance: dict[str, object] = {
            "program": "nnp train",
            "epoch": epoch,
            "settings": portable(self._settings),
            "structures": self._task.n_train,
        }
        if self._task.undetermined:
            provenance[UNDETERMINED] = list(self._task.undetermined)
        return replace(self._task.model.potential(theta), provenance=provenance)


def _judged_part(settings: TrainingSettings, task: Task) -> Samples:
    """Structures of the training set whose errors are logged: the same ones after every epoch."""
    n = task.n_train
    count = settings.run.judged(n, len(task.frames) - n)
    if count == n:
        return task.train
    drawn = np.random.default_rng((settings.run.seed, 3)).permutation(n)[:count]
    return task.train.part(sorted(drawn.tolist()))


def _still(task: Task) -> Tensor | None:
    """Which weights belong to elements that the data lack: nothing moves them, decay neither."""
    known = {z for frame in task.frames[: task.n_train] for z in frame.structure.atomic_numbers}
    still = torch.zeros_like(task.theta, dtype=torch.bool)
    for network, model in zip(task.model.networks, task.model.template.models, strict=True):
        still[network.span] = atomic_number(model.symbol) not in known
    return still if bool(still.any()) else None


_ADVICE = {
    "kalman": "a larger [optimizer.kalman] noise or a smaller covariance",
    "levenberg_marquardt": "a larger [optimizer.levenberg_marquardt] damping",
    "lbfgs": "fewer [optimizer.lbfgs] iterations per epoch, or some loss l2",
} | dict.fromkeys(
    ("adam", "adamw", "sgd", "rmsprop"), "a smaller [optimizer.gradient] rate, or a clip"
)


def _row(
    epoch: int, seconds: float, factor: float, train: SetErrors, held_out: SetErrors
) -> dict[str, float]:
    row = {"epoch": float(epoch), "seconds": seconds, "rate_factor": factor}
    row |= train.row("train")
    if held_out.energy.count or held_out.forces.count or held_out.stress.count:
        row |= held_out.row("valid")
    return row
