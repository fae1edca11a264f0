"""The GPU host of libnnp for one potential and device: nnp_gpu.h's engine as Python calls."""

from __future__ import annotations

import ctypes as ct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.elements import chemical_symbol
from nnp.engines import _library
from nnp.engines.flatten import flatten
from nnp.engines.gpu import library as c
from nnp.engines.gpu.device import Device
from nnp.errors import OptionError, StructureError
from nnp.evaluation import Extrapolations
from nnp.finalize import release_with
from nnp.potential import Potential


class Host:
    """Box, neighbour list, launches and failures, in C++.

    Args:
        potential: what to evaluate.
        device: where.
        dtype: of `library.PRECISIONS`.
        skin: reach of the list beyond the cutoff, Å; None: the default.
        group_size: threads per atom; None: chosen.
        capacity: neighbours in local memory at once; None: chosen.

    Raises:
        OptionError: an option that is not allowed.
        UnavailableError: the device rejects the kernels.
    """

    def __init__(
        self,
        potential: Potential,
        device: Device,
        dtype: str,
        skin: float | None,
        group_size: int | None,
        capacity: int | None,
    ) -> None:
        if dtype not in c.PRECISIONS:
            raise OptionError(f"dtype={dtype!r} is unknown: allowed are {', '.join(c.PRECISIONS)}")
        if skin is not None and not 0 <= skin < np.inf:
            raise OptionError(f"skin={skin} must be a finite number, not negative")
        self._potential, self.device, self._library = potential, device, c.load_library()
        self._dtype, self._error = dtype, _library.Failure()
        flat = self._flat = flatten(potential)
        options = c.EngineOptions(
            c.PRECISIONS[dtype], group_size or 0, capacity or 0, -1.0 if skin is None else skin
        )
        handle, table = ct.c_void_p(), device.table()
        model = _library.Model(flat)
        self._call("create", model.handle, ct.byref(options), ct.byref(table), ct.byref(handle))
        self._handle = handle
        destroy = self._library.nnp_gpu_engine_destroy
        release_with(self, _destroy, destroy, handle, table, device)

    def prepare(self) -> None:
        """Compile the kernels now."""
        self._call("prepare", self._handle)

    def evaluate(self, atoms: c.Atoms, request: c.Request) -> c.Found:
        """Until the results stand."""
        if atoms.n == 0:
            raise StructureError("the structure has no atoms")
        found = c.Found()
        self._call("evaluate", self._handle, ct.byref(atoms), ct.byref(request), ct.byref(found))
        return found

    def launch(self, atoms: c.Atoms, request: c.Request) -> None:
        """Once, without a look at what comes of it."""
        self._call("launch", self._handle, ct.byref(atoms), ct.byref(request))

    def settle(self, atoms: c.Atoms) -> bool:
        """Whether the last evaluation stands."""
        stands = ct.c_int32()
        self._call("settle", self._handle, ct.byref(atoms), ct.byref(stands))
        return bool(stands.value)

    def read(self, n: int, forces: bool, virial: bool) -> tuple[Any, Any, Any, Any]:
        """Energy, energies (n,), forces (n, 3) or None, virial (3, 3) or None."""
        energy, energies = np.empty(1), np.empty(n)
        force_nc = np.empty((n, 3)) if forces else None
        tensor = np.empty((3, 3)) if virial else None
        outs = [None if a is None else a.ctypes.data for a in (energy, energies, force_nc, tensor)]
        self._call("read", self._handle, *outs)
        return float(energy[0]), energies, force_nc, tensor

    def gradient(self, n: int, virial: bool) -> tuple[NDArray[np.float64], Any]:
        """dL/dr (n, 3) and dL/d(strain) (3, 3) or None, after a product."""
        force_nc, tensor = np.empty((n, 3)), np.empty((3, 3)) if virial else None
        address = None if tensor is None else tensor.ctypes.data
        self._call("read", self._handle, None, None, force_nc.ctypes.data, address)
        return -force_nc, tensor

    def extrapolations(self, count: int) -> Extrapolations:
        """As many functions outside their training range as the evaluation found."""
        indices, distances = np.empty((2, count), np.int64), np.empty((2, count))
        found = Extrapolations(*indices, *distances)
        if count:
            outs = [a.ctypes.data for a in (*indices, *distances)]
            self._call("extrapolations", self._handle, *outs)
        return found

    def n_functions(self) -> int:
        """Of the atoms last evaluated."""
        return int(self._library.nnp_gpu_engine_n_functions(self._handle))

    def give_functions(self, flat: int) -> None:
        """Functions, or their change, to a flat vector on the device."""
        self._call("give_functions", self._handle, flat)

    def give_gradient(self, by_positions: int, single: bool, by_strain: int) -> None:
        """The gradient of a product to arrays on the device; 0: not wanted."""
        self._call("give_gradient", self._handle, by_positions, single, by_strain)

    def statistics(self) -> c.Statistics:
        """Counters since the beginning."""
        found = c.Statistics()
        self._library.nnp_gpu_engine_statistics(self._handle, ct.byref(found))
        return found

    def source(self) -> str:
        """Text of the list's and the evaluation's kernels as they were last compiled."""
        statistics = self.statistics()
        options = c.SourceOptions(
            c.PRECISIONS[self._dtype],
            c.DIALECTS[self.device.dialect],
            statistics.group_size,
            statistics.capacity or 64,
        )
        writer = c.Generator(self._flat)
        return writer.source(options, "list") + writer.source(options, "evaluation")

    def _call(self, function: str, *arguments: Any) -> None:
        error = self._error
        call = getattr(self._library, f"nnp_gpu_engine_{function}")
        if call(*arguments, ct.byref(error)):
            self.device.reraise()
            self._raise(error)

    def _raise(self, error: _library.Failure) -> None:
        if error.code == c.UNKNOWN_ELEMENT:
            raise StructureError(
                f"atom {error.atom} is {chemical_symbol(int(error.value))}, but the potential "
                f"knows only {', '.join(self._potential.elements)}"
            )
        error.raise_any()


def _destroy(destroy: Any, handle: ct.c_void_p, *_: Any) -> None:
    """``_``: what the C code calls and must outlive it."""
    destroy(handle)
