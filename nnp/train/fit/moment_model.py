"""A fit that learns the coefficients of radial series with its networks.

Parameters of c are so scaled that one of size 1 changes its moment as much as ``_RANGE`` of what
the moment itself is over the data: the filter's first covariance, which is the same for all
parameters, then trusts c more than weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.functions import MomentFunction, RadialSeries, SymmetryFunction
from nnp.potential import Potential
from nnp.structure import Structure
from nnp.train.fit.invariants import Invariants
from nnp.train.fit.model import TrainingModel
from nnp.train.fit.moment_network import Contraction, MomentNetwork
from nnp.train.fit.network import AtomicNetwork, to_network
from nnp.train.inputs.moment_features import MomentMaker
from nnp.train.inputs.moments import spread_out
from nnp.train.inputs.products import DescriptorProducts
from nnp.train.inputs.statistics import spread_of_all
from nnp.train.inputs.transform import InputSettings, InputTransform, folded, scaling_of
from nnp.train.inputs.uncontracted import Block, UncontractedProducts

# Of a moment's size, that its coefficient changes with a parameter of 1.
_RANGE = 0.1
# Structures whose moments are looked at for it, and of each element so many.
_LOOKED_AT, _OF_EACH = 16, 8


@dataclass(frozen=True, eq=False)
class MomentModel(TrainingModel):
    """A model whose networks are `MomentNetwork`.

    Attributes:
        structures: of the training set, over which the finished functions are scaled.
        settings: how.
        threads: of the engine that evaluates them.
    """

    structures: tuple[Structure, ...]
    settings: InputSettings
    threads: int

    @property
    def inputs(self) -> NDArray[np.float64]:
        """See `TrainingModel.inputs`; the coefficients at the start belong to it."""
        first = [c.first.cpu().numpy().ravel() for n in self._networks for c in n.contractions]
        return np.concatenate([super().inputs, *first])

    def weight_mask(self) -> Tensor:
        """See `TrainingModel.weight_mask`: no coefficient is a weight."""
        mask = super().weight_mask()
        for network in self._networks:
            mask[network.learned] = 0
        return mask

    def potential(self, theta: Tensor) -> Potential:
        """The finished potential, with what was learned in the radial series."""
        found = {}
        for network, model in zip(self._networks, self.template.models, strict=True):
            found[model.symbol] = learned_functions(network, theta, model.functions)
        orders = {s: sorted(range(len(f)), key=lambda i: f[i].order) for s, f in found.items()}
        functions = {s: tuple(f[i] for i in orders[s]) for s, f in found.items()}
        spreads = spread_of_all(DescriptorProducts(functions, self.threads), self.structures)
        models = []
        for network, model, transform in zip(
            self._networks, self.template.models, self.maker.transforms, strict=True
        ):
            scaling = scaling_of(spreads[model.symbol], self.settings)
            order = orders[model.symbol]
            turned = InputTransform(transform.origin[order], transform.matrix[order])
            trained = folded(to_network(network, theta), turned, scaling)
            own_functions = functions[model.symbol]
            models.append(replace(model, functions=own_functions, scaling=scaling, network=trained))
        return replace(self.template, models=tuple(models))

    @property
    def _networks(self) -> list[MomentNetwork]:
        return [network for network in self.networks if isinstance(network, MomentNetwork)]


def learned_functions(
    network: MomentNetwork, theta: Tensor, functions: Sequence[SymmetryFunction]
) -> list[SymmetryFunction]:
    """An element's functions with the coefficients in θ, in the order given."""
    found = list(functions)
    for contraction, c in zip(network.contractions, network.coefficients(theta), strict=True):
        if contraction.scale is None:
            continue
        block = contraction.block
        series = _with_coefficients(block, c.detach().to("cpu", torch.float64).numpy())
        for place in block.functions:
            found[place] = replace(found[place], series=series)  # type: ignore[call-arg]
    return found


def _with_coefficients(block: Block, c: NDArray[np.float64]) -> RadialSeries:
    """The block's series with c (N, elements · terms)."""
    _, elements, terms = block.shape
    by_element = np.moveaxis(c.reshape(len(c), elements, terms), 1, 0)
    seen = [block.elements.index(symbol) for symbol in block.series.neighbors]
    return replace(block.series, coefficients=tuple(by_element[seen].tolist()))


def moment_networks(
    networks: Sequence[AtomicNetwork],
    functions: dict[str, tuple[SymmetryFunction, ...]],
    maker: MomentMaker,
    structures: Sequence[Structure],
) -> list[MomentNetwork]:
    """Networks with coefficients instead of those without, one after the other in θ.

    Coefficients of series that have functions beyond 2-body ones are learned.
    """
    sizes = _mean_squares(maker.moments, structures)
    found: list[MomentNetwork] = []
    for e, (network, own) in enumerate(zip(networks, functions.values(), strict=True)):
        moments = [function for function in own if isinstance(function, MomentFunction)]
        contractions = [
            _contraction(block, moments, size, maker)
            for block, size in zip(maker.moments.blocks[e], sizes[e], strict=True)
        ]
        transform = maker.transforms[e]
        found.append(
            MomentNetwork(
                network.sizes,
                network.activations,
                found[-1].span.stop if found else 0,
                contractions,
                torch.from_numpy(transform.origin).to(maker.device, maker.dtype),
                torch.from_numpy(transform.matrix).to(maker.device, maker.dtype),
            )
        )
    return found


def _contraction(
    block: Block, functions: Sequence[MomentFunction], size: Tensor, maker: MomentMaker
) -> Contraction:
    """With parameters scaled by ⟨Σ_lm B²⟩ (elements · terms,) of the uncontracted moments."""
    first = torch.from_numpy(block.coefficients()).to(maker.device)
    scale = None
    if block.learned:
        own = ((first**2) @ size)[:, None].sqrt()
        scale = torch.where(size > 0, _RANGE * own / size.sqrt().clamp(min=1e-30), 0.0)
        scale = scale.to(maker.dtype)
    return Contraction(
        block,
        Invariants(block, functions, maker.dtype, maker.device),
        maker.index(np.array(block.functions)),
        first.to(maker.dtype),
        scale,
    )


def _mean_squares(
    moments: UncontractedProducts, structures: Sequence[Structure]
) -> list[list[Tensor]]:
    """Per element and block ⟨Σ_lm B²⟩ (elements · terms,), float64."""
    totals = [[torch.zeros(b.shape[1] * b.shape[2]) for b in own] for own in moments.blocks]
    counts = [0] * len(totals)
    totals = [[t.to(moments.device, torch.float64) for t in own] for own in totals]
    for structure in spread_out(structures, moments.elements, _LOOKED_AT, _OF_EACH):
        for e, values in enumerate(moments.descriptors(moments.place(structure))):
            counts[e] += len(values)
            for total, block in zip(totals[e], moments.blocks[e], strict=True):
                total.add_((block.of(values.to(torch.float64)) ** 2).sum((0, 1)))
    return [[t / max(n, 1) for t in own] for own, n in zip(totals, counts, strict=True)]
