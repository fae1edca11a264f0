"""The engines behind `nnp.train.products`: what they take and return, as tensors of the device."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.engines import create_engine
from nnp.potential import Potential
from nnp.structure import Structure


class ProductEngine(Protocol):
    """Products of one structure; functions atom after atom, float64, on the fit's device."""

    def handle(self, structure: Structure) -> Any:
        """The structure as the other methods take it."""
        ...

    def descriptors(self, handle: Any) -> Tensor:
        """(all functions,) G."""
        ...

    def vjp(self, handle: Any, dl_dg: Tensor) -> Tensor:
        """(n, 3) dL/dr from dL/dG (all functions,)."""
        ...

    def jvp(
        self, handle: Any, displacement: Tensor | None, strain: NDArray[np.float64] | None
    ) -> Tensor:
        """(all functions,) dG along a displacement (n, 3) or a strain (3, 3)."""
        ...


class HostEngine:
    """An engine that takes NumPy's arrays, for tensors of any device: they are copied.

    Args:
        engine: its products.
        device: of the tensors.
    """

    def __init__(self, engine: Any, device: torch.device) -> None:
        self._engine, self._device = engine, device

    def handle(self, structure: Structure) -> Structure:
        """See `ProductEngine.handle`."""
        return structure

    def descriptors(self, handle: Structure) -> Tensor:
        """See `ProductEngine.descriptors`."""
        return self._tensor(np.concatenate(self._engine.descriptors(handle)))

    def vjp(self, handle: Structure, dl_dg: Tensor) -> Tensor:
        """See `ProductEngine.vjp`."""
        return self._tensor(self._engine.descriptor_vjp(handle, dl_dg.cpu().numpy())[0])

    def jvp(
        self,
        handle: Structure,
        displacement: Tensor | None,
        strain: NDArray[np.float64] | None,
    ) -> Tensor:
        """See `ProductEngine.jvp`."""
        zero = np.zeros((len(handle), 3)) if displacement is None else displacement.cpu().numpy()
        return self._tensor(self._engine.descriptor_jvp(handle, zero, strain))

    def _tensor(self, array: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def make_engine(potential: Potential, device: torch.device, threads: int | None) -> ProductEngine:
    """The engine that computes where the tensors lie: ``cpu``, or ``gpu`` for CUDA.

    Neighbour lists have no skin: every call is about another structure.
    """
    if device.type == "cpu":
        return HostEngine(create_engine(potential, "cpu", threads=threads, skin=0.0), device)
    index = device.index or 0
    return HostEngine(create_engine(potential, "gpu", device=index, skin=0.0), device)
