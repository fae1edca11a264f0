"""Jacobian-vector products of the descriptors: a program of its own, compiled when first used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu.neighbor_list import DeviceList
from nnp.engines.gpu.program import Program
from nnp.engines.vectors import vector


class Tangents:
    """How the functions of all atoms change when atoms move and space is strained.

    Works on the list and the buffers that the engine's other kernels use.

    Args:
        program: the engine's.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._device = program.device
        self._options: tuple[int, int] | None = None
        self._compiled: Any = None
        self._direction = self._changes = self._device.empty(0, np.float64)
        self._strain = self._device.empty(9, np.float64)

    def point(
        self, n: int, displacement: NDArray[np.float64], strain: NDArray[np.float64] | None
    ) -> None:
        """Set the direction.

        Args:
            n: number of atoms.
            displacement: (n, 3), Å.
            strain: (3, 3), r changes by r @ strain; None: zero.

        Raises:
            OptionError: one of them has another size.
        """
        direction = vector("displacement", displacement, 3 * n)
        if self._direction.size != direction.size:
            self._direction = self._device.empty(direction.size, np.float64)
            self._changes = self._device.empty(n * self._program.most_functions, np.float64)
        self._device.write(self._direction, direction)
        zero = np.zeros((3, 3))
        self._device.write(self._strain, vector("strain", zero if strain is None else strain, 9))

    def launch(self, nl: DeviceList) -> None:
        """One kernel per element, in place of those that evaluate."""
        program, b = self._program, nl.buffers
        options = (program.capacity, program.group_size)
        if self._options != options:
            text = program.generator.tangent_source(program.options(program.capacity))
            self._compiled = self._device.compile(text, program.precision)
            self._options = options
        for element, atoms in enumerate(nl.atoms):
            if atoms.size == 0:
                continue
            arguments = (
                atoms.size, atoms, b.points, nl.entries, b.row_starts, nl.frame,
                program.parameters[element], self._direction, self._strain, self._changes,
                b.status, nl.state,
            )  # fmt: skip
            groups = min(atoms.size, self._device.most_groups)
            kernel = f"nnp_change_e{element}"
            self._device.launch(self._compiled, kernel, groups, program.group_size, arguments)

    def changes(self, elements: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the kernels found, atom after atom, each with the functions of its element."""
        width = self._program.most_functions
        rows = self._device.read(self._changes, width * len(elements)).reshape(-1, width)
        orders = [self._program.orders[element] for element in elements]
        return np.concatenate(
            [row[np.argsort(order)] for row, order in zip(rows, orders, strict=True)]
        )
