"""Where a fit is computed: its device, its threads, its processes.

A process uses the CPU or one CUDA device. Several processes under ``torchrun`` have a share of the
structures each: parameters and optimiser are the same in every rank; gradients, normal equations
and the filter's rows are brought together, so that the result is that of one process to rounding.
Rank 0 writes.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import scipy.linalg.blas  # noqa: F401  (only libraries that are loaded can be limited)
import torch
import torch.distributed as dist
from threadpoolctl import threadpool_limits
from torch import Tensor

from nnp.errors import OptionError, UnavailableError
from nnp.processor import usable_cores

_NAME = re.compile(r"cpu|cuda(:(\d+))?")


def require_name(name: str) -> None:
    """Refuse what names no device.

    Raises:
        OptionError: it is neither "cpu" nor "cuda" nor "cuda:N".
    """
    if not _NAME.fullmatch(name):
        raise OptionError(f"device = {name!r}: allowed are 'cpu', 'cuda' and 'cuda:0', 'cuda:1', …")


def find_device(name: str) -> torch.device:
    """The device of that name; ``"cuda"`` is this process' own under torchrun, else the first.

    Raises:
        OptionError: no such name.
        UnavailableError: no CUDA here, or fewer devices than the number asks for.
    """
    require_name(name)
    if name == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        why = "finds no usable NVIDIA GPU" if torch.version.cuda else "is built without CUDA"
        raise UnavailableError(
            f"device = {name!r}: this torch ({torch.__version__}) {why}: look at nvidia-smi and at "
            "https://pytorch.org/get-started, or use device = 'cpu'"
        )
    local = int(os.environ.get("LOCAL_RANK", "0"))
    number = local if name == "cuda" else int(name.partition(":")[2])
    count = torch.cuda.device_count()
    if number >= count:
        raise UnavailableError(
            f"device = {name!r}: process {local} of this machine needs GPU number {number}, "
            f"counted from 0; GPUs here: {count}. Name a smaller number, start fewer processes "
            "(--nproc-per-node), or look at CUDA_VISIBLE_DEVICES"
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


@contextmanager
def memory_explained(device: torch.device) -> Iterator[None]:
    """Say what to change where a device's memory runs out.

    Raises:
        UnavailableError: it did.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise UnavailableError(
            f"{device} has no memory left: run.store_columns = false, a smaller optimizer.batch, "
            "fewer optimizer.kalman.candidates or run.dtype = 'float32' need less"
        ) from None


def usable_threads() -> int:
    """Cores of this process, or fewer where ``OMP_NUM_THREADS`` says so."""
    told, cores = os.environ.get("OMP_NUM_THREADS", ""), usable_cores()
    return max(1, min(int(told), cores)) if told.isdigit() else cores


def use_threads(count: int, optimizer: str) -> None:
    """Limit torch and the BLAS behind NumPy and SciPy, in this process and from now on.

    Args:
        count: of threads.
        optimizer: its kind. With the Kalman filter torch gets one: the large algebra is BLAS's, and
            where both have as many threads as there are cores, those that wait take the time of
            those that work (ten times slower on two cores).
    """
    torch.set_num_threads(1 if optimizer == "kalman" else count)
    threadpool_limits(count, user_api="blas")


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

    def wait(self) -> None:
        """Until every process is here: rank 0 may still be writing what the others read next."""
        self.gather(None)

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


def ranks_here() -> int:
    """How many processes of the run this machine's memory is shared by."""
    return max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1"))) if join().size > 1 else 1


def _has_nccl() -> bool:
    return torch.cuda.is_available() and dist.is_nccl_available()
