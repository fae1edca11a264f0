"""The half of the GPU engines that takes arrays, and gives them back where they came from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np

from nnp.engines.gpu import library as c
from nnp.engines.gpu.arrays import (
    ArrayAtoms,
    Outputs,
    buffer_of,
    evaluation_like,
    host_array,
    like_host,
    on_host,
)
from nnp.engines.gpu.engine import StructureEngine, jvp_request, vjp_request, wanted_bits
from nnp.engines.gpu.step import Step
from nnp.errors import OptionError
from nnp.evaluation import ArrayEvaluation


class GpuKernelEngine(StructureEngine):
    """Evaluates a potential on a `Device`; `GpuEngine` and `OpenCLEngine` choose it."""

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
            structure = on_host(positions, atomic_numbers, cell, pbc)
            return evaluation_like(positions, self.compute(structure, forces, stress))
        with self.device.queue_of(positions):
            atoms, outputs = self._bring(positions, atomic_numbers, cell, pbc, stress)
            request = outputs.request(wanted_bits(forces, stress))
            count = self._host.evaluate(atoms.given, request).n_extrapolations
            found = self._host.extrapolations(count)
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
        return Step(self._host, atoms, outputs, wanted_bits(True, stress), queue)

    def _queue(self, *values: Any) -> AbstractContextManager[None]:
        return self.device.queue_of(*(v for v in values if self.device.is_array(v)))

    def _bring(
        self, positions: Any, numbers: Any, cell: Any, pbc: Any, stress: bool
    ) -> tuple[ArrayAtoms, Outputs]:
        atoms = ArrayAtoms(self.device, positions, numbers, cell, pbc)
        if stress:
            atoms.require_volume()
        real = np.float32 if atoms.single else np.float64
        return atoms, Outputs(self.device, positions, atoms.n, real)

    # ---- descriptors ---------------------------------------------------------------------------

    def descriptors_arrays(self, positions: Any, atomic_numbers: Any, cell: Any, pbc: Any) -> Any:
        """Raw functions of all atoms, one after the other; arguments as of `compute_arrays`.

        Returns:
            (sum of the atoms' numbers of functions,) float64, of the kind of the positions.
        """
        if not self.device.is_array(positions):
            structure = on_host(positions, atomic_numbers, cell, pbc)
            return like_host(positions, np.concatenate(self.descriptors(structure)))
        with self.device.queue_of(positions):
            atoms = ArrayAtoms(self.device, positions, atomic_numbers, cell, pbc)
            self._host.evaluate(atoms.given, c.Request(wanted=c.DESCRIPTORS))
            return self._functions(positions)

    def descriptor_vjp_arrays(
        self,
        positions: Any,
        atomic_numbers: Any,
        cell: Any,
        pbc: Any,
        dl_dg: Any,
        strain: bool = False,
    ) -> tuple[Any, Any | None]:
        """Vector-Jacobian product; the atoms as for `compute_arrays`.

        Args:
            positions: see `compute_arrays`, as the three after it.
            atomic_numbers: likewise.
            cell: likewise.
            pbc: likewise.
            dl_dg: as `descriptors_arrays` returns, on the device or the host.
            strain: whether to return dL/d(strain) too.

        Returns:
            dL/dr (n, 3), in the type of the positions, and dL/d(strain) (3, 3) float64 or None.

        Raises:
            OptionError: ``dl_dg`` has another length.
        """
        if not self.device.is_array(positions):
            structure = on_host(positions, atomic_numbers, cell, pbc)
            found = self.descriptor_vjp(structure, host_array(dl_dg), strain)
            return like_host(positions, found[0], True), like_host(positions, found[1])
        with self._queue(positions, dl_dg):
            atoms = ArrayAtoms(self.device, positions, atomic_numbers, cell, pbc)
            given = buffer_of(self.device, "dl_dg", dl_dg)
            self._host.evaluate(atoms.given, vjp_request(given, strain))
            real = np.float32 if atoms.single else np.float64
            by_positions = self.device.new(positions, (atoms.n, 3), real)
            by_strain = self.device.new(positions, (3, 3), np.float64) if strain else None
            arrays = [by_positions] if by_strain is None else [by_positions, by_strain]
            handles = [self.device.view("gradient", array).handle for array in arrays]
            self._host.give_gradient(handles[0], atoms.single, handles[1] if strain else 0)
        return by_positions, by_strain

    def descriptor_jvp_arrays(
        self,
        positions: Any,
        atomic_numbers: Any,
        cell: Any,
        pbc: Any,
        displacement: Any | None = None,
        strain: Any | None = None,
    ) -> Any:
        """Jacobian-vector product; the atoms as for `compute_arrays`.

        Args:
            positions: see `compute_arrays`, as the three after it.
            atomic_numbers: likewise.
            cell: likewise.
            pbc: likewise.
            displacement: (n, 3), Å, on the device or the host; None: none.
            strain: (3, 3), r (1 + ε), on the device or the host; None: none.

        Returns:
            dG, laid out as `descriptors_arrays`.
        """
        if not self.device.is_array(positions):
            structure = on_host(positions, atomic_numbers, cell, pbc)
            along = [None if v is None else host_array(v) for v in (displacement, strain)]
            return like_host(positions, self.descriptor_jvp(structure, *along))
        with self._queue(positions, displacement, strain):
            atoms = ArrayAtoms(self.device, positions, atomic_numbers, cell, pbc)
            direction = self._along(atoms.n, displacement, strain)
            self._host.evaluate(atoms.given, jvp_request(*direction))
            return self._functions(positions)

    def _functions(self, like: Any) -> Any:
        """Functions of all atoms, or their change, in an array of the caller's kind."""
        flat = self.device.new(like, (self._host.n_functions(),), np.float64)
        self._host.give_functions(self.device.view("functions", flat).handle)
        return flat
