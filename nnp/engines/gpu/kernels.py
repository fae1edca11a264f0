"""The kernels of one evaluation: their launches, and the buffers that they leave results in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout, transfer
from nnp.engines.gpu.arrays import Outputs
from nnp.engines.gpu.atoms import ArrayAtoms, Atoms
from nnp.engines.gpu.device import Buffer
from nnp.engines.gpu.neighbor_list import DeviceList
from nnp.engines.gpu.products import Tangents
from nnp.engines.gpu.program import FINISH_GROUPS, Program
from nnp.engines.gpu.rows import Rows

# Extrapolations there is room for from the start.
_ROOM = 4096


@dataclass(frozen=True, eq=False)
class Request:
    """What an evaluation is asked for.

    Attributes:
        wanted: bits of `layout`, ``WANT_ENERGY`` and those after it.
        outputs: where to put energies and forces, beside the engine's own buffers.
        given: dL/dG, flat (`rows`), for ``GIVEN_GRADIENT``.
        tangents: Jacobian-vector products, in place of energies.
    """

    wanted: int
    outputs: Outputs | None = None
    given: Buffer | None = None
    tangents: Tangents | None = None


class Kernels:
    """Launches over the atoms of a list.

    Args:
        program: the compiled kernels.
        neighbors: the list.
    """

    def __init__(self, program: Program, neighbors: DeviceList) -> None:
        self._program, self._device, self.list = program, program.device, neighbors
        self.rows = Rows(program)
        self._partial = self._device.empty(7 * FINISH_GROUPS, np.float64)
        self._report = self._device.empty(layout.STATE_COUNTERS, np.int32)
        self._descriptors = self._gradient = self._device.empty(0, np.float64)
        self.room(_ROOM)

    def launch(self, atoms: Atoms, request: Request) -> None:
        """All kernels of one evaluation; of energies nothing is allocated, read or waited for."""
        nl, b, program = self.list, self.list.buffers, self._program
        positions = b.positions
        if isinstance(atoms, ArrayAtoms):
            positions = self._take(atoms)
        program.launch_over(
            "nnp_place", atoms.n, positions, nl.box_buffer, b.built, b.points, b.forces, nl.state
        )
        if request.tangents is None:
            self._evaluate(atoms.n, request)
        else:
            request.tangents.launch(nl)
        program.launch(
            "nnp_finish", FINISH_GROUPS, atoms.n, request.wanted, b.energies, b.virials,
            self._partial, nl.state, self._report,
        )  # fmt: skip
        if request.outputs is not None:
            self._give(atoms.n, request.wanted, request.outputs)

    def _evaluate(self, n: int, request: Request) -> None:
        """Energies and gradients, or descriptors: one launch per element."""
        nl, b, program, wanted = self.list, self.list.buffers, self._program, request.wanted
        if wanted & layout.WANT_DESCRIPTORS:
            self._descriptors = self._padded(self._descriptors, n)
        if request.given is not None:
            self._gradient = self._padded(self._gradient, n)
            self.rows.pad(nl, request.given, self._gradient)
        for element, mine in enumerate(nl.atoms):
            if mine.size == 0:
                continue
            program.launch(
                f"nnp_evaluate_e{element}", mine.size, mine.size, wanted, mine,
                b.points, nl.entries, b.row_starts, nl.frame, program.parameters[element],
                self._gradient, self._descriptors, b.energies, b.forces, b.virials, self._outside,
                b.status, nl.state,
            )  # fmt: skip

    def memory(self) -> list[Any]:
        """What a recorded evaluation holds on to: it stands while these are the same objects."""
        nl = self.list
        buffers = [*vars(nl.buffers).values(), nl.entries, *nl.atoms, self._outside]
        return [*(buffer.handle for buffer in buffers), self._program.compiled, nl.whose]

    def _take(self, atoms: ArrayAtoms) -> Buffer:
        """The positions as the kernels read them."""
        if atoms.in_place is not None:
            return atoms.in_place
        b = self.list.buffers
        self._program.launch_over(
            "nnp_take", atoms.n, *atoms.take_arguments(), self.list.known, b.elements, b.positions,
            self.list.state,
        )  # fmt: skip
        return b.positions

    def _give(self, n: int, wanted: int, outputs: Outputs) -> None:
        nl, b, out = self.list, self.list.buffers, outputs.buffers
        what = transfer.STRESS if wanted & layout.WANT_VIRIAL else 0
        what |= transfer.SINGLE if out["forces"].dtype == np.float32 else 0
        self._program.launch_over(
            "nnp_give", n, what, b.forces, b.energies, self._partial, FINISH_GROUPS, nl.box_buffer,
            nl.frame, self._report, out["forces"], out["forces"], out["energies"], out["energy"],
            out["stress"],
        )  # fmt: skip

    # ---- results -------------------------------------------------------------------------------

    def report(self) -> NDArray[np.int32]:
        """What the last evaluation says of itself, ``STATE_COUNTERS`` numbers; waits for it."""
        self._counters = self._device.read(self._report, layout.STATE_COUNTERS)
        return self._counters

    def sums(self) -> NDArray[np.float64]:
        """(7,) energy, eV, and the virial's xx, yy, zz, yz, xz, xy."""
        partial = self._device.read(self._partial, 7 * FINISH_GROUPS).reshape(-1, 7)
        total: NDArray[np.float64] = partial.sum(axis=0)
        return total

    def energies(self, n: int) -> NDArray[np.float64]:
        """(n,) eV."""
        return self._device.read(self.list.buffers.energies, n)

    def forces(self, n: int) -> NDArray[np.float64]:
        """(n, 3) eV/Å."""
        counts = self._device.read(self.list.buffers.forces, 3 * n)
        return np.asarray(counts / self.list.scale).reshape(-1, 3)

    def outside(self) -> NDArray[np.float64]:
        """(m, 3) atom, function inside the kernels, excess; in any order."""
        found = int(self._counters[layout.STATE_EXTRAPOLATING])
        return self._device.read(self._outside, 3 * found).reshape(-1, 3)

    def functions(self) -> int:
        """How many functions the atoms of the list have."""
        self.rows.follow(self.list)
        return self.rows.total

    def give_descriptors(self, flat: Buffer) -> None:
        """Raw functions of all atoms, one after the other, after ``WANT_DESCRIPTORS``."""
        self.rows.flatten(self.list, self._descriptors, flat)

    def give_changes(self, tangents: Tangents, flat: Buffer) -> None:
        """Their changes, after ``tangents``."""
        self.rows.flatten(self.list, tangents.changes, flat)

    def give_gradient(self, n: int, by_positions: Buffer, by_strain: Buffer | None) -> None:
        """Gradients by positions (n, 3) and strain (3, 3), after ``GIVEN_GRADIENT``."""
        nl, what = self.list, 0 if by_strain is None else transfer.STRESS
        what |= transfer.SINGLE if by_positions.dtype == np.float32 else 0
        self._program.launch_over(
            "nnp_give_gradient", n, what, nl.buffers.forces, self._partial, FINISH_GROUPS,
            nl.frame, by_positions, by_positions, by_strain or self._partial,
        )  # fmt: skip

    def has_room(self) -> bool:
        """Whether all extrapolations found a place."""
        return 3 * int(self._counters[layout.STATE_EXTRAPOLATING]) <= self._outside.size

    def more_room(self) -> None:
        """Twice the memory that the last evaluation needed for extrapolations."""
        self.room(2 * int(self._counters[layout.STATE_EXTRAPOLATING]))

    def room(self, count: int) -> None:
        """Memory for this many extrapolations."""
        self._outside = self._device.empty(3 * count, np.float64)
        state = self._device.read(self.list.state, layout.STATE_SIZE)
        state[layout.STATE_ROOM] = count
        self._device.write(self.list.state, state)

    def _padded(self, buffer: Buffer, n: int) -> Buffer:
        size = n * self._program.most_functions
        return buffer if buffer.size >= size else self._device.empty(size, np.float64)
