"""The GPU engines: the kernels of kernels/gpu, compiled for one potential at run time.

``gpu`` runs them through CuPy (CUDA), ``opencl`` through PyOpenCL: the same text, the same host
code, only the launches differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import layout
from nnp.engines.gpu.arrays import buffer_of
from nnp.engines.gpu.atoms import HostAtoms
from nnp.engines.gpu.device import Device
from nnp.engines.gpu.evaluator import Evaluator
from nnp.engines.gpu.extrapolations import in_order
from nnp.engines.gpu.kernels import Request
from nnp.engines.gpu.library import PRECISIONS
from nnp.engines.gpu.products import Tangents
from nnp.engines.gpu.program import Program
from nnp.errors import NumericalError, OptionError
from nnp.evaluation import Evaluation, Extrapolations, voigt
from nnp.potential import Potential
from nnp.structure import Structure

DEFAULT_SKIN = 0.6  # Å


class StructureEngine:
    """Evaluates a potential on a `Device`; the half of `GpuKernelEngine` that takes structures.

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

    def _in_order(self, outside: NDArray[np.float64]) -> Extrapolations:
        elements = self._evaluator.list.element_indices
        return in_order(self._potential, self._program.orders, elements, outside)

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
        found, n = self._evaluator.kernels, len(structure)
        with self.device.queue_of():
            self._evaluator.run(HostAtoms(structure), Request(wanted_bits(forces, stress)))
            sums, outside = found.sums(), found.outside()
            if not np.isfinite(sums[0]):
                raise NumericalError("the sum of the atoms' energies is not finite")
            return Evaluation(
                energy=float(sums[0]),
                energies=found.energies(n),
                forces=found.forces(n) if forces else None,
                stress=voigt(_tensor(sums) / volume) if stress else None,
                extrapolations=self._in_order(outside),
            )

    # ---- descriptors ---------------------------------------------------------------------------

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `nnp.engines.Engine.descriptors`."""
        elements = self._potential.element_indices(structure)
        ends = np.cumsum(self._evaluator.kernels.rows.counts(elements))
        with self.device.queue_of():
            self._evaluator.run(HostAtoms(structure), Request(layout.WANT_DESCRIPTORS))
            flat = self.device.empty(int(ends[-1]), np.float64)
            self._evaluator.kernels.give_descriptors(flat)
            rows = np.split(self.device.read(flat, flat.size), ends[:-1])
        if scaled:
            scalings = [self._potential.models[e].scaling for e in elements]
            rows = [s.factor * row + s.offset for s, row in zip(scalings, rows, strict=True)]
        return rows

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
        n, total = len(structure), self._functions_of(structure)
        with self.device.queue_of():
            given = buffer_of(self.device, "dl_dg", dl_dg, total)
            self._evaluator.run(HostAtoms(structure), Request(vjp_bits(strain), given=given))
            virial = _tensor(self._evaluator.kernels.sums()) if strain else None
            return -self._evaluator.kernels.forces(n), virial

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64] | None = None,
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Jacobian-vector product: change of the raw descriptors along a displacement or strain.

        Args:
            structure: the atoms.
            displacement: (n, 3), Å; None: none.
            strain: (3, 3) ε of positions and cell, r (1 + ε); None: none.

        Returns:
            dG of all atoms, one after the other.
        """
        total = self._functions_of(structure)
        with self.device.queue_of():
            tangents = self._pointed(len(structure), displacement, strain)
            self._evaluator.run(HostAtoms(structure), Request(0, tangents=tangents))
            flat = self.device.empty(total, np.float64)
            self._evaluator.kernels.give_changes(tangents, flat)
            return self.device.read(flat, total)

    def _functions_of(self, structure: Structure) -> int:
        """How many functions all atoms have."""
        elements = self._potential.element_indices(structure)
        return int(self._evaluator.kernels.rows.counts(elements).sum())

    def _pointed(self, n: int, displacement: Any, strain: Any) -> Tangents:
        """The program of Jacobian-vector products, along these directions; None: zero."""
        if self._tangents is None:
            self._tangents = Tangents(self._program)
        displacement = np.zeros(3 * n) if displacement is None else displacement
        strain = np.zeros(9) if strain is None else strain
        self._tangents.point(
            buffer_of(self.device, "displacement", displacement, 3 * n),
            buffer_of(self.device, "strain", strain, 9),
        )
        return self._tangents


def _checked(dtype: str, skin: float | None) -> float:
    if dtype not in PRECISIONS:
        raise OptionError(f"dtype={dtype!r} is unknown: allowed are {', '.join(PRECISIONS)}")
    if skin is not None and not 0 <= skin < np.inf:
        raise OptionError(f"skin={skin} must be a finite number, not negative")
    return DEFAULT_SKIN if skin is None else skin


def wanted_bits(forces: bool, stress: bool) -> int:
    """Bits of `layout` for an evaluation."""
    wanted = layout.WANT_ENERGY | (layout.WANT_FORCES if forces or stress else 0)
    return wanted | (layout.WANT_VIRIAL if stress else 0)


def vjp_bits(strain: bool) -> int:
    """Bits of `layout` for a vector-Jacobian product."""
    return layout.WANT_FORCES | layout.GIVEN_GRADIENT | (layout.WANT_VIRIAL if strain else 0)


def _tensor(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energy, xx, yy, zz, yz, xz, xy → (3, 3)."""
    return sums[[1, 6, 5, 6, 2, 4, 5, 4, 3]].reshape(3, 3)
