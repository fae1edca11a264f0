"""Functions of all atoms: in rows of one length for the kernels, one after the other for callers.

A caller's flat vector has atom after atom, each with its element's functions in canonical order;
a kernel's row has room for the widest element, in the order of the kernels' loops.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu.device import Buffer
from nnp.engines.gpu.neighbor_list import DeviceList
from nnp.engines.gpu.program import Program


class Rows:
    """The way between both, on the device.

    Args:
        program: the engine's.

    Attributes:
        total: functions of all atoms last followed: the length of a flat vector.
    """

    def __init__(self, program: Program) -> None:
        self._program, self._device = program, program.device
        self._counts = np.array([len(order) for order in program.orders])
        table = np.full((len(program.orders), program.most_functions), -1, np.int32)
        for row, order in zip(table, program.orders, strict=True):
            row[: len(order)] = order
        self._order = self._device.empty(table.size, np.int32)
        self._device.write(self._order, table.ravel())
        self._starts = self._device.empty(0, np.int32)
        self._whose: object = None
        self.total = 0

    def counts(self, elements: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of functions of atoms of these elements."""
        found: NDArray[np.int64] = self._counts[elements]
        return found

    def follow(self, nl: DeviceList) -> None:
        """Take the atoms of a list."""
        if nl.whose is self._whose:
            return
        counts = self.counts(nl.element_indices)
        if self._starts.size < len(counts):
            self._starts = self._device.empty(len(counts), np.int32)
        self._device.write(self._starts, np.cumsum(counts) - counts)
        self._whose, self.total = nl.whose, int(counts.sum())

    def pad(self, nl: DeviceList, flat: Buffer, rows: Buffer) -> None:
        """Flat vector into rows; what a vector of another length lacks is left out."""
        self.follow(nl)
        self._launch("nnp_pad", nl, flat, rows)

    def flatten(self, nl: DeviceList, rows: Buffer, flat: Buffer) -> None:
        """Rows into a flat vector."""
        self.follow(nl)
        self._launch("nnp_flatten", nl, flat, rows)

    def _launch(self, kernel: str, nl: DeviceList, flat: Buffer, rows: Buffer) -> None:
        n = len(nl.element_indices)
        self._program.launch_over(
            kernel, n * self._program.most_functions, flat.size, self._order, self._starts,
            nl.buffers.elements, rows, flat,
        )  # fmt: skip
