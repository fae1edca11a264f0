"""One evaluation: the launches, and again where list, buffers or scale were not good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout, transfer
from nnp.engines.gpu.arrays import ArrayAtoms, Outputs
from nnp.engines.gpu.device import Buffer
from nnp.engines.gpu.neighbor_list import DeviceList
from nnp.engines.gpu.program import FINISH_GROUPS, Program
from nnp.errors import NumericalError, StructureError
from nnp.potential import Potential
from nnp.structure import Structure

if TYPE_CHECKING:
    from nnp.engines.gpu.products import Tangents

# Forces are summed in units of 2^-48 eV/Å (3.6e-15), and coarser where one is too large for that.
_SCALE = 2.0**48
_COARSER = 16
# Extrapolations there is room for from the start.
_ROOM = 4096


class Atoms(Protocol):
    """Where an evaluation's atoms come from."""

    n: int

    def structure(self) -> Structure:
        """On the host."""
        ...


class HostAtoms:
    """Atoms of a structure."""

    def __init__(self, structure: Structure) -> None:
        self.n = len(structure)
        self._structure = structure

    def structure(self) -> Structure:
        """See `Atoms.structure`."""
        return self._structure


class Evaluator:
    """The kernels with their list and their results' buffers.

    Args:
        potential: what to evaluate.
        program: its kernels.
        skin: reach of the neighbour list beyond the cutoff, Å.
    """

    def __init__(self, potential: Potential, program: Program, skin: float) -> None:
        device = program.device
        self._potential, self._program, self._device = potential, program, device
        self.list = DeviceList(program, potential.cutoff, skin, len(potential.models))
        self.list.scale = _SCALE
        self._partial = device.empty(7 * FINISH_GROUPS, np.float64)
        self._report = device.empty(layout.STATE_COUNTERS, np.int32)
        self._descriptors = self._gradient = device.empty(0, np.float64)
        self.room(_ROOM)

    def run(
        self,
        atoms: Atoms,
        wanted: int,
        outputs: Outputs | None = None,
        tangents: Tangents | None = None,
    ) -> None:
        """Evaluate until the results stand.

        Args:
            atoms: the atoms.
            wanted: bits of `layout`, ``WANT_ENERGY`` and those after it.
            outputs: where to put the results, beside the buffers that are read below.
            tangents: Jacobian-vector products, in place of energies.

        Raises:
            StructureError: atoms that cannot be evaluated.
            NumericalError: an energy or a force is not finite.
            UnavailableError: no memory is left.
        """
        self._follow(atoms)
        if self.list.scale != _SCALE:  # for atoms that may not be there any more
            self.list.set_scale(_SCALE)
        while True:
            if self.list.box is None:
                structure = atoms.structure()
                _require_finite(structure.positions)
                self.list.build(structure)
            self.launch(atoms, wanted, outputs, tangents)
            if self.settled(atoms):
                return

    def settled(self, atoms: Atoms) -> bool:
        """Read the report: whether the last evaluation stands, else what it lacked is there now."""
        self._counters = self._device.read(self._report, layout.STATE_COUNTERS)
        extrapolating = int(self._counters[layout.STATE_EXTRAPOLATING])
        if self._counters[layout.STATE_LOST]:
            _require_finite(atoms.structure().positions)
        if self._counters[layout.STATE_REBUILD]:
            self._replace_list(atoms)
        elif self._counters[layout.STATE_FAILED]:
            self._raise_or_coarsen(atoms.structure())
        elif extrapolating > self._outside.size // 3:
            self.room(2 * extrapolating)
        else:
            return True
        return False

    def launch(
        self,
        atoms: Atoms,
        wanted: int,
        outputs: Outputs | None = None,
        tangents: Tangents | None = None,
    ) -> None:
        """All kernels of one evaluation; nothing is allocated, read or waited for."""
        nl, b, program = self.list, self.list.buffers, self._program
        positions = b.positions
        if isinstance(atoms, ArrayAtoms):
            positions = self._take(atoms)
        program.launch_over(
            "nnp_place", atoms.n, positions, nl.box_buffer, b.built, b.points, b.forces, nl.state
        )
        if tangents is None:
            self._evaluate(wanted)
        else:
            tangents.launch(nl)
        program.launch(
            "nnp_finish", FINISH_GROUPS, atoms.n, wanted, b.energies, b.virials, self._partial,
            nl.state, self._report,
        )  # fmt: skip
        if outputs is not None:
            self._give(atoms.n, wanted, outputs)

    def _evaluate(self, wanted: int) -> None:
        """Energies and gradients, or descriptors: one launch per element."""
        nl, b, program = self.list, self.list.buffers, self._program
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

    # ---- results -------------------------------------------------------------------------------

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

    def descriptors(self, structure: Structure) -> NDArray[np.float64]:
        """(n, most functions), in the kernels' order."""
        self._descriptors = self._padded(self._descriptors, len(structure))
        self.run(HostAtoms(structure), layout.WANT_DESCRIPTORS)
        width = self._program.most_functions
        return self._device.read(self._descriptors, width * len(structure)).reshape(-1, width)

    def set_gradient(self, padded: NDArray[np.float64]) -> None:
        """dL/dG in the shape of `descriptors`, for ``GIVEN_GRADIENT``."""
        self._gradient = self._padded(self._gradient, len(padded))
        self._device.write(self._gradient, padded.ravel())

    def room(self, count: int) -> None:
        """Memory for this many extrapolations."""
        self._outside = self._device.empty(3 * count, np.float64)
        state = self._device.read(self.list.state, layout.STATE_SIZE)
        state[layout.STATE_ROOM] = count
        self._device.write(self.list.state, state)

    def _padded(self, buffer: Buffer, n: int) -> Buffer:
        size = n * self._program.most_functions
        return buffer if buffer.size >= size else self._device.empty(size, np.float64)

    # ---- the list follows the atoms --------------------------------------------------------------

    def _follow(self, atoms: Atoms) -> None:
        """Tell the list what is known of the atoms on the host; arrays are compared by nnp_take."""
        if not isinstance(atoms, ArrayAtoms):
            self._adopt(atoms.structure())
            self.list.write_positions(atoms.structure().positions)
            return
        numbers, cell, pbc = atoms.host_part()
        if self.list.box is None or not self.list.is_of(atoms.n, numbers, pbc):
            self._adopt(atoms.structure())
        elif cell is not None:
            self.list.follow_cell(cell)

    def _replace_list(self, atoms: Atoms) -> None:
        """The device says that the list is too old: for the cell, for other atoms, or by motion."""
        if isinstance(atoms, ArrayAtoms):
            cell = atoms.cell_now()
            if not np.array_equal(cell, self.list.cell):
                self.list.follow_cell(cell)
                return
            self._adopt(atoms.structure())
        self.list.box = None

    def _adopt(self, structure: Structure) -> None:
        self.list.follow(structure, self._potential.element_indices(structure))

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

    # ---- what can go wrong ---------------------------------------------------------------------

    def _raise_or_coarsen(self, structure: Structure) -> None:
        """Raise what the atoms' status says; coarser fixed point where only a force is large."""
        status = self._device.read(self.list.buffers.status, len(structure))
        overlapping = np.flatnonzero(status & layout.STATUS_OVERLAP)
        if len(overlapping):
            first, second = sorted((int(overlapping[0]), _partner(structure, int(overlapping[0]))))
            raise StructureError(
                f"atoms {first} and {second} are in the same place: remove one of them"
            )
        broken = np.flatnonzero(status & layout.STATUS_NOT_FINITE)
        if len(broken) or self.list.scale <= 2.0**-900:
            atom = int(broken[0]) if len(broken) else 0
            raise NumericalError(
                f"energy or force of atom {atom} is not finite: the structure is far outside what "
                "the potential was trained on; look at the atoms around this one"
            )
        self.list.set_scale(self.list.scale / 2.0**_COARSER)


def _require_finite(positions: NDArray[np.float64]) -> None:
    finite = np.isfinite(positions).all(axis=1)
    if not finite.all():
        atom = int(np.argmin(finite))
        raise StructureError(f"position of atom {atom} is not finite: {positions[atom]}")


def _partner(structure: Structure, atom: int) -> int:
    """The other atom that lies on this one, or itself (its own image)."""
    apart = structure.positions - structure.positions[atom]
    rows = structure.cell[structure.pbc]
    if len(rows):
        fractions = apart @ np.linalg.pinv(rows)
        apart = apart - np.rint(fractions) @ rows
    distance = np.linalg.norm(apart, axis=1)
    distance[atom] = np.inf
    nearest = int(np.argmin(distance))
    return nearest if distance[nearest] < 1e-5 else atom
