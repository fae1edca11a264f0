"""What is seen of a run: errors over samples, and the log of them.

The log is one CSV line per evaluated epoch, and TensorBoard events on request.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from nnp.errors import UnavailableError
from nnp.io.files import replacing
from nnp.metrics import ErrorStatistics
from nnp.train.fit.objective import Objective, prediction_error
from nnp.train.fit.samples import chunks
from nnp.train.inputs.features import Sample

_AT_ONCE = 512  # atoms whose networks are evaluated together


@dataclass
class SetErrors:
    """Errors over one set of structures.

    Attributes:
        structures: how many.
        loss: as minimised.
        energy: eV/atom.
        forces: eV/Å.
        stress: eV/Å³.
    """

    structures: int = 0
    loss: float = 0.0
    energy: ErrorStatistics = field(default_factory=ErrorStatistics)
    forces: ErrorStatistics = field(default_factory=ErrorStatistics)
    stress: ErrorStatistics = field(default_factory=ErrorStatistics)

    def row(self, prefix: str) -> dict[str, float]:
        """Numbers of one log line; meV/atom, eV/Å, eV/Å³."""
        return {
            f"{prefix}_loss": self.loss,
            f"{prefix}_energy_mae_mev": 1e3 * self.energy.mae,
            f"{prefix}_energy_rmse_mev": 1e3 * self.energy.rmse,
            f"{prefix}_force_mae": self.forces.mae,
            f"{prefix}_force_rmse": self.forces.rmse,
            f"{prefix}_stress_rmse": self.stress.rmse,
            f"{prefix}_structures": float(self.structures),
        }


def set_errors(objective: Objective, theta: Tensor, samples: Sequence[Sample]) -> SetErrors:
    """Errors over the samples of all processes."""
    found = SetErrors(len(samples))
    counts = objective.counts(samples)
    for part in chunks(samples, _AT_ONCE):
        traces = objective.model.traces(theta, part)
        forces = any(sample.frame.forces is not None for sample in part)
        predictions = objective.model.predict_from(traces, part, forces)
        for sample, prediction in zip(part, predictions, strict=True):
            found.loss += float(objective.share(sample, prediction, counts))
            for name in ("energy", "forces", "stress"):
                error = prediction_error(sample, prediction, name)
                if error is not None:
                    getattr(found, name).add(error.cpu().numpy())
    return _merged(objective.ranks.gather(found))


def _merged(parts: Sequence[SetErrors]) -> SetErrors:
    whole, *others = parts
    for part in others:
        whole.structures += part.structures
        whole.loss += part.loss
        for name in ("energy", "forces", "stress"):
            getattr(whole, name).merge(getattr(part, name))
    return whole


class TrainingLog:
    """Rows of numbers with the same keys.

    Args:
        folder: gets ``log.csv``, and ``tensorboard/`` on request.
        tensorboard: whether to write events.
        writes: whether there are files at all; else rows are only kept.

    Raises:
        UnavailableError: tensorboard is asked for and not installed.
    """

    def __init__(self, folder: Path, tensorboard: bool = False, writes: bool = True) -> None:
        self._path = folder / "log.csv" if writes else None
        self._writer = _event_writer(folder / "tensorboard") if tensorboard and writes else None
        self.rows: list[dict[str, float]] = []

    def restore(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Continue after these rows; later ones of an interrupted run are dropped."""
        self.rows = [dict(row) for row in rows]

    def add(self, row: Mapping[str, float]) -> None:
        """Append one row; the file is complete after every call."""
        self.rows.append(dict(row))
        if self._path is None:
            return
        with replacing(self._path, force=True) as scratch, scratch.open("w", newline="") as file:
            # Rows of a run that an earlier version began have fewer columns.
            names = dict.fromkeys(name for row in self.rows for name in row)
            writer = csv.DictWriter(file, fieldnames=list(names), restval="nan")
            writer.writeheader()
            writer.writerows({k: f"{v:.9g}" for k, v in row.items()} for row in self.rows)
        if self._writer is not None:
            for name, value in row.items():
                self._writer.add_scalar(name, value, int(row["epoch"]))
            self._writer.flush()


def _event_writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UnavailableError(
            "tensorboard = true needs the package: pip install tensorboard, or leave it out"
        ) from None
    return SummaryWriter(str(folder))  # type: ignore[no-untyped-call]
