"""Where a fit is computed: the CPU, or one CUDA device per process."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nnp.errors import OptionError, UnavailableError

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
    """Say in one sentence what to change where a device's memory runs out.

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
