"""The loss of a batch with its gradient, and its residuals with their Jacobian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.train.fit.loss import LossSettings
from nnp.train.fit.machine import Ranks
from nnp.train.fit.model import Prediction, TrainingModel, stress_of
from nnp.train.fit.network import Trace
from nnp.train.fit.samples import chunks, labelled
from nnp.train.inputs.features import Sample

# Atoms whose traces are held at once: some 10 kB each with 100 inputs.
_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class Residuals:
    """Weighted residuals r (reference minus prediction) with the loss Σ r² of these labels.

    Attributes:
        values: (m,) r.
        jacobian: (m, p) derivative of the weighted predictions by θ, −dr/dθ.
        size: (m,) |r| in eV/atom, eV/Å or eV/Å³, unweighted.
    """

    values: Tensor
    jacobian: Tensor
    size: Tensor


@dataclass(frozen=True, eq=False)
class Counts:
    """Labels of each kind that a mean runs over."""

    energy: int
    forces: int
    stress: int


@dataclass(eq=False)
class Objective:
    """What an optimiser minimises.

    Batches are this process' share of them; values, gradients and counts are those of all.

    Attributes:
        model: predicts.
        loss: weights and shape; may change between epochs.
        ranks: the processes that share the batches.
    """

    model: TrainingModel
    loss: LossSettings
    ranks: Ranks = field(default_factory=Ranks)
    _mask: Tensor | None = field(default=None, repr=False)

    def value(self, theta: Tensor, batch: Sequence[Sample]) -> float:
        """L."""
        counts = self.counts(batch)
        total = theta.new_zeros((), dtype=torch.float64)
        for part in chunks(batch, _AT_ONCE):
            predictions = self.model.predict(theta, part, forces=self._forces(part))
            total += self._value(theta, part, predictions, counts)
        self.ranks.add(total)
        return float(total + self.penalty(theta)[0])

    def value_and_gradient(self, theta: Tensor, batch: Sequence[Sample]) -> tuple[float, Tensor]:
        """L and dL/dθ."""
        counts = self.counts(batch)
        gradient = torch.zeros_like(theta)
        total = theta.new_zeros((), dtype=torch.float64)
        for part in chunks(batch, _AT_ONCE):
            total += self._own_gradient(theta, part, counts, gradient)
        self.ranks.add(total, gradient)
        penalty, diagonal = self.penalty(theta)
        return float(total + penalty), gradient.add_(2 * diagonal * theta)

    def _own_gradient(
        self, theta: Tensor, batch: Sequence[Sample], total: Counts, gradient: Tensor
    ) -> Tensor:
        """Add a part of dL/dθ to ``gradient``; that part of L."""
        traces = self.model.traces(theta, batch)
        predictions = self.model.predict_from(traces, batch, self._forces(batch))
        energies: list[list[Tensor]] = [[] for _ in traces]
        tangents: list[list[Tensor]] = [[] for _ in traces]
        for sample, prediction in zip(batch, predictions, strict=True):
            slope = self._energy_slope(sample, prediction, total)
            directions = self._directions(sample, prediction, total)
            for e, direction in enumerate(directions):
                energies[e].append(slope.expand(len(direction)))
                tangents[e].append(direction)
        for e, (network, trace) in enumerate(zip(self.model.networks, traces, strict=True)):
            gradient[network.span] += network.parameter_gradient(
                trace, torch.cat(energies[e]), torch.cat(tangents[e])
            )
        return self._value(theta, batch, predictions, total)

    def residuals(
        self,
        theta: Tensor,
        sample: Sample,
        counts: Counts,
        components: NDArray[np.int64] | None = None,
        traces: Sequence[Trace] | None = None,
    ) -> Residuals:
        """Weighted residuals of one structure.

        Args:
            theta: the parameters.
            sample: the structure.
            counts: what the means run over.
            components: force components 3 a + c; all when None.
            traces: of this structure alone with these parameters, if they are there already.
        """
        traces = self.model.traces(theta, [sample]) if traces is None else traces
        parts = [
            self._energy_rows(sample, traces, counts),
            self._force_rows(sample, traces, counts, components),
            self._stress_rows(sample, traces, counts),
        ]
        known = [part for part in parts if part is not None]
        if not known:
            empty = theta.new_zeros(0)
            return Residuals(empty, theta.new_zeros((0, len(theta))), empty)
        error = torch.cat([part[0] for part in known])
        scale = torch.cat([part[0].new_full((len(part[0]),), part[2]) for part in known])
        scale = scale * self.loss.reweight(error)
        rows = torch.cat([part[1] for part in known])
        return Residuals(scale * error, scale[:, None] * rows, error.abs())

    def counts(self, batch: Sequence[Sample]) -> Counts:
        """Labels in a batch, over all processes, as far as the loss has a weight for them."""
        energy = forces = stress = 0
        for frame, strained in labelled(batch):
            energy += frame.energy is not None
            forces += 0 if frame.forces is None else frame.forces.size
            stress += 6 * strained
        return self.total(Counts(energy, forces, stress))

    def total(self, counts: Counts) -> Counts:
        """Counts summed over all processes."""
        if self.ranks.size == 1:
            return counts
        numbers = self.model.maker.index(np.array([counts.energy, counts.forces, counts.stress]))
        self.ranks.add(numbers)
        return Counts(*numbers.tolist())

    def penalty(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """() l2 Σ W² and the diagonal l2 of its Gauss-Newton matrix, 0 for biases."""
        if self._mask is None:
            self._mask = self.model.weight_mask().to(theta)
        diagonal = self.loss.l2 * self._mask
        return (diagonal * theta**2).sum(), diagonal

    @cached_property
    def weights(self) -> NDArray[np.int64]:
        """Where θ holds weights that a penalty is of."""
        return np.flatnonzero(self.model.weight_mask().cpu().numpy())

    def _forces(self, batch: Sequence[Sample]) -> bool:
        return self.loss.forces > 0 and any(s.frame.forces is not None for s in batch)

    def share(self, sample: Sample, prediction: Prediction, counts: Counts) -> Tensor:
        """() What one structure adds to the loss when means run over ``counts`` labels."""
        value = prediction.energy.new_zeros((), dtype=torch.float64)
        for name, count, weight in self._terms(counts):
            error = prediction_error(sample, prediction, name)
            if error is not None and weight > 0:
                scale = weight / count * sample.frame.weight
                value = value + scale * self.loss.rho(error).sum(dtype=torch.float64)
        return value

    def _value(
        self,
        theta: Tensor,
        batch: Sequence[Sample],
        predictions: Sequence[Prediction],
        counts: Counts,
    ) -> Tensor:
        value = theta.new_zeros((), dtype=torch.float64)
        for sample, prediction in zip(batch, predictions, strict=True):
            value += self.share(sample, prediction, counts)
        return value

    def _terms(self, total: Counts) -> list[tuple[str, int, float]]:
        return [
            ("energy", max(total.energy, 1), self.loss.energy),
            ("forces", max(total.forces, 1), self.loss.forces),
            ("stress", max(total.stress, 1), self.loss.stress),
        ]

    def _energy_slope(self, sample: Sample, prediction: Prediction, total: Counts) -> Tensor:
        error = prediction_error(sample, prediction, "energy")
        if error is None:
            return torch.zeros_like(prediction.energy)
        factor = self.loss.energy * sample.frame.weight / (max(total.energy, 1) * len(sample.frame))
        return factor * self.loss.slope(error)

    def _directions(self, sample: Sample, prediction: Prediction, total: Counts) -> list[Tensor]:
        """The t of `parameter_gradient`: dL/dg of every atom, per element."""
        found = [torch.zeros_like(x) for x in sample.inputs]
        weight = sample.frame.weight
        error = prediction_error(sample, prediction, "forces")
        if error is not None and self.loss.forces > 0:
            slope = self.loss.forces * weight / total.forces * self.loss.slope(error)
            found = self.model.maker.tangents(sample, -slope)
        error = prediction_error(sample, prediction, "stress")
        if error is not None and sample.strain is not None and self.loss.stress > 0:
            slope = self.loss.stress * weight / total.stress * self.loss.slope(error)
            slope = slope / sample.frame.structure.volume
            found = [
                f + torch.einsum("v,vns->ns", slope, s)
                for f, s in zip(found, sample.strain, strict=True)
            ]
        return found

    def _energy_rows(
        self, sample: Sample, traces: Sequence[Trace], counts: Counts
    ) -> tuple[Tensor, Tensor, float] | None:
        if sample.frame.energy is None or self.loss.energy == 0:
            return None
        (prediction,) = self.model.predict_from(traces, [sample], forces=False)
        error = prediction_error(sample, prediction, "energy")
        pairs = zip(self.model.networks, traces, strict=True)
        row = torch.cat([network.energy_row(trace) for network, trace in pairs])
        scale = (self.loss.energy * sample.frame.weight / max(counts.energy, 1)) ** 0.5
        return -error.reshape(1), row[None] / len(sample.frame), scale  # type: ignore[union-attr]

    def _force_rows(
        self,
        sample: Sample,
        traces: Sequence[Trace],
        counts: Counts,
        components: NDArray[np.int64] | None,
    ) -> tuple[Tensor, Tensor, float] | None:
        if sample.labels.forces is None or self.loss.forces == 0:
            return None
        reference = sample.labels.forces.reshape(-1)
        if components is None:
            components = np.arange(len(reference))
        prediction = reference.new_zeros(len(components))
        rows = []
        columns = self.model.maker.columns(sample, components)
        for network, trace, column in zip(self.model.networks, traces, columns, strict=True):
            prediction -= column.dot(trace.gradient)
            rows.append(-network.tangent_rows(trace, column.centers, column.values))
        scale = (self.loss.forces * sample.frame.weight / max(counts.forces, 1)) ** 0.5
        error = reference[self.model.maker.index(components)] - prediction
        return error, torch.cat(rows, 1), scale

    def _stress_rows(
        self, sample: Sample, traces: Sequence[Trace], counts: Counts
    ) -> tuple[Tensor, Tensor, float] | None:
        reference, strains = sample.labels.stress, sample.strain
        if reference is None or strains is None or self.loss.stress == 0:
            return None
        volume = sample.frame.structure.volume
        rows = []
        for network, trace, strain in zip(self.model.networks, traces, strains, strict=True):
            atoms = torch.arange(strain.shape[1], device=strain.device).expand(6, -1)
            rows.append(network.tangent_rows(trace, atoms, strain) / volume)
        gradients = [trace.gradient for trace in traces]
        error = reference - stress_of(sample, strains, gradients)
        scale = (self.loss.stress * sample.frame.weight / max(counts.stress, 1)) ** 0.5
        return error, torch.cat(rows, 1), scale


def prediction_error(sample: Sample, prediction: Prediction, name: str) -> Tensor | None:
    """Prediction minus reference of ``"energy"`` (per atom), ``"forces"`` or ``"stress"``."""
    value, reference = getattr(prediction, name), getattr(sample.labels, name)
    if value is None or reference is None:
        return None
    error: Tensor = value - reference
    return error / len(sample.frame) if name == "energy" else error
