"""A whole potential as one torch module: from neighbour vectors to atomic energies.

The reference engine runs it, the portable export saves it. TorchScript-compatible, which is why
annotations are not postponed here.
"""

import numpy as np
import torch
from torch import Tensor, nn

from nnp.baseline import refuse_baseline
from nnp.elements import atomic_number
from nnp.networks import Network
from nnp.potential import ElementModel, Potential
from nnp.reference.descriptors import Descriptors, Pairs
from nnp.reference.formulas import activation
from nnp.terms import refuse_terms


class AtomicNetwork(nn.Module):
    """A feed-forward network over the rows of its input."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.weights = nn.ParameterList([_parameter(weight) for weight in network.weights])
        self.biases = nn.ParameterList([_parameter(bias) for bias in network.biases])
        self.activations: list[str] = [a.value for a in network.activations]

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_inputs) → (n,)."""
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = activation(x @ weight + bias, self.activations[layer])
        return x.squeeze(1)


class ElementModule(nn.Module):
    """Descriptors, scaling, network and offset of one element."""

    factor: Tensor
    offset: Tensor

    def __init__(self, model: ElementModel, elements: tuple[str, ...]) -> None:
        super().__init__()
        self.descriptors = Descriptors(model.functions, elements)
        self.network = AtomicNetwork(model.network)
        self.register_buffer("factor", torch.from_numpy(model.scaling.factor.copy()))
        self.register_buffer("offset", torch.from_numpy(model.scaling.offset.copy()))
        self.energy_offset: float = model.energy_offset

    def forward(self, descriptors: Tensor) -> Tensor:
        """(n,) network output from raw functions (n, f)."""
        output: Tensor = self.network(self.factor * descriptors + self.offset)
        return output


class AtomicEnergies(nn.Module):
    """E_i of a block of centres from the vectors to their neighbours."""

    z: Tensor

    def __init__(self, potential: Potential) -> None:
        super().__init__()
        refuse_baseline(potential.baseline, "a torch module")
        refuse_terms(potential.terms, "a torch module")
        self.elements = nn.ModuleList(
            [ElementModule(model, potential.elements) for model in potential.models]
        )
        z = [atomic_number(symbol) for symbol in potential.elements]
        self.register_buffer("z", torch.tensor(z, dtype=torch.float64))
        self.energy_scale: float = potential.energy_scale

    def forward(
        self, element_c: Tensor, center_p: Tensor, element_p: Tensor, vector_pc: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Energies and raw symmetry functions.

        Args:
            element_c: (n,) element index of each centre.
            center_p: (p,) centre of each pair, ascending.
            element_p: (p,) element index of each pair's neighbour.
            vector_pc: (p, 3) from centre to neighbour, Å.

        Returns:
            (n,) energies, eV, and per element (n_e, f_e) functions of its centres in order.
        """
        r_p = torch.linalg.norm(vector_pc, dim=1)
        energies = vector_pc.new_zeros(element_c.numel())
        functions: list[Tensor] = []
        for index, element in enumerate(self.elements):
            mine = torch.nonzero(element_c == index).squeeze(1)
            local = torch.zeros_like(element_c)
            local[mine] = torch.arange(mine.numel(), device=mine.device)
            p = torch.nonzero(element_c[center_p] == index).squeeze(1)
            neighbor = element_p[p]
            pairs = Pairs(local[center_p[p]], neighbor, self.z[neighbor], vector_pc[p], r_p[p])
            # torch types the members of a ModuleList no further than Module
            descriptors = element.descriptors(pairs, mine.numel())  # type: ignore[operator]
            energy = self.energy_scale * element(descriptors) + element.energy_offset
            energies = energies.index_add(0, mine, energy)
            functions.append(descriptors)
        return energies, functions


def _parameter(array: np.ndarray) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(array.copy()), requires_grad=False)
