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

from nnp.errors import StructureError
from nnp.train.data.frames import LabelledStructure
from nnp.train.inputs.products import Columns, DescriptorProducts, Place
from nnp.train.inputs.transform import InputTransform


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of a structure, where the fit computes; see `LabelledStructure`.

    Attributes:
        energy: () eV.
        forces: (n, 3) eV/Å.
        stress: (6,) eV/Å³.
    """

    energy: Tensor | None
    forces: Tensor | None
    stress: Tensor | None


@dataclass(eq=False)
class Sample:
    """One labelled structure with its inputs.

    Attributes:
        frame: the structure, its weight, and labels as they were read.
        labels: the labels as tensors.
        place: the structure for `DescriptorProducts`.
        inputs: per element (n_e, inputs).
        strain: per element (6, n_e, inputs) dx/d(strain); None without a stress to learn.
        columns: stored Jacobian, per element, of all components; None when not stored.
        number: of the structure in its data set.
    """

    frame: LabelledStructure
    labels: Labels
    place: Place
    inputs: list[Tensor]
    strain: list[Tensor] | None = None
    columns: list[Columns] | None = None
    number: int = 0

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def nbytes(self) -> int:
        """Of its arrays; structure and labels, which the data set has anyway, are not counted."""
        tensors = [*self.inputs, *(self.strain or ())]
        for column in self.columns or ():
            tensors += (column.centers, column.values)
        own: int = sum(tensor.nbytes for tensor in tensors)
        return own + self.place.nbytes


class FeatureMaker:
    """Turns labelled structures into samples and multiplies with their Jacobians.

    Args:
        products: of the functions; where they lie, all tensors lie.
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
        self._origins = [self._exact(t.origin) for t in transforms]
        self._exact_matrices = [self._exact(t.matrix) for t in transforms]
        self._matrices = [matrix.to(dtype) for matrix in self._exact_matrices]

    @property
    def device(self) -> torch.device:
        """Where all tensors lie."""
        return self.products.device

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
        place = self.products.place(frame.structure)
        rows = zip(
            self.products.descriptors(place), self._origins, self._exact_matrices, strict=True
        )
        inputs = [((g - origin) @ matrix).to(self.dtype) for g, origin, matrix in rows]
        sample = Sample(frame, self._labels(frame), place, inputs, number=number)
        if stress and frame.stress is not None:
            require_volume(frame)
            strain = zip(self.products.strain(place), self._exact_matrices, strict=True)
            sample.strain = [(s @ matrix).to(self.dtype) for s, matrix in strain]
        if store and frame.forces is not None:
            sample.columns = self.columns(sample, np.arange(3 * len(frame)))
        return sample

    def columns(self, sample: Sample, components: NDArray[np.int64]) -> list[Columns]:
        """Jacobian columns dx/dr of force components 3 a + c, stored or computed."""
        if sample.columns is not None:
            index = self.index(components)
            return [Columns(c.centers[index], c.values[index]) for c in sample.columns]
        found = self.products.columns(sample.place, components)
        return [
            Columns(column.centers, column.values.to(self.dtype) @ matrix)
            for column, matrix in zip(found, self._matrices, strict=True)
        ]

    def forces(self, sample: Sample, gradients: Sequence[Tensor]) -> Tensor:
        """(n, 3) F = −Jᵀ g from g = dE/dx per element (n_e, inputs)."""
        if sample.columns is not None:
            parts = [c.dot(g) for c, g in zip(sample.columns, gradients, strict=True)]
            return -torch.stack(parts).sum(0).view(-1, 3)
        raw = [g @ matrix.T for g, matrix in zip(gradients, self._matrices, strict=True)]
        return -self.products.vjp(sample.place, raw).to(self.dtype)

    def tangents(self, sample: Sample, direction: Tensor) -> list[Tensor]:
        """J v per element (n_e, inputs) for a displacement v (n, 3)."""
        rows = zip(self.products.jvp(sample.place, direction), self._matrices, strict=True)
        return [row.to(self.dtype) @ matrix for row, matrix in rows]

    def index(self, numbers: NDArray[np.int64]) -> Tensor:
        """See `DescriptorProducts.index`."""
        return self.products.index(numbers)

    def _labels(self, frame: LabelledStructure) -> Labels:
        known = (frame.energy, frame.forces, frame.stress)
        return Labels(*(None if k is None else self._exact(k).to(self.dtype) for k in known))

    def _exact(self, array: NDArray[np.float64] | float) -> Tensor:
        return torch.from_numpy(np.array(array, np.float64, order="C")).to(self.device)


def require_volume(frame: LabelledStructure) -> None:
    """Refuse a stress of a structure without a volume.

    Raises:
        StructureError: it is not periodic along all axes.
    """
    if not frame.structure.pbc.all():
        axes = " ".join("FT"[int(axis)] for axis in frame.structure.pbc)
        raise StructureError(
            f"{frame.where}: it has a stress to learn (loss.stress), but with pbc = {axes} no "
            "volume to divide by: remove the label, or the structure"
        )
