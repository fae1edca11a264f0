"""Structures as a fit sees them: network inputs per element, and the Jacobian's products in them.

The inputs are x = (G − origin) @ matrix: scaling, and on request a decorrelating rotation that is
folded into the first layer when the potential is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.train.frames import LabelledStructure
from nnp.train.products import Columns, DescriptorProducts


@dataclass(frozen=True, eq=False)
class InputTransform:
    """x = (G − origin) @ matrix of one element.

    Attributes:
        origin: (s,).
        matrix: (s, inputs).
    """

    origin: NDArray[np.float64]
    matrix: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ElementColumns:
    """`Columns` in the networks' inputs.

    Attributes:
        centers: (k, m) atoms, counted within the element.
        tangents: (k, m, inputs) dx/dr of the component.
    """

    centers: Tensor
    tangents: Tensor


@dataclass(eq=False)
class Sample:
    """One labelled structure with its inputs.

    Attributes:
        number: of the structure in its data set.
        frame: structure and labels.
        atoms: per element, indices of its atoms.
        inputs: per element (n_e, inputs).
        strain: per element (6, n_e, inputs) dx/d(strain); None without a stress to learn.
        columns: stored Jacobian, per element, of all components; None when not stored.
    """

    frame: LabelledStructure
    atoms: list[Tensor]
    inputs: list[Tensor]
    strain: list[Tensor] | None = None
    columns: list[ElementColumns] | None = None
    number: int = 0


class FeatureMaker:
    """Turns labelled structures into samples and multiplies with their Jacobians.

    Args:
        products: of the functions.
        transforms: per element.
        dtype: of all tensors.
    """

    def __init__(
        self,
        products: DescriptorProducts,
        transforms: Sequence[InputTransform],
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.products = products
        self.transforms = list(transforms)
        self.dtype = dtype
        self._matrices = [self._tensor(t.matrix) for t in transforms]

    def sample(
        self, frame: LabelledStructure, stress: bool = False, store: bool = False, number: int = 0
    ) -> Sample:
        """Inputs of a structure.

        Args:
            frame: structure and labels.
            stress: whether the stress, if known, will be learned.
            store: whether to keep all columns of the Jacobian.
            number: of the structure in its data set.
        """
        structure = frame.structure
        elements = self.products.element_indices(structure)
        rows = self.products.descriptors(structure)
        atoms = [np.flatnonzero(elements == e) for e in range(len(self.transforms))]
        inputs = [
            self._tensor((rows[a, : len(t.origin)] - t.origin) @ t.matrix)
            for a, t in zip(atoms, self.transforms, strict=True)
        ]
        sample = Sample(frame, [torch.from_numpy(a) for a in atoms], inputs, number=number)
        if stress and frame.stress is not None:
            strain = self.products.strain(structure)
            sample.strain = [
                self._tensor(strain[:, a, : len(t.origin)] @ t.matrix)
                for a, t in zip(atoms, self.transforms, strict=True)
            ]
        if store and frame.forces is not None:
            sample.columns = self.columns(sample, np.arange(3 * len(structure)))
        return sample

    def columns(self, sample: Sample, components: NDArray[np.int64]) -> list[ElementColumns]:
        """Jacobian columns of force components 3 a + c, stored or computed."""
        if sample.columns is not None:
            index = torch.from_numpy(components)
            return [ElementColumns(c.centers[index], c.tangents[index]) for c in sample.columns]
        found = self.products.columns(sample.frame.structure, components)
        return [self._transformed(c, m) for c, m in zip(found, self._matrices, strict=True)]

    def forces(self, sample: Sample, gradients: Sequence[Tensor]) -> Tensor:
        """(n, 3) F = −Jᵀ g from g = dE/dx per element (n_e, inputs)."""
        full = np.zeros((len(sample.frame), self.products.widest))
        for atoms, gradient, matrix in zip(sample.atoms, gradients, self._matrices, strict=True):
            full[atoms.numpy(), : len(matrix)] = (gradient @ matrix.T).numpy()
        return self._tensor(-self.products.vjp(sample.frame.structure, full))

    def tangents(self, sample: Sample, direction: Tensor) -> list[Tensor]:
        """J v per element (n_e, inputs) for a displacement v (n, 3)."""
        rows = self.products.jvp(sample.frame.structure, direction.to(torch.float64).numpy())
        return [
            self._tensor(rows[atoms.numpy(), : len(matrix)]) @ matrix
            for atoms, matrix in zip(sample.atoms, self._matrices, strict=True)
        ]

    def _transformed(self, columns: Columns, matrix: Tensor) -> ElementColumns:
        values = self._tensor(columns.values) @ matrix
        return ElementColumns(torch.from_numpy(columns.centers), values)

    def _tensor(self, array: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.dtype)
