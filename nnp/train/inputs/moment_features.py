"""Structures for a fit that learns the coefficients of radial series: moments are its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.train.data.frames import LabelledStructure
from nnp.train.inputs.features import FeatureMaker, Sample, require_volume
from nnp.train.inputs.products import Columns
from nnp.train.inputs.transform import InputTransform
from nnp.train.inputs.uncontracted import UncontractedProducts


class MomentMaker(FeatureMaker):
    """Samples whose inputs are the uncontracted moments B, and products with their Jacobian.

    Args:
        moments: the products.
        transforms: per element, from functions to what the network after them sees.
        dtype: of all tensors.
    """

    def __init__(
        self,
        moments: UncontractedProducts,
        transforms: Sequence[InputTransform],
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.moments, self.transforms, self.dtype = moments, list(transforms), dtype

    @property
    def device(self) -> torch.device:
        """See `FeatureMaker.device`."""
        return self.moments.device

    def sample(
        self,
        frame: LabelledStructure,
        stress: bool = False,
        store: bool = False,  # noqa: ARG002  columns are made of the pairs, which are kept
        number: int = 0,
    ) -> Sample:
        """See `FeatureMaker.sample`."""
        place = self.moments.place(frame.structure)
        sample = Sample(
            frame, self._labels(frame), place, self.moments.descriptors(place), number=number
        )
        if stress and frame.stress is not None:
            require_volume(frame)
            sample.strain = self.moments.strain(place)
        return sample

    def columns(self, sample: Sample, components: NDArray[np.int64]) -> list[Columns]:
        """See `FeatureMaker.columns`."""
        return self.moments.columns(sample.place, components)

    def forces(self, sample: Sample, gradients: Sequence[Tensor]) -> Tensor:
        """See `FeatureMaker.forces`."""
        return -self.moments.vjp(sample.place, gradients)

    def tangents(self, sample: Sample, direction: Tensor) -> list[Tensor]:
        """See `FeatureMaker.tangents`."""
        return self.moments.jvp(sample.place, direction)

    def index(self, numbers: NDArray[np.int64]) -> Tensor:
        """See `DescriptorProducts.index`."""
        return self.moments.index(numbers)
