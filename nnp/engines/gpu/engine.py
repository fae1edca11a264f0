"""The GPU engines: the kernels of kernels/gpu, compiled for one potential at run time.

``gpu`` runs them through CuPy (CUDA), ``opencl`` through PyOpenCL: the same text, the same host
code, only the launches differ.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout
from nnp.engines.gpu.arrays import ArrayAtoms, ArrayEvaluation, Outputs
from nnp.engines.gpu.cuda_arrays import as_torch, is_torch
from nnp.engines.gpu.device import Device
from nnp.engines.gpu.evaluator import Evaluator, HostAtoms
from nnp.engines.gpu.library import PRECISIONS
from nnp.engines.gpu.program import Program
from nnp.engines.gpu.step import Step
from nnp.engines.vectors import vector
from nnp.errors import NumericalError, OptionError
from nnp.evaluation import Evaluation, Extrapolations, voigt
from nnp.potential import Potential
from nnp.structure import Structure

if TYPE_CHECKING:
    from nnp.engines.gpu.products import Tangents

DEFAULT_SKIN = 0.6  # Å


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
        group_size: threads per atom, a power of two; None: by the number of atoms.
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
        with device.queue_of():
            self._program = Program(potential, dtype, device, group_size, capacity)
            self._evaluator = Evaluator(potential, self._program, skin)
        self._tangents: Tangents | None = None

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
            "list_builds": self._evaluator.list.builds,
            "most_entries": self._evaluator.list.most,
            "capacity": self._program.capacity,
        }

    def prepare(self) -> None:
        """Compile the kernels now, not at the first evaluation.

        Raises:
            UnavailableError: the device's compiler does not take them.
        """
        with self.device.queue_of():
            self._evaluator.list.prepare()

    def compute(
        self, structure: Structure, forces: bool = True, stress: bool = False
    ) -> Evaluation:
        """See `nnp.engines.Engine.compute`."""
        volume = structure.volume if stress else 0.0
        run, n = self._evaluator, len(structure)
        with self.device.queue_of():
            run.run(HostAtoms(structure), _wanted(forces, stress))
            sums, outside = run.sums(), run.outside()
            if not np.isfinite(sums[0]):
                raise NumericalError("the sum of the atoms' energies is not finite")
            return Evaluation(
                energy=float(sums[0]),
                energies=run.energies(n),
                forces=run.forces(n) if forces else None,
                stress=voigt(_tensor(sums[1:]) / volume) if stress else None,
                extrapolations=self._extrapolations(structure, outside),
            )

    # ---- arrays that stay on the device --------------------------------------------------------

    def compute_arrays(
        self,
        positions: Any,
        atomic_numbers: Any,
        cell: Any,
        pbc: Any,
        forces: bool = True,
        stress: bool = False,
    ) -> ArrayEvaluation:
        """Energy, forces and stress in arrays of the kind of the positions.

        Positions on the device stay there, results too; the host reads one flag of 16 bytes (and
        the atoms, where a new neighbour list is due). All runs on the stream that is current in
        the positions' library. Positions on the host are evaluated like `compute`.

        Args:
            positions: (n, 3), Å, float32 or float64, in rows: an array of the device (CuPy,
                torch, ``__cuda_array_interface__``; ``pyopencl.array``) or of NumPy.
            atomic_numbers: (n,), on the device or the host.
            cell: (3, 3), rows are cell vectors, Å, on the device or the host.
            pbc: (3,) or one bool, on the device or the host.
            forces: whether they are wanted.
            stress: whether it is wanted; needs pbc along all three axes.

        Raises:
            OptionError: positions of another type, device or order.
            StructureError: atoms that cannot be evaluated.
            NumericalError: an energy or a force is not finite.
            UnavailableError: no memory is left.
        """
        if not self.device.is_array(positions):
            return self._from_host(positions, atomic_numbers, cell, pbc, forces, stress)
        with self.device.queue_of(positions):
            atoms, outputs = self._bring(positions, atomic_numbers, cell, pbc, stress)
            self._evaluator.run(atoms, _wanted(forces, stress), outputs)
            outside = self._evaluator.outside()
            found = self._extrapolations(atoms.structure() if len(outside) else None, outside)
        arrays = outputs.arrays
        return ArrayEvaluation(
            energy=arrays["energy"],
            energies=arrays["energies"],
            forces=arrays["forces"] if forces else None,
            stress=arrays["stress"] if stress else None,
            extrapolations=found,
        )

    def capture(
        self, positions: Any, atomic_numbers: Any, cell: Any, pbc: Any, stress: bool = False
    ) -> Step:
        """An evaluation of these atoms on fixed memory, that a CUDA graph can record.

        Args:
            positions: (n, 3), Å, on the device; later positions are written there.
            atomic_numbers: as for `compute_arrays`.
            cell: likewise; a float64 one that lies on the device is read again every time.
            pbc: likewise.
            stress: whether it is wanted.

        Raises:
            OptionError: positions that do not lie on the device; and as `compute_arrays`.
        """
        if not self.device.is_array(positions):
            raise OptionError(
                f"positions are a {type(positions).__name__} on the host: a recorded evaluation "
                "needs an array of the device (CuPy's, torch's)"
            )
        queue = partial(self._queue, positions)
        with queue():
            atoms, outputs = self._bring(positions, atomic_numbers, cell, pbc, stress)
        return Step(self._evaluator, atoms, outputs, _wanted(True, stress), queue)

    def _queue(self, positions: Any) -> AbstractContextManager[None]:
        return self.device.queue_of(positions)

    def _bring(
        self, positions: Any, numbers: Any, cell: Any, pbc: Any, stress: bool
    ) -> tuple[ArrayAtoms, Outputs]:
        atoms = ArrayAtoms(self.device, positions, numbers, cell, pbc)
        if stress:
            atoms.require_volume()
        real = np.float32 if atoms.single else np.float64
        return atoms, Outputs(self.device, positions, atoms.n, real)

    def _from_host(
        self, positions: Any, numbers: Any, cell: Any, pbc: Any, forces: bool, stress: bool
    ) -> ArrayEvaluation:
        host = [v.detach().cpu() if is_torch(v) else v for v in (positions, numbers, cell, pbc)]
        found = self.compute(Structure(*host), forces, stress)
        real = np.asarray(host[0]).dtype
        real = real if real in (np.float32, np.float64) else np.dtype(np.float64)

        def like(values: Any, dtype: Any = np.float64) -> Any:
            array = np.asarray(values, dtype)
            return as_torch(array) if is_torch(positions) else array

        return ArrayEvaluation(
            energy=like(found.energy),
            energies=like(found.energies),
            forces=None if found.forces is None else like(found.forces, real),
            stress=None if found.stress is None else like(found.stress),
            extrapolations=found.extrapolations,
        )

    # ---- descriptors ---------------------------------------------------------------------------

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `nnp.engines.Engine.descriptors`."""
        with self.device.queue_of():
            rows = self._evaluator.descriptors(structure)
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
        dl_dg = vector("dl_dg", dl_dg, int(ends[-1]))
        padded = np.zeros((len(structure), self._program.most_functions))
        for row, element, values in zip(padded, elements, np.split(dl_dg, ends[:-1]), strict=True):
            row[: len(values)] = values[self._program.orders[element]]
        wanted = layout.WANT_FORCES | layout.GIVEN_GRADIENT
        with self.device.queue_of():
            self._evaluator.set_gradient(padded)
            self._evaluator.run(
                HostAtoms(structure), wanted | (layout.WANT_VIRIAL if strain else 0)
            )
            virial = _tensor(self._evaluator.sums()[1:]) if strain else None
            return -self._evaluator.forces(len(structure)), virial

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
        from nnp.engines.gpu.products import Tangents

        elements = self._potential.element_indices(structure)
        with self.device.queue_of():
            if self._tangents is None:
                self._tangents = Tangents(self._program)
            self._tangents.point(len(structure), displacement, strain)
            self._evaluator.run(HostAtoms(structure), 0, tangents=self._tangents)
            return self._tangents.changes(elements)

    def _extrapolations(
        self, structure: Structure | None, outside: NDArray[np.float64]
    ) -> Extrapolations:
        """What the device noted, in order; ``structure`` is None where that is nothing."""
        atoms = outside[:, 0].astype(np.int64)
        elements = atoms if structure is None else self._potential.element_indices(structure)[atoms]
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


def _checked(dtype: str, skin: float | None) -> float:
    if dtype not in PRECISIONS:
        raise OptionError(f"dtype={dtype!r} is unknown: allowed are {', '.join(PRECISIONS)}")
    if skin is not None and not 0 <= skin < np.inf:
        raise OptionError(f"skin={skin} must be a finite number, not negative")
    return DEFAULT_SKIN if skin is None else skin


def _wanted(forces: bool, stress: bool) -> int:
    wanted = layout.WANT_ENERGY | (layout.WANT_FORCES if forces or stress else 0)
    return wanted | (layout.WANT_VIRIAL if stress else 0)


def _tensor(six: NDArray[np.float64]) -> NDArray[np.float64]:
    """xx, yy, zz, yz, xz, xy → (3, 3)."""
    return six[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)
