"""Jacobian-vector products of the descriptors: a program of its own, compiled when first used."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnp.engines.gpu.device import Buffer
from nnp.engines.gpu.neighbor_list import DeviceList
from nnp.engines.gpu.program import Program


class Tangents:
    """How the functions of all atoms change when atoms move and space is strained.

    Works on the list and the buffers that the engine's other kernels use.

    Args:
        program: the engine's.

    Attributes:
        changes: (n, most functions), in the kernels' order.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._device = program.device
        self._kept: dict[tuple[int, int], Any] = {}  # by capacity and group size
        self._direction = self._strain = self.changes = self._device.empty(0, np.float64)

    def point(self, displacement: Buffer, strain: Buffer) -> None:
        """Set the direction.

        Args:
            displacement: (n, 3), Å, float64.
            strain: (3, 3), r changes by r @ strain, float64.
        """
        self._direction, self._strain = displacement, strain
        size = displacement.size // 3 * self._program.most_functions
        if self.changes.size < size:
            self.changes = self._device.empty(size, np.float64)

    def launch(self, nl: DeviceList) -> None:
        """One kernel per element, in place of those that evaluate."""
        program, b = self._program, nl.buffers
        key = (program.capacity, program.group_size)
        if key not in self._kept:
            text = program.generator.tangent_source(program.options(program.capacity))
            self._kept[key] = self._device.compile(text, program.precision)
        for element, atoms in enumerate(nl.atoms):
            if atoms.size == 0:
                continue
            arguments = (
                atoms.size, atoms, b.points, nl.entries, b.row_starts, nl.frame,
                program.parameters[element], self._direction, self._strain, self.changes,
                b.status, nl.state,
            )  # fmt: skip
            groups = min(atoms.size, self._device.most_groups)
            kernel = f"nnp_change_e{element}"
            self._device.launch(self._kept[key], kernel, groups, program.group_size, arguments)
