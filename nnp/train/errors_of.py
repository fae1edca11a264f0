"""Errors of a model over samples, in the units people compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from nnp.metrics import ErrorStatistics
from nnp.train.features import Sample
from nnp.train.objective import Objective, prediction_error


@dataclass
class SetErrors:
    """Errors over one set of structures.

    Attributes:
        loss: as minimised.
        energy: eV/atom.
        forces: eV/Å.
        stress: eV/Å³.
    """

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
        }


def set_errors(objective: Objective, theta: Tensor, samples: Sequence[Sample]) -> SetErrors:
    """Errors over the samples of all processes, structure by structure."""
    found = SetErrors()
    counts = objective.counts(samples)
    for sample in samples:
        forces = sample.frame.forces is not None
        (prediction,) = objective.model.predict(theta, [sample], forces)
        found.loss += float(objective.share(sample, prediction, counts))
        for name in ("energy", "forces", "stress"):
            error = prediction_error(sample, prediction, name)
            if error is not None:
                getattr(found, name).add(error.cpu().numpy())
    return _merged(objective.ranks.gather(found))


def _merged(parts: Sequence[SetErrors]) -> SetErrors:
    whole, *others = parts
    for part in others:
        whole.loss += part.loss
        for name in ("energy", "forces", "stress"):
            getattr(whole, name).merge(getattr(part, name))
    return whole
