"""What stays fixed during a fit, and predictions for given parameters θ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.potential import ElementModel, Potential
from nnp.train.fit.network import AtomicNetwork, Trace, to_network
from nnp.train.inputs.features import FeatureMaker, Sample
from nnp.train.inputs.transform import folded


@dataclass(frozen=True, eq=False)
class Prediction:
    """Energies and derivatives of one structure.

    Attributes:
        energy: eV, reference energies included.
        forces: (n, 3) eV/Å; None when not asked for.
        stress: (6,) eV/Å³; None when not asked for.
    """

    energy: Tensor
    forces: Tensor | None = None
    stress: Tensor | None = None


@dataclass(frozen=True, eq=False)
class TrainingModel:
    """Functions, scaling, architecture and reference energies; θ is passed to every method.

    Attributes:
        networks: per element.
        maker: of the samples.
        template: the potential whose networks are to be replaced.
    """

    networks: tuple[AtomicNetwork, ...]
    maker: FeatureMaker
    template: Potential

    @property
    def n_parameters(self) -> int:
        """Length of θ."""
        return sum(network.n_parameters for network in self.networks)

    @property
    def inputs(self) -> NDArray[np.float64]:
        """How inputs are made of functions, all elements' numbers: with others θ means nothing."""
        transforms = self.maker.transforms
        return np.concatenate([part.ravel() for t in transforms for part in (t.origin, t.matrix)])

    def weight_mask(self) -> Tensor:
        """1 where θ holds a weight, 0 where it holds a bias."""
        mask = torch.ones(self.n_parameters, dtype=self.maker.dtype)
        for network in self.networks:
            for bias in network.unpack(mask)[1]:
                bias.zero_()
        return mask

    def potential(self, theta: Tensor) -> Potential:
        """The finished potential."""
        models: list[ElementModel] = []
        for network, transform, model in zip(
            self.networks, self.maker.transforms, self.template.models, strict=True
        ):
            trained = to_network(network, theta)
            models.append(replace(model, network=folded(trained, transform, model.scaling)))
        return replace(self.template, models=tuple(models))

    def traces(self, theta: Tensor, samples: Sequence[Sample]) -> list[Trace]:
        """One trace per element, over the atoms of all samples one after the other."""
        return [
            network.trace(theta, torch.cat([sample.inputs[e] for sample in samples]))
            for e, network in enumerate(self.networks)
        ]

    def predict(
        self, theta: Tensor, samples: Sequence[Sample], forces: bool = True
    ) -> list[Prediction]:
        """Energies, and on request forces and (where a sample has strains) stresses."""
        return self.predict_from(self.traces(theta, samples), samples, forces)

    def predict_from(
        self, traces: Sequence[Trace], samples: Sequence[Sample], forces: bool = True
    ) -> list[Prediction]:
        """As `predict`, from traces that are there already."""
        found = []
        starts = [0] * len(traces)
        for sample in samples:
            ends = [a + len(x) for a, x in zip(starts, sample.inputs, strict=True)]
            spans = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
            starts = ends
            parts = [t.energies[s].sum() for t, s in zip(traces, spans, strict=True)]
            energy = torch.stack(parts).sum() + self._offset(sample)
            gradients = [t.gradient[s] for t, s in zip(traces, spans, strict=True)]
            force = self.maker.forces(sample, gradients) if forces else None
            strains = sample.strain
            stress = None if strains is None else stress_of(sample, strains, gradients)
            found.append(Prediction(energy, force, stress))
        return found

    def _offset(self, sample: Sample) -> float:
        models = zip(self.template.models, sample.place.atoms, strict=True)
        return sum(model.energy_offset * len(atoms) for model, atoms in models)


def stress_of(sample: Sample, strains: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """(6,) (1/V) dE/dε from dx/dε (6, n_e, inputs) and dE/dx (n_e, inputs) per element."""
    pairs = zip(strains, gradients, strict=True)
    virial = torch.stack([torch.einsum("vns,ns->v", s, g) for s, g in pairs]).sum(0)
    return virial / sample.frame.structure.volume
