"""The engines behind `products`: what they take and return, as tensors of the device."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.engines import Engine, create_engine
from nnp.errors import OptionError
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
    """An engine that takes NumPy's arrays, for tensors of the CPU.

    Args:
        engine: its products.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle(self, structure: Structure) -> Structure:
        """See `ProductEngine.handle`."""
        return structure

    def descriptors(self, handle: Structure) -> Tensor:
        """See `ProductEngine.descriptors`."""
        return torch.from_numpy(np.concatenate(self._engine.descriptors(handle)))

    def vjp(self, handle: Structure, dl_dg: Tensor) -> Tensor:
        """See `ProductEngine.vjp`."""
        return torch.from_numpy(self._engine.descriptor_vjp(handle, dl_dg.numpy())[0])

    def jvp(
        self,
        handle: Structure,
        displacement: Tensor | None,
        strain: NDArray[np.float64] | None,
    ) -> Tensor:
        """See `ProductEngine.jvp`."""
        along = None if displacement is None else displacement.numpy()
        return torch.from_numpy(self._engine.descriptor_jvp(handle, along, strain))


# Positions lie on the device; numbers, cell and pbc on the host, where lists are built.
DeviceAtoms = tuple[Tensor, NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]


class DeviceEngine:
    """An engine that takes tensors where they lie.

    Args:
        engine: its products of arrays.
        device: of the tensors.
    """

    def __init__(self, engine: Engine, device: torch.device) -> None:
        self._engine, self._device = engine, device

    def handle(self, structure: Structure) -> DeviceAtoms:
        """See `ProductEngine.handle`."""
        positions = torch.from_numpy(np.array(structure.positions)).to(self._device)
        return positions, structure.atomic_numbers, structure.cell, structure.pbc

    def descriptors(self, handle: DeviceAtoms) -> Tensor:
        """See `ProductEngine.descriptors`."""
        found: Tensor = self._engine.descriptors_arrays(*handle)
        return found

    def vjp(self, handle: DeviceAtoms, dl_dg: Tensor) -> Tensor:
        """See `ProductEngine.vjp`."""
        found: Tensor = self._engine.descriptor_vjp_arrays(*handle, dl_dg.contiguous())[0]
        return found

    def jvp(
        self,
        handle: DeviceAtoms,
        displacement: Tensor | None,
        strain: NDArray[np.float64] | None,
    ) -> Tensor:
        """See `ProductEngine.jvp`."""
        along = None if displacement is None else displacement.contiguous()
        found: Tensor = self._engine.descriptor_jvp_arrays(*handle, along, strain)
        return found


def make_engine(
    potential: Potential, device: torch.device, threads: int | None, dtype: str = "float64"
) -> ProductEngine:
    """The engine that computes where the tensors lie: ``cpu``, or ``gpu`` for CUDA.

    Functions that compiled engines lack are the reference engine's, on the CPU in float64.

    On the CPU ``"float32"`` computes and takes derivatives in it, and sums in float64; the GPU's
    engine has a precision of its own.

    Neighbour lists have no skin: mostly, the next call is about another structure.

    Raises:
        OptionError: a GPU, and functions that its engine lacks.
    """
    if not potential.compiled:
        return HostEngine(_reference(potential, device))
    if device.type == "cpu":
        return HostEngine(create_engine(potential, "cpu", threads=threads, skin=0.0, dtype=dtype))
    return DeviceEngine(create_engine(potential, "gpu", device=device.index, skin=0.0), device)


def _reference(potential: Potential, device: torch.device) -> Engine:
    if device.type != "cpu":
        names = {f.name for model in potential.models for f in model.functions if not f.number}
        raise OptionError(
            f"run.device = '{device}': compiled engines have no functions of the family "
            f"{min(names)!r}; run.device = 'cpu' trains with them"
        )
    return create_engine(potential, "reference")
