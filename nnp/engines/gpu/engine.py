"""The GPU engines: the kernels of kernels/gpu, compiled for one potential at run time.

``gpu`` runs them through CuPy (CUDA), ``opencl`` through PyOpenCL: the same text, the same host
code in C++, only the device differs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.contract import Capabilities, Engine
from nnp.engines.gpu import library as c
from nnp.engines.gpu.arrays import atoms_of, buffer_of
from nnp.engines.gpu.device import Buffer, Device
from nnp.engines.gpu.host import Host
from nnp.engines.vectors import require_size
from nnp.evaluation import Evaluation, voigt
from nnp.potential import Potential
from nnp.structure import Structure


class StructureEngine(Engine):
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
        UnavailableError: no device, or one that rejects the kernels.
    """

    name = "gpu"
    capabilities = Capabilities(products=True, arrays=True, terms=True)

    def __init__(
        self,
        potential: Potential,
        device: Device,
        dtype: str = "float64",
        skin: float | None = None,
        group_size: int | None = None,
        capacity: int | None = None,
    ) -> None:
        self.potential = potential
        self.dtype = dtype
        self.device = device
        with device.queue_of():
            self._host = Host(potential, device, dtype, skin, group_size, capacity)

    def takes(self, array: object) -> bool:
        """See `Engine.takes`."""
        return self.device.is_array(array)

    @property
    def target(self) -> str:
        """The device in use."""
        return self.device.description

    @property
    def source(self) -> str:
        """The kernels' text."""
        return self._host.source()

    @property
    def statistics(self) -> dict[str, float]:
        """List builds so far, most list entries of an atom, neighbours in local memory."""
        found = self._host.statistics()
        return {name: getattr(found, name) for name in ("list_builds", "most_entries", "capacity")}

    def prepare(self) -> None:
        """Compile the kernels now, not at the first evaluation.

        Raises:
            UnavailableError: the device's compiler does not take them.
        """
        with self.device.queue_of():
            self._host.prepare()

    def compute(
        self,
        structure: Structure,
        forces: bool = True,
        stress: bool = False,
        *,
        virials: bool = False,
    ) -> Evaluation:
        """See `Engine.compute`."""
        if virials:
            self._lacks("virials of atoms")
        volume = structure.volume if stress else 0.0
        request = c.Request(wanted=wanted_bits(forces, stress))
        with self.device.queue_of():
            found = self._host.evaluate(atoms_of(structure), request)
            energy, energies, force_nc, virial = self._host.read(len(structure), forces, stress)
            outside = self._host.extrapolations(found.n_extrapolations)
        return Evaluation(
            energy=energy,
            energies=energies,
            forces=force_nc,
            stress=voigt(virial / volume) if stress else None,
            extrapolations=outside,
        )

    # ---- descriptors ---------------------------------------------------------------------------

    def descriptors(self, structure: Structure, scaled: bool = False) -> list[NDArray[np.float64]]:
        """See `Engine.descriptors`."""
        elements, ends = self._layout(structure)
        with self.device.queue_of():
            self._host.evaluate(atoms_of(structure), c.Request(wanted=c.DESCRIPTORS))
            return self._by_atom(self._flat(int(ends[-1])), elements, ends, scaled)

    def descriptor_vjp(
        self, structure: Structure, dl_dg: NDArray[np.float64], strain: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """See `Engine.descriptor_vjp`."""
        total = int(self._layout(structure)[1][-1])
        require_size("dl_dg", np.size(dl_dg), total)
        with self.device.queue_of():
            given = buffer_of(self.device, "dl_dg", dl_dg)
            self._host.evaluate(atoms_of(structure), vjp_request(given, strain))
            return self._host.gradient(len(structure), strain)

    def descriptor_jvp(
        self,
        structure: Structure,
        displacement: NDArray[np.float64] | None = None,
        strain: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """See `Engine.descriptor_jvp`."""
        total = int(self._layout(structure)[1][-1])
        with self.device.queue_of():
            along = self._along(len(structure), displacement, strain)
            self._host.evaluate(atoms_of(structure), jvp_request(*along))
            return self._flat(total)

    def _layout(self, structure: Structure) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Element index of each atom, and where its descriptors end in the flat array."""
        elements = self.potential.element_indices(structure)
        widths = np.array([len(model.functions) for model in self.potential.models])
        return elements, np.cumsum(widths[elements])

    def _flat(self, total: int) -> NDArray[np.float64]:
        """Functions of all atoms, or their change, on the host."""
        flat = self.device.empty(total, np.float64)
        self._host.give_functions(flat.handle)
        return self.device.downloaded(flat)

    def _along(self, n: int, displacement: Any, strain: Any) -> tuple[Buffer, Buffer]:
        """A direction on the device; None: zero."""
        displacement = np.zeros(3 * n) if displacement is None else displacement
        strain = np.zeros(9) if strain is None else strain
        return (
            buffer_of(self.device, "displacement", displacement, 3 * n),
            buffer_of(self.device, "strain", strain, 9),
        )


def wanted_bits(forces: bool, stress: bool) -> int:
    """What an evaluation asks for."""
    return c.ENERGY | (c.FORCES if forces or stress else 0) | (c.VIRIAL if stress else 0)


def vjp_request(given: Buffer, strain: bool) -> c.Request:
    """A vector-Jacobian product; valid as long as the buffer."""
    wanted = c.FORCES | c.GRADIENT | (c.VIRIAL if strain else 0)
    return c.Request(wanted=wanted, dl_dg=given.handle, dl_dg_size=given.size)


def jvp_request(displacement: Buffer, strain: Buffer) -> c.Request:
    """A Jacobian-vector product; valid as long as the buffers."""
    return c.Request(wanted=c.CHANGE, direction=displacement.handle, strain=strain.handle)
