"""What a fit holds in memory, counted and compared with what there is before any of it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nnp.elements import atomic_number
from nnp.errors import UnavailableError
from nnp.memory import available_memory, used_memory
from nnp.neighbors import neighbor_list
from nnp.train.data.frames import LabelledStructure
from nnp.train.fit.choosing import Chosen, learns_coefficients
from nnp.train.fit.machine import ranks_here
from nnp.train.fit.optimizers import OptimizerSettings, covariance_dtype, kalman_blocks
from nnp.train.fit.optimizers.blocks import Decoupling, numbers_of, parameter_blocks, resolved
from nnp.train.fit.optimizers.covariance import PENDING
from nnp.train.fit.optimizers.kalman import PENALISED
from nnp.train.fit.settings import TrainingSettings
from nnp.train.fit.task import learns_stress, networks_of, stores_columns
from nnp.train.inputs.moment_features import MomentMaker

_LOOKED_AT = 20  # structures whose neighbours are counted
_SHARE = 0.8  # of the free memory that may be taken: sums and batches come on top


@dataclass(frozen=True)
class Memory:
    """Bytes of the large arrays; Python, torch and the data come on top.

    Attributes:
        inputs: of the networks, with their derivatives by strain where a stress is learned.
        columns: of the stored Jacobian, or of what it is made of.
        optimizer: what it remembers.
        order: where functions of several elements lie in the engine's order.
        step: rows and matrices of one step.
    """

    inputs: float
    columns: float
    optimizer: float
    order: float = 0.0
    step: float = 0.0

    @property
    def samples(self) -> float:
        """What grows with the data."""
        return self.inputs + self.columns + self.order

    @property
    def fixed(self) -> float:
        """What grows with the weights."""
        return self.optimizer + self.step

    def __str__(self) -> str:
        parts = {
            "Jacobian": self.columns,
            "inputs": self.inputs + self.order,
            "optimiser": self.fixed,
        }
        known = ", ".join(f"{name} {size_text(size)}" for name, size in parts.items())
        return f"about {size_text(sum(parts.values()))} ({known})"


@dataclass(frozen=True)
class MemoryPlan:
    """What of it is kept.

    Attributes:
        memory: of everything.
        room: bytes that samples may take.
        covariance: how the filter's covariance is divided and why; empty without a filter.
    """

    memory: Memory
    room: float
    covariance: str = ""

    @property
    def lines(self) -> list[str]:
        """For people."""
        lines = [f"memory: {self.memory}"]
        if self.memory.samples > self.room:
            share = max(self.room, 0) / self.memory.samples
            lines.append(
                f"memory: {size_text(self.memory.samples)} of inputs and columns are more than "
                f"the {size_text(max(self.room, 0))} there is for them: those of {share:.0%} of "
                "the structures are kept, the others recomputed at every step"
            )
        return lines + [self.covariance] * bool(self.covariance)


def plan_memory(settings: TrainingSettings, chosen: Chosen) -> MemoryPlan:
    """Count, and decide what is kept.

    Raises:
        UnavailableError: the optimiser alone, or what the settings want kept, is more than there
            is.
    """
    memory = memory_of(settings, chosen)
    free = _free(settings, chosen.maker.device)
    if memory.fixed > free:
        raise UnavailableError(
            f"the optimiser {settings.optimizer.kind!r} needs {size_text(memory.fixed)} for "
            f"{n_parameters(settings, chosen)} weights, there are {size_text(free)} "
            f"{_whose(settings)}: {_SMALLER.get(settings.optimizer.kind, _FEWER)}{_more(settings)}"
        )
    room = free - memory.fixed
    if settings.run.store_columns and memory.columns and memory.samples > room:
        raise UnavailableError(
            f"run.store_columns = true: columns and inputs need {size_text(memory.samples)}, there "
            f"are {size_text(room)} {_whose(settings)}: leave it out (what has room is kept), "
            "or run.dtype = 'float32'"
        )
    return MemoryPlan(memory, room, _covariance(settings, chosen))


_FEWER = "fewer functions or neurons"
_SMALLER = {
    "kalman": "optimizer.kalman.decoupling = 'node', or optimizer.kind = 'adam'",
    "levenberg_marquardt": "optimizer.kind = 'kalman' or 'adam'",
}


def memory_of(settings: TrainingSettings, chosen: Chosen) -> Memory:
    """By counting atoms, neighbours, functions and weights."""
    size = settings.run.torch_dtype.itemsize
    frames = chosen.frames.frames
    train = frames[: chosen.n_train]
    widths = _widths(chosen)
    inputs = size * _functions(frames, widths)
    if learns_stress(settings):
        inputs += 6 * size * _functions((f for f in frames if f.stress is not None), widths)
    columns = 0.0
    if stores_columns(settings):
        each = 3 * (1 + mean_neighbors(chosen)) * size
        columns = each * _functions((f for f in train if f.forces is not None), widths)
    if isinstance(chosen.maker, MomentMaker):  # what columns are made of
        pairs = _by_number(chosen, chosen.maker.moments.pair_bytes)
        columns = mean_neighbors(chosen, images=True) * _functions(frames, pairs)
    order = 16.0 * _functions(frames, widths) if len(chosen.functions) > 1 else 0.0
    share = 1 / chosen.ranks.size
    p = n_parameters(settings, chosen)
    return Memory(
        inputs * share,
        columns * share,
        _optimizer_size(settings) * _remembered(settings.optimizer, chosen, settings, p),
        order * share,
        _optimizer_size(settings) * _step(settings.optimizer, train, p),
    )


def n_parameters(settings: TrainingSettings, chosen: Chosen) -> int:
    """Weights, biases, and coefficients where they are learned: the length of θ."""
    own = sum(network.n_parameters for network in networks_of(settings, chosen))
    return own + n_coefficients(chosen)


def n_coefficients(chosen: Chosen) -> int:
    """Those of radial series that are learned."""
    if not isinstance(chosen.maker, MomentMaker):
        return 0
    blocks = [block for own in chosen.maker.moments.blocks for block in own]
    return sum(block.coefficients().size for block in blocks if block.learned)


def size_text(count: float) -> str:
    """Bytes for people.

    >>> size_text(8.7e4), size_text(6.149e8), size_text(3.51e9)
    ('0.087 MB', '615 MB', '3.51 GB')
    """
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


def _free(settings: TrainingSettings, device: torch.device) -> float:
    """Bytes for arrays: what may be used of the device or of the machine, or `max_memory`."""
    if device.type == "cuda":
        free: float = _SHARE * torch.cuda.mem_get_info(device)[0]
    else:
        there = available_memory()
        free = float("inf") if there is None else _SHARE * there / ranks_here()
    most = settings.run.max_memory
    return free if most is None else max(0.0, min(free, 1e9 * most - used_memory()))


def _more(settings: TrainingSettings) -> str:
    return "" if settings.run.max_memory is None else ", or a larger run.max_memory"


def _whose(settings: TrainingSettings) -> str:
    most = settings.run.max_memory
    return "free" if most is None else f"left of run.max_memory = {most:g} GB"


def _covariance(settings: TrainingSettings, chosen: Chosen) -> str:
    """Which blocks the filter's covariance has, and why."""
    if settings.optimizer.kind != "kalman":
        return ""
    networks = networks_of(settings, chosen)
    p = n_parameters(settings, chosen)
    level = resolved(networks, p, settings.optimizer.kalman.decoupling)
    if level is Decoupling.NONE:
        return ""
    size = _optimizer_size(settings)
    whole, parted = (
        size_text(size * numbers_of(parameter_blocks(networks, p, how)))
        for how in (Decoupling.NONE, level)
    )
    return f"kalman: {p} weights, covariance by {level}: {parted} instead of {whole}"


def _widths(chosen: Chosen) -> NDArray[np.int64]:
    """(119,) inputs by atomic number."""
    if isinstance(chosen.maker, MomentMaker):
        return _by_number(chosen, chosen.maker.moments.widths)
    return _by_number(chosen, [len(own) for own in chosen.functions.values()])


def _by_number(chosen: Chosen, counts: Sequence[int]) -> NDArray[np.int64]:
    found = np.zeros(119, np.int64)
    for symbol, count in zip(chosen.functions, counts, strict=True):
        found[atomic_number(symbol)] = count
    return found


def _functions(frames: Iterable[LabelledStructure], widths: NDArray[np.int64]) -> int:
    return sum(int(widths[frame.structure.atomic_numbers].sum()) for frame in frames)


def mean_neighbors(chosen: Chosen, images: bool = False) -> float:
    """Mean number of other atoms within the largest cutoff, or of all their images."""
    cutoff = max(f.radius for own in chosen.functions.values() for f in own)
    step = max(1, chosen.n_train // _LOOKED_AT)
    looked_at = [chosen.frames[n] for n in range(0, chosen.n_train, step)]
    pairs = 0
    for frame in looked_at:
        found = neighbor_list(frame.structure, cutoff)
        if images:
            pairs += len(found.i)
            continue
        others = found.i != found.j
        pairs += len(np.unique(found.i[others] * len(frame) + found.j[others]))
    return pairs / max(1, sum(map(len, looked_at)))


def _remembered(
    optimizer: OptimizerSettings, chosen: Chosen, settings: TrainingSettings, p: int
) -> int:
    """Numbers that an optimiser holds for p parameters."""
    if optimizer.kind == "kalman":
        blocks = kalman_blocks(optimizer, p, networks_of(settings, chosen))
        return numbers_of(blocks) + PENDING * sum(b.size for b in blocks if len(b) == 1)
    if optimizer.kind == "levenberg_marquardt":
        return 2 * p * p  # the normal equations and their factors
    if optimizer.kind == "lbfgs":
        return 2 * (optimizer.lbfgs.history + 4) * p
    return 8 * p


def _optimizer_size(settings: TrainingSettings) -> int:
    """Bytes of each of its numbers."""
    dtype = settings.run.torch_dtype
    if settings.optimizer.kind == "kalman":
        dtype = covariance_dtype(learns_coefficients(settings), dtype)
    return dtype.itemsize


def _step(optimizer: OptimizerSettings, frames: tuple[LabelledStructure, ...], p: int) -> int:
    """Numbers of one step's rows of the Jacobian, and of what is made of them."""
    if optimizer.kind not in ("kalman", "levenberg_marquardt"):
        return 0
    most = max((frame.forces.size for frame in frames if frame.forces is not None), default=0)
    if optimizer.kind == "levenberg_marquardt":
        return 2 * (most + 7) * p
    rows = min(most, optimizer.kalman.candidates or most) + 7 + PENALISED
    return 4 * min(optimizer.batch, len(frames)) * rows * p
