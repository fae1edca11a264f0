"""The neighbour list on the device: when it is made, and its buffers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout
from nnp.engines.gpu.box import Box, make_box
from nnp.engines.gpu.device import Buffer
from nnp.engines.gpu.program import Program
from nnp.errors import UnavailableError
from nnp.structure import Structure

_ENTRY_BYTES = 8
# First guess of the capacity, before a list has been counted.
_GUESS = 64
# Room for more entries than were counted, so that a list that grows a little needs no new memory.
_SPARE = 1.2
_MOST_ENTRIES = 2**31 - 1
# Å. Two kernels may round the fractions of an atom that stands still differently; without a skin
# no list would ever hold.
_LEAST_SKIN = 1e-6


@dataclass
class AtomBuffers:
    """Buffers of one number of atoms; lengths are in the kernels' arguments."""

    positions: Buffer
    elements: Buffer
    built: Buffer
    points: Buffer
    forces: Buffer
    energies: Buffer
    virials: Buffer
    status: Buffer
    bin_of: Buffer
    dropped: Buffer
    sorted: Buffer
    counts: Buffer
    row_starts: Buffer


class DeviceList:
    """Neighbours of one set of atoms, rebuilt when it no longer holds.

    Args:
        program: the kernels.
        cutoff: of the potential, Å.
        skin: reach beyond it, Å.
        n_elements: of the potential.
    """

    def __init__(self, program: Program, cutoff: float, skin: float, n_elements: int) -> None:
        self._program, self._device = program, program.device
        self._cutoff, self._skin = cutoff, max(skin, _LEAST_SKIN)
        self._n_elements = n_elements
        self._numbers = np.empty(0, np.int64)
        self.element_indices = np.empty(0, np.int64)  # of the atoms last followed
        self.scale, self.limit = 1.0, 1.0  # of the forces' fixed point
        self.builds = 0
        self.box: Box | None = None  # of the last build, None when there is no valid list
        self._now: Box | None = None  # the same with the cell as it is now
        self.cell = np.zeros((3, 3))  # now
        self._pbc = np.zeros(3, np.bool_)
        self.whose = object()  # another one with other atoms
        self.atoms: list[Buffer] = []  # per element, in the order of the bins
        self.most = 0  # list entries of an atom
        device = self._device
        self.box_buffer = device.empty(layout.BOX_SIZE, np.float64)
        self.frame = device.empty(layout.FRAME_SIZE, program.real)
        self.grid = device.empty(3, np.int32)
        self.state = device.empty(layout.STATE_SIZE, np.int32)
        self.entries = device.empty(0, np.int64)
        device.write(self.state, np.zeros(layout.STATE_SIZE))
        self.known = device.empty(12, np.float64)  # cell and periodicity, for nnp_take
        self._bins = (device.empty(0, np.int32), device.empty(1, np.int32))
        self.buffers = self._allocate(0)

    def is_of(
        self, n: int, numbers: NDArray[np.int64] | None, pbc: NDArray[np.bool_] | None
    ) -> bool:
        """Whether these are the atoms last followed; None stands for what is not looked at."""
        return (
            n == len(self._numbers)
            and (numbers is None or np.array_equal(numbers, self._numbers))
            and (pbc is None or np.array_equal(pbc, self._pbc))
        )

    def follow(self, structure: Structure, elements: NDArray[np.int64]) -> None:
        """Take the structure's atoms and cell; drop the list where it cannot hold any more."""
        if not self.is_of(len(structure), structure.atomic_numbers, structure.pbc):
            self.box, self.whose = None, object()
            if len(structure) != len(self._numbers):
                self._numbers = np.empty(0, np.int64)  # should there be no memory
                self.buffers = self._allocate(len(structure))
            self._device.write(self.buffers.elements, elements)
            self.element_indices = elements
            self._numbers = structure.atomic_numbers.copy()
            self._pbc = structure.pbc.copy()
        self.follow_cell(structure.cell)

    def prepare(self) -> None:
        """Compile now what the first list would compile."""
        self._program.fit(_GUESS, len(self._numbers))

    def follow_cell(self, cell: NDArray[np.float64]) -> None:
        """Take a cell; keep the list across a small change, at the cost of a part of the skin."""
        if self.box is not None and not np.array_equal(cell, self.cell):
            self._strain(cell)
        if self.box is None or not np.array_equal(cell, self.cell):
            self._device.write(self.known, np.append(cell.ravel(), self._pbc))
        self.cell = cell.copy()

    def write_positions(self, positions: NDArray[np.float64]) -> None:
        """Positions of the atoms last followed."""
        self._device.write(self.buffers.positions, positions.ravel())

    def set_scale(self, scale: float) -> None:
        """Forces are summed in 1/scale eV/Å from now on."""
        self.scale = scale
        # an atom gets one contribution from each atom that lists it, and its own sum
        self.limit = 2.0**61 / (2 * self.most + 2)
        if self._now is not None:
            integers = self._program.precision != "float64"
            self._device.write(self.frame, self._now.frame_array(scale, self.limit, integers))

    def build(self, structure: Structure) -> None:
        """Make the list of the atoms last followed."""
        n, program = len(structure), self._program
        self.prepare()
        self._now = box = make_box(structure, self._cutoff + self._skin)
        bins = box.bins(n)
        self.write_positions(structure.positions)
        self._device.write(self.grid, bins)
        self._device.write(self.box_buffer, box.box_array(self._skin / 2))
        self.set_scale(self.scale)
        self._sort(n, int(bins.prod()))
        self._find(n)
        self._order(n)
        program.fit(self.most, n)
        self.set_scale(self.scale)
        self.box = box
        self.builds += 1

    def _strain(self, cell: NDArray[np.float64]) -> None:
        assert self.box is not None
        cell = np.where(self._pbc[:, None], cell, self.box.cell)
        left = self._skin - 2 * self.box.reach * self.box.strain_to(cell)
        if not (left > 0 and self._pbc.all()):
            self.box = None
            return
        self._now = replace(self.box, cell=cell)
        self._device.write(self.box_buffer, self._now.box_array(left / 2))
        self.set_scale(self.scale)

    def _sort(self, n: int, n_bins: int) -> None:
        """Atoms into bins; points."""
        launch, b = self._program.launch_over, self.buffers
        if self._bins[0].size < n_bins:
            empty = self._device.empty
            self._bins = (empty(n_bins, np.int32), empty(n_bins + 1, np.int32))
        counts, starts = self._bins
        launch("nnp_clear", n_bins, counts)
        launch(
            "nnp_wrap",
            n,
            b.positions,
            self.box_buffer,
            self.grid,
            b.built,
            b.bin_of,
            counts,
            self.state,
        )
        self._program.launch("nnp_scan", 1, n_bins, 1, counts, starts, self.state)
        launch("nnp_drop", n, b.bin_of, starts, counts, b.dropped)
        launch("nnp_sort", n, b.bin_of, starts, b.dropped, b.sorted)
        launch(
            "nnp_place", n, b.positions, self.box_buffer, b.built, b.points, b.forces, self.state
        )

    def _find(self, n: int) -> None:
        """Neighbours: count, make room, write."""
        b, rows = self.buffers, n * self._n_elements
        search = (
            self._n_elements, self.box_buffer, self.frame, self.grid, b.built, b.points,
            self._bins[1], b.sorted, b.elements, b.counts,
        )  # fmt: skip
        self._program.launch_over("nnp_clear", rows, b.counts)
        self._program.launch_over("nnp_count", n, *search)
        self._program.launch(
            "nnp_scan", 1, rows, self._n_elements, b.counts, b.row_starts, self.state
        )
        state = self._device.read(self.state, layout.STATE_SIZE)
        self.most = int(state[layout.STATE_MOST])
        total = self._total(n, rows)
        if total > self.entries.size:
            self.entries = self._device.empty(min(int(total * _SPARE), _MOST_ENTRIES), np.int64)
        state[layout.STATE_ENTRY_ROOM] = self.entries.size
        self._device.write(self.state, state)
        self._program.launch_over("nnp_fill", n, *search, b.row_starts, self.entries, self.state)

    def _total(self, n: int, rows: int) -> int:
        """Entries of the list; not asked of the kernels where their 32 bits may not hold it."""
        if n * self.most <= _MOST_ENTRIES:
            return int(self._device.read(self.buffers.row_starts, rows + 1)[-1])
        total = int(self._device.read(self.buffers.counts, rows).sum(dtype=np.int64))
        if total > _MOST_ENTRIES:
            raise UnavailableError(
                f"the neighbour list of {n} atoms would have {total} entries, at most "
                f"{_MOST_ENTRIES} are possible: evaluate fewer atoms, or choose a smaller skin="
            )
        return total

    def _order(self, n: int) -> None:
        """Per element its atoms, neighbours in space next to each other in memory."""
        order = self._device.read(self.buffers.sorted, n)
        elements = self._device.read(self.buffers.elements, n)[order]
        rows = [order[elements == element] for element in range(self._n_elements)]
        if [len(row) for row in rows] != [buffer.size for buffer in self.atoms]:
            self.atoms = [self._device.empty(len(row), np.int32) for row in rows]
        for buffer, row in zip(self.atoms, rows, strict=True):
            self._device.write(buffer, row)

    def _allocate(self, n: int) -> AtomBuffers:
        coordinate = np.float64 if self._program.precision == "float64" else np.int32
        empty, rows = self._device.empty, n * self._n_elements
        return AtomBuffers(
            positions=empty(3 * n, np.float64),
            elements=empty(n, np.int32),
            built=empty(3 * n, np.float64),
            points=empty(4 * n, coordinate),
            forces=empty(3 * n, np.int64),
            energies=empty(n, np.float64),
            virials=empty(6 * n, np.float64),
            status=empty(n, np.int32),
            bin_of=empty(n, np.int32),
            dropped=empty(n, np.int32),
            sorted=empty(n, np.int32),
            counts=empty(rows, np.int32),
            row_starts=empty(rows + 1, np.int32),
        )
