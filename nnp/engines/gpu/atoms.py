"""Where an evaluation's atoms come from: a structure, or arrays that lie on the device."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import transfer
from nnp.engines.gpu.device import Buffer, Device
from nnp.errors import OptionError
from nnp.structure import Structure


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


class ArrayAtoms:
    """Atoms in arrays of a device, checked.

    Args:
        device: where the engine is.
        positions: (n, 3), Å, float32 or float64, on the device.
        atomic_numbers: (n,), on the device or the host.
        cell: (3, 3), rows are cell vectors, Å, on the device or the host.
        pbc: (3,) or one bool, on the device or the host.

    Raises:
        OptionError: another type, another device, or not in rows.
        StructureError: shapes that do not fit.
    """

    def __init__(
        self, device: Device, positions: Any, atomic_numbers: Any, cell: Any, pbc: Any
    ) -> None:
        self._device = device
        shape = tuple(positions.shape)
        if len(shape) != 2 or shape[1] != 3:
            raise OptionError(f"positions have shape {shape}: (n, 3) is wanted")
        self._positions = device.view("positions", positions)
        if self._positions.dtype not in (np.float32, np.float64):
            raise OptionError(
                f"positions are {self._positions.dtype}: float32 and float64 are allowed"
            )
        self.n = shape[0]
        self._what = transfer.SINGLE if self.single else 0
        # On the host a value, on the device a buffer whose content is compared by nnp_take.
        self._numbers = self._either(
            "atomic_numbers", atomic_numbers, (self.n,), np.int64, transfer.NUMBERS
        )
        self._cell = self._either("cell", cell, (3, 3), np.float64, transfer.CELL)
        self._pbc = self._either("pbc", pbc, (3,), np.uint8, transfer.PERIODIC)

    @property
    def single(self) -> bool:
        """Whether the positions are float32."""
        return self._positions.dtype == np.float32

    @property
    def in_place(self) -> Buffer | None:
        """The positions, where the kernels can read them as they are."""
        return None if self._what else self._positions

    def take_arguments(self) -> tuple[Buffer | int, ...]:
        """Of ``nnp_take``, from ``what`` to ``periodic``."""

        def buffer(value: Any) -> Buffer:
            return value if isinstance(value, Buffer) else self._positions

        p = self._positions
        return self._what, p, p, buffer(self._numbers), buffer(self._cell), buffer(self._pbc)

    def structure(self) -> Structure:
        """All of it on the host: a copy, for a new list or an error's words."""
        return Structure(
            self._on_host(self._positions).reshape(-1, 3),
            self._on_host(self._numbers),
            self._on_host(self._cell).reshape(3, 3),
            self._on_host(self._pbc).astype(np.bool_),
        )

    def require_volume(self) -> None:
        """Refuse a stress of atoms that are not periodic along all three axes."""
        if not self._on_host(self._pbc).all():
            _ = self.structure().volume  # says so

    def host_part(self) -> tuple[Any, Any, Any]:
        """Numbers, cell and pbc where the host has them, None where the device has."""
        found = (self._numbers, self._cell, self._pbc)
        numbers, cell, pbc = (None if isinstance(f, Buffer) else f for f in found)
        return numbers, cell, pbc

    def cell_now(self) -> NDArray[np.float64]:
        """(3, 3), read where the device has it."""
        return self._on_host(self._cell).reshape(3, 3)

    def _on_host(self, value: Any) -> NDArray[Any]:
        return self._device.read(value, value.size) if isinstance(value, Buffer) else value

    def _either(self, name: str, value: Any, shape: tuple[int, ...], dtype: Any, bit: int) -> Any:
        """A host value as an array, a device array as a buffer; ``bit`` is then set."""
        if not self._device.is_array(value):
            found = np.asarray(value)
            if name == "pbc":
                found = np.broadcast_to(found.astype(np.bool_), shape)
            _check_shape(name, found.shape, shape)
            return found
        _check_shape(name, tuple(value.shape), shape)
        self._what |= bit
        buffer = self._device.view(name, value)
        if buffer.dtype.itemsize == np.dtype(dtype).itemsize and buffer.dtype.kind in "iufb":
            same_kind = buffer.dtype.kind == np.dtype(dtype).kind or buffer.dtype.kind == "b"
            if same_kind:
                return buffer
        return self._device.view(name, self._device.cast(value, dtype))


def _check_shape(name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if tuple(found) != wanted:
        raise OptionError(f"{name} has shape {tuple(found)}: {wanted} is wanted")
