"""The GPU engines: the kernels of kernels/gpu, compiled for one potential at run time.

``gpu`` runs them through CuPy (CUDA), ``opencl`` through PyOpenCL: the same text, the same host
code, only the launches differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout
from nnp.engines.gpu.device import Buffer, Device
from nnp.engines.gpu.library import PRECISIONS
from nnp.engines.gpu.neighbor_list import DeviceList
from nnp.engines.gpu.products import Tangents
from nnp.engines.gpu.program import FINISH_GROUPS, GROUP_SIZE, Program
from nnp.errors import NumericalError, OptionError, StructureError
from nnp.evaluation import Evaluation, Extrapolations, voigt
from nnp.potential import Potential
from nnp.structure import Structure

DEFAULT_SKIN = 0.6  # Å
# Forces are summed in units of 2^-48 eV/Å (3.6e-15), and coarser where one is too large for that.
_SCALE_EXPONENT = 48
_COARSER = 16
# Extrapolations there is room for from the start.
_ROOM = 4096


@dataclass(frozen=True)
class _Report:
    """What an evaluation left on the device, read back."""

    partial: NDArray[np.float64]  # (groups, 7) energy and virial
    outside: NDArray[np.float64]  # (m, 3) atom, function inside the kernels, excess


class GpuKernelEngine:
    """Evaluates a potential on a `Device`; made by `GpuEngine` and `OpenCLEngine`.

    Results repeat bit for bit on the same device. Between calls with the same atoms the neighbour
    list is kept until an atom may have crossed the skin.

    Args:
        potential: what to evaluate.
        device: where.
        dtype: ``"float64"``, ``"float32"`` (distances and functions in float32; sums over
            neighbours, networks and energies in float64), or ``"single"`` (all of an atom in
            float32).
        skin: reach of the neighbour list beyond the cutoff, Å; None: 0.6.
        group_size: threads per atom, a power of two.
        capacity: neighbours in local memory at once; None: as many as an atom has.

    Raises:
        OptionError: an option that is not allowed.
        UnavailableError: no device, or one that does not take the kernels.
    """

    name = "gpu"

    def __init__(
        self,
        potential: Potential,
        device: Device,
        dtype: str = "float64",
        skin: float | None = None,
        group_size: int | None = None,
        capacity: int | None = None,
    ) -> None:
        skin = _checked(dtype, skin)
        self._potential = potential
        self.device = device
        self._program = Program(potential, dtype, device, group_size or GROUP_SIZE, capacity)
        self._list = DeviceList(self._program, potential.cutoff, skin, len(potential.models))
        self._list.scale = 2.0**_SCALE_EXPONENT
        self._partial = device.empty(7 * FINISH_GROUPS, np.float64)
        self._report = device.empty(layout.STATE_COUNTERS, np.int32)
        self._nothing = device.empty(0, np.float64)
        self._descriptors = self._gradient = self._nothing
        self._tangents = Tangents(self._program)
        self._room(_ROOM)

    @property
    def target(self) -> str:
        """The device in use."""
        return self.device.description

    @property
    def source(self) -> str:
        """The kernels' text, once something was evaluated."""
        return self._program.source

    @property
    def statistics(self) -> dict[str, int]:
        """List builds so far, most list entries of an atom, neighbours in local memory."""
        return {
            "list_builds": self._list.builds,
            "most_entries": self._list.most,
            "capacity": self._program.capacity,
        }

    def compute(
        self, structure: Structure, forces: bool = True, stress: bool = False
    ) -> Evaluation:
        """See `nnp.engines.Engine.compute`."""
        volume = structure.volume if stress else 0.0
        wanted = layout.WANT_ENERGY | (layout.WANT_FORCES if forces or stress else 0)
        report = self._run(structure, wanted | (layout.WANT_VIRIAL if stress else 0))
        n = len(structure)
        sums = report.partial.sum(axis=0)
        if not np.isfinite(sums[0]):
            raise NumericalError("the sum of the atoms' energies is not finite")
        return Evaluation(
            energy=float(sums[0]),
            energies=self.device.read(self._list.buffers.energies, n),
            forces=self._forces(n) if forces else None,
            stress=voigt(_tensor(sums[1:]) / volume) if stress else None,
            extrapolations=self._extrapolations(structure, report.outside),
        )

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `nnp.engines.Engine.descriptors`."""
        self._descriptors = self._padded(self._descriptors, len(structure))
        self._run(structure, layout.WANT_DESCRIPTORS)
        width = self._program.most_functions
        rows = self.device.read(self._descriptors, width * len(structure)).reshape(-1, width)
        out = []
        for row, element in zip(rows, self._potential.element_indices(structure), strict=True):
            order, scaling = self._program.orders[element], self._potential.models[element].scaling
            values = np.empty(len(order))
            values[order] = row[: len(order)]
            out.append(scaling.factor * values + scaling.offset if scaled else values)
        return out

    def descriptor_vjp(
        self, structure: Structure, dl_dg: NDArray[np.float64], strain: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Vector-Jacobian product of the raw descriptors.

        Args:
            structure: the atoms.
            dl_dg: dL/dG of all atoms, one after the other (``descriptors``, concatenated).
            strain: whether to return dL/d(strain) too.

        Returns:
            dL/dr (n, 3), and dL/d(strain) (3, 3) or None.
        """
        elements = self._potential.element_indices(structure)
        ends = np.cumsum([len(self._program.orders[e]) for e in elements])
        dl_dg = np.ascontiguousarray(dl_dg, np.float64).ravel()
        if dl_dg.size != ends[-1]:
            raise OptionError(f"dl_dg has {dl_dg.size} numbers: this structure takes {ends[-1]}")
        padded = np.zeros((len(structure), self._program.most_functions))
        for row, element, values in zip(padded, elements, np.split(dl_dg, ends[:-1]), strict=True):
            row[: len(values)] = values[self._program.orders[element]]
        self._gradient = self._padded(self._gradient, len(structure))
        self.device.write(self._gradient, padded.ravel())
        wanted = layout.WANT_FORCES | layout.GIVEN_GRADIENT
        report = self._run(structure, wanted | (layout.WANT_VIRIAL if strain else 0))
        virial = _tensor(report.partial.sum(axis=0)[1:]) if strain else None
        return -self._forces(len(structure)), virial

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64],
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Jacobian-vector product: change of the raw descriptors along a displacement.

        Args:
            structure: the atoms.
            displacement: (n, 3), Å.
            strain: (3, 3), every r_ij changes by r_ij @ strain too; None: zero.

        Returns:
            dG of all atoms, one after the other.
        """
        elements = self._potential.element_indices(structure)
        self._tangents.point(len(structure), displacement, strain)
        self._run(structure, 0, self._tangents)
        return self._tangents.changes(elements)

    # ---- one evaluation ------------------------------------------------------------------------

    def _run(self, structure: Structure, wanted: int, tangents: Tangents | None = None) -> _Report:
        """Evaluate, again where the list was too old, a buffer too small or a force too large."""
        elements = self._potential.element_indices(structure)
        self._list.follow(structure, elements)
        while True:
            if self._list.box is None:
                _require_finite(structure.positions)
                self._list.build(structure)
            self._launch(len(structure), wanted, tangents)
            counters = self.device.read(self._report, layout.STATE_COUNTERS)
            if counters[layout.STATE_LOST]:
                _require_finite(structure.positions)
            if counters[layout.STATE_REBUILD]:
                self._list.box = None
            elif counters[layout.STATE_FAILED]:
                self._raise_or_coarsen(structure)
            elif counters[layout.STATE_EXTRAPOLATING] > self._outside.size // 3:
                self._room(2 * int(counters[layout.STATE_EXTRAPOLATING]))
            else:
                break
        found = int(counters[layout.STATE_EXTRAPOLATING])
        return _Report(
            self.device.read(self._partial, 7 * FINISH_GROUPS).reshape(-1, 7),
            self.device.read(self._outside, 3 * found).reshape(-1, 3),
        )

    def _launch(self, n: int, wanted: int, tangents: Tangents | None) -> None:
        """All kernels of one evaluation: one, one per element, one."""
        nl, b, program = self._list, self._list.buffers, self._program
        program.launch_over(
            "nnp_place", n, b.positions, nl.box_buffer, b.built, b.points, b.forces, nl.state
        )
        if tangents is None:
            self._evaluate(wanted)
        else:
            tangents.launch(nl)
        program.launch(
            "nnp_finish", FINISH_GROUPS, n, wanted, b.energies, b.virials, self._partial, nl.state,
            self._report,
        )  # fmt: skip

    def _evaluate(self, wanted: int) -> None:
        """Energies and gradients, or descriptors: one launch per element."""
        nl, b, program = self._list, self._list.buffers, self._program
        for element, atoms in enumerate(nl.atoms):
            if atoms.size == 0:
                continue
            program.launch(
                f"nnp_evaluate_e{element}", atoms.size, atoms.size, wanted, atoms,
                b.points, nl.entries, b.row_starts, nl.frame, program.parameters[element],
                self._gradient, self._descriptors, b.energies, b.forces, b.virials, self._outside,
                b.status, nl.state,
            )  # fmt: skip

    def _forces(self, n: int) -> NDArray[np.float64]:
        counts = self.device.read(self._list.buffers.forces, 3 * n)
        return np.asarray(counts / self._list.scale).reshape(-1, 3)

    def _padded(self, buffer: Buffer, n: int) -> Buffer:
        size = n * self._program.most_functions
        return buffer if buffer.size >= size else self.device.empty(size, np.float64)

    def _room(self, count: int) -> None:
        """Memory for this many extrapolations."""
        self._outside = self.device.empty(3 * count, np.float64)
        state = self.device.read(self._list.state, layout.STATE_SIZE)
        state[layout.STATE_ROOM] = count
        self.device.write(self._list.state, state)

    # ---- what can go wrong ---------------------------------------------------------------------

    def _raise_or_coarsen(self, structure: Structure) -> None:
        """Raise what the atoms' status says; coarser fixed point where only a force is large."""
        status = self.device.read(self._list.buffers.status, len(structure))
        overlapping = np.flatnonzero(status & layout.STATUS_OVERLAP)
        if len(overlapping):
            first, second = sorted((int(overlapping[0]), _partner(structure, int(overlapping[0]))))
            raise StructureError(
                f"atoms {first} and {second} are in the same place: remove one of them"
            )
        broken = np.flatnonzero(status & layout.STATUS_NOT_FINITE)
        if len(broken) or self._list.scale <= 2.0**-900:
            atom = int(broken[0]) if len(broken) else 0
            raise NumericalError(
                f"energy or force of atom {atom} is not finite: the structure is far outside what "
                "the potential was trained on; look at the atoms around this one"
            )
        self._list.set_scale(self._list.scale / 2.0**_COARSER)

    def _extrapolations(self, structure: Structure, outside: NDArray[np.float64]) -> Extrapolations:
        atoms = outside[:, 0].astype(np.int64)
        elements = self._potential.element_indices(structure)[atoms]
        functions, width = outside[:, 1].astype(np.int64), np.empty(len(atoms))
        for element, model in enumerate(self._potential.models):
            mine = elements == element
            functions[mine] = self._program.orders[element][functions[mine]]
            width[mine] = (model.scaling.maximum - model.scaling.minimum)[functions[mine]]
        order = np.lexsort((functions, atoms))
        excess = outside[:, 2]
        with np.errstate(divide="ignore"):  # a function that was constant: infinitely far
            relative = excess / width
        return Extrapolations(atoms[order], functions[order], excess[order], relative[order])


class GpuEngine(GpuKernelEngine):
    """Evaluates a potential on an NVIDIA GPU; see `GpuKernelEngine`.

    Args:
        potential: what to evaluate.
        dtype: ``"float64"``, ``"float32"`` or ``"single"``, see `GpuKernelEngine`.
        skin: reach of the neighbour list beyond the cutoff, Å; None: 0.6.
        device: CUDA's number of the device; None: the current one.
        group_size: threads per atom, a power of two; more for few atoms.
        capacity: neighbours in local memory at once; None: as many as an atom has.
    """

    name = "gpu"

    def __init__(
        self,
        potential: Potential,
        dtype: str = "float64",
        skin: float | None = None,
        device: int | None = None,
        group_size: int | None = None,
        capacity: int | None = None,
    ) -> None:
        from nnp.engines.gpu.cuda import CudaDevice

        super().__init__(potential, CudaDevice(device), dtype, skin, group_size, capacity)


class OpenCLEngine(GpuKernelEngine):
    """Evaluates a potential on an OpenCL device; see `GpuKernelEngine`.

    Args:
        potential: what to evaluate.
        dtype: ``"float64"``, ``"float32"`` or ``"single"``, see `GpuKernelEngine`.
        skin: reach of the neighbour list beyond the cutoff, Å; None: 0.6.
        device: number of the device, GPUs first.
        group_size: threads per atom, a power of two.
        capacity: neighbours in local memory at once; None: as many as an atom has.
    """

    name = "opencl"

    def __init__(
        self,
        potential: Potential,
        dtype: str = "float64",
        skin: float | None = None,
        device: int = 0,
        group_size: int | None = None,
        capacity: int | None = None,
    ) -> None:
        from nnp.engines.gpu.opencl import OpenCLDevice

        super().__init__(potential, OpenCLDevice(device), dtype, skin, group_size, capacity)


def _checked(dtype: str, skin: float | None) -> float:
    if dtype not in PRECISIONS:
        raise OptionError(f"dtype={dtype!r} is unknown: allowed are {', '.join(PRECISIONS)}")
    if skin is not None and not 0 <= skin < np.inf:
        raise OptionError(f"skin={skin} must be a finite number, not negative")
    return DEFAULT_SKIN if skin is None else skin


def _tensor(six: NDArray[np.float64]) -> NDArray[np.float64]:
    """xx, yy, zz, yz, xz, xy → (3, 3)."""
    return six[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)


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
