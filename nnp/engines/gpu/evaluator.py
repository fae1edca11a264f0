"""One evaluation, and again where list, buffers or scale were not good enough."""

from __future__ import annotations

import numpy as np

from nnp.engines.gpu import layout
from nnp.engines.gpu.atoms import ArrayAtoms, Atoms
from nnp.engines.gpu.failures import raise_failures, require_finite
from nnp.engines.gpu.kernels import Kernels, Request
from nnp.engines.gpu.neighbor_list import DeviceList
from nnp.engines.gpu.program import Program
from nnp.potential import Potential
from nnp.structure import Structure

# Forces are summed in units of 2^-48 eV/Å (3.6e-15), and coarser where one is too large for that.
_SCALE = 2.0**48
_COARSER = 16
_LAST_SCALE = 2.0**-900


class Evaluator:
    """Keeps the list good for the atoms, and runs the kernels until their results stand.

    Args:
        potential: what to evaluate.
        program: its kernels.
        skin: reach of the neighbour list beyond the cutoff, Å.
    """

    def __init__(self, potential: Potential, program: Program, skin: float) -> None:
        self._potential, self._device = potential, program.device
        self.list = DeviceList(program, potential.cutoff, skin, len(potential.models))
        self.list.scale = _SCALE
        self.kernels = Kernels(program, self.list)

    def run(self, atoms: Atoms, request: Request) -> None:
        """Evaluate until the results stand.

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
                require_finite(structure.positions)
                self.list.build(structure)
            self.kernels.launch(atoms, request)
            if self.settled(atoms):
                return

    def settled(self, atoms: Atoms) -> bool:
        """Read the report: whether the last evaluation stands, else what it lacked is there now."""
        report = self.kernels.report()
        if report[layout.STATE_LOST]:
            require_finite(atoms.structure().positions)
        if report[layout.STATE_REBUILD]:
            self._replace_list(atoms)
        elif report[layout.STATE_FAILED]:
            self._raise_or_coarsen(atoms.structure())
        elif not self.kernels.has_room():
            self.kernels.more_room()
        else:
            return True
        return False

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

    def _raise_or_coarsen(self, structure: Structure) -> None:
        """Raise what the atoms' status says; coarser fixed point where only a force is large."""
        status = self._device.read(self.list.buffers.status, len(structure))
        raise_failures(structure, status, self.list.scale <= _LAST_SCALE)
        self.list.set_scale(self.list.scale / 2.0**_COARSER)
