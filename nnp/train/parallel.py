"""Several processes under ``torchrun``, each with a share of the structures.

Parameters and optimiser are the same in every rank; gradients, normal equations and the filter's
rows are brought together, so that the result is that of one process to rounding. Rank 0 writes.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Ranks:
    """The processes of a run; one unless told.

    Attributes:
        rank: this process, from 0.
        size: how many.
    """

    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def owns(self, number: int) -> bool:
        """Whether a structure belongs to this process."""
        return number % self.size == self.rank

    def add(self, *tensors: Tensor) -> None:
        """Replace tensors by their sums over all processes, the same bits in each."""
        if self.size > 1:
            for tensor in tensors:
                dist.all_reduce(tensor)

    def rows(self, tensor: Tensor) -> Tensor:
        """The rows of all processes, in their order."""
        if self.size == 1:
            return tensor
        lengths = self.gather(len(tensor))
        padded = tensor.new_zeros((max(lengths), *tensor.shape[1:]))
        padded[: len(tensor)] = tensor
        parts = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(parts, padded)
        return torch.cat([part[:n] for part, n in zip(parts, lengths, strict=True)])

    def gather(self, value: Any) -> list[Any]:
        """What each process has."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found


@cache
def join() -> Ranks:
    """The processes that ``torchrun`` has started this one among; one where it has not.

    Tensors of the CPU travel by gloo, those of CUDA devices by nccl.
    """
    if not dist.is_available():
        return Ranks()
    if not dist.is_initialized():
        if int(os.environ.get("WORLD_SIZE", "1")) == 1 or not dist.is_torchelastic_launched():
            return Ranks()
        dist.init_process_group("cpu:gloo,cuda:nccl" if _has_nccl() else "gloo")
        atexit.register(dist.destroy_process_group)
    return Ranks(dist.get_rank(), dist.get_world_size())


def _has_nccl() -> bool:
    return torch.cuda.is_available() and dist.is_nccl_available()
