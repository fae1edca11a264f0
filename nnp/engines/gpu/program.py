"""A potential's compiled kernels on one device, recompiled when an atom gets more neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnp.engines.flatten import flatten
from nnp.engines.gpu import transfer
from nnp.engines.gpu.device import Buffer, Device
from nnp.engines.gpu.library import DIALECTS, PRECISIONS, Generator, SourceOptions
from nnp.errors import UnavailableError
from nnp.potential import Potential

# Threads of a work-group, one of which works on an atom: enough that an atom's neighbours keep them
# busy; more where there are so few atoms that multiprocessors would idle (an H200 has 132).
GROUP_SIZE = 64
_SMALL_GROUP, _SMALL_CAPACITY = 32, 64
_LARGE_GROUPS = ((256, 256), (1024, 128))  # up to so many atoms, threads
# Neighbours in local memory at once: the smallest that fits is compiled; beyond the last, tiles.
_CAPACITIES = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)
# Of one launch; the kernels loop over what is left.
FINISH_GROUPS = 32


class Program:
    """Compiled kernels and parameters.

    Args:
        potential: the potential.
        precision: of `PRECISIONS`.
        device: where to.
        group_size: threads of a work-group; None: chosen by the atoms and their neighbours.
        capacity: neighbours in local memory at once; None: chosen by the neighbour list.

    Raises:
        UnavailableError: the network is too large for the device's local memory.
    """

    def __init__(
        self,
        potential: Potential,
        precision: str,
        device: Device,
        group_size: int | None = None,
        capacity: int | None = None,
    ) -> None:
        self.device = device
        self.precision = precision
        self._fixed_group = group_size
        self.group_size = group_size or GROUP_SIZE
        self.real = np.dtype(np.float64 if precision == "float64" else np.float32)
        self.mixed = np.dtype(np.float32 if precision == "single" else np.float64)
        self.generator = Generator(flatten(potential))
        self.orders = [self.generator.order(e) for e in range(len(potential.models))]
        self.most_functions = max(1, *(len(order) for order in self.orders))
        self.parameters = [
            self._upload(self.generator.parameters(e)) for e in range(len(self.orders))
        ]
        self._fixed = capacity
        self._largest = self._largest_capacity()
        self.capacity = 0
        self.compiled: Any = None
        self._kept: dict[tuple[int, int], Any] = {}  # for structures of other sizes in between

    @property
    def source(self) -> str:
        """The text as it was compiled."""
        return self._text(self.capacity, self.group_size)

    def fit(self, neighbors: int, atoms: int) -> None:
        """Make sure that the kernels are good for so many atoms with this many list entries."""
        wanted = self._fixed or min(
            next((c for c in _CAPACITIES if c >= neighbors), self._largest), self._largest
        )
        wanted = max(wanted, self.capacity)
        group = self._fixed_group or self._suitable_group(atoms, wanted)
        key = wanted, group
        if key not in self._kept:
            self._kept[key] = self.device.compile(self._text(*key), self.precision)
        self.compiled, (self.capacity, self.group_size) = self._kept[key], key

    def _suitable_group(self, atoms: int, capacity: int) -> int:
        """Threads per atom."""
        if self.device.dialect != "cuda":  # a CPU's work-groups are loops
            return GROUP_SIZE
        for most, threads in _LARGE_GROUPS:
            options = self.options(capacity, threads)
            if atoms <= most and self.generator.local_bytes(options) <= self.device.local_bytes:
                return threads
        return _SMALL_GROUP if capacity <= _SMALL_CAPACITY else GROUP_SIZE

    def launch(self, kernel: str, groups: int, *arguments: Buffer | int) -> None:
        """Start a kernel on a number of work-groups."""
        groups = max(1, min(groups, self.device.most_groups))
        self.device.launch(self.compiled, kernel, groups, self.group_size, arguments)

    def launch_over(self, kernel: str, n: int, *arguments: Buffer | int) -> None:
        """Start a kernel that has one thread per item; its first argument is their number."""
        self.launch(kernel, -(-n // self.group_size), n, *arguments)

    def _text(self, capacity: int, threads: int) -> str:
        return self.generator.source(self.options(capacity, threads)) + transfer.text()

    def options(self, capacity: int, threads: int | None = None) -> SourceOptions:
        """What the generator is asked for; ``threads``: in place of ``group_size``."""
        return SourceOptions(
            PRECISIONS[self.precision],
            DIALECTS[self.device.dialect],
            threads or self.group_size,
            capacity,
        )

    def _largest_capacity(self) -> int:
        """The most neighbours that local memory holds beside the network."""

        def bytes_of(capacity: int) -> int:
            return self.generator.local_bytes(self.options(capacity))

        allowed = [c for c in _CAPACITIES if bytes_of(c) <= self.device.local_bytes]
        smallest = self._fixed or _CAPACITIES[0]
        if bytes_of(smallest) > self.device.local_bytes:
            raise UnavailableError(
                f"the potential's functions and networks need {bytes_of(smallest)} bytes of local "
                f"memory per atom, {self.device.description} has {self.device.local_bytes}: use "
                "engine='cpu', or a smaller dtype"
            )
        return allowed[-1] if allowed else smallest

    def _upload(self, values: np.ndarray) -> Buffer:
        buffer = self.device.empty(len(values), self.mixed)
        self.device.write(buffer, values)
        return buffer
