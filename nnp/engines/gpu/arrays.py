"""Structures and arrays as the host takes them, and the arrays that results go to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu import library as c
from nnp.engines.gpu.device import Buffer, Device
from nnp.engines.gpu.device_cupy import as_torch, is_torch
from nnp.engines.vectors import require_size
from nnp.errors import OptionError
from nnp.evaluation import ArrayEvaluation, Evaluation
from nnp.structure import Structure


def atoms_of(structure: Structure) -> c.Atoms:
    """Atoms on the host; valid as long as the structure."""
    return c.Atoms(
        n=len(structure),
        positions=structure.positions.ctypes.data,
        numbers=structure.atomic_numbers.ctypes.data,
        cell=structure.cell.ctypes.data,
        periodic=structure.pbc.ctypes.data,
    )


class ArrayAtoms:
    """Atoms in arrays of a device, checked.

    Args:
        device: where the engine is.
        positions: (n, 3), Å, float32 or float64, on the device.
        atomic_numbers: (n,), on the device or the host.
        cell: (3, 3), rows are cell vectors, Å, on the device or the host.
        pbc: (3,) or one bool, on the device or the host.

    Attributes:
        given: as the host takes them; valid as long as this object.

    Raises:
        OptionError: another type, shape or device, or not in rows.
    """

    def __init__(
        self, device: Device, positions: Any, atomic_numbers: Any, cell: Any, pbc: Any
    ) -> None:
        self._device = device
        shape = tuple(positions.shape)
        if len(shape) != 2 or shape[1] != 3:
            raise OptionError(f"positions have shape {shape}: (n, 3) is expected")
        there = device.view("positions", positions)
        if there.dtype not in (np.float32, np.float64):
            raise OptionError(f"positions are {there.dtype}: float32 and float64 are allowed")
        self.n = shape[0]
        self.single = there.dtype == np.float32
        self.given = c.Atoms(n=self.n, positions_there=there.handle, single=self.single)
        self._kept: list[Any] = [there]
        self._put("numbers", "atomic_numbers", atomic_numbers, (self.n,), np.int64)
        self._put("cell", "cell", cell, (3, 3), np.float64)
        self._pbc = self._put("periodic", "pbc", pbc, (3,), np.uint8)

    def require_volume(self) -> None:
        """Refuse a stress of atoms that are not periodic along all three axes."""
        there = isinstance(self._pbc, Buffer)
        pbc = (self._device.downloaded(self._pbc) if there else self._pbc).astype(np.bool_)
        if not pbc.all():
            _ = Structure(np.zeros((1, 3)), np.ones(1, np.int64), np.eye(3), pbc).volume  # says so

    def _put(self, field: str, name: str, value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        """A host value as an array, a device array as a buffer, of this type."""
        if not self._device.is_array(value):
            found = np.asarray(value)
            if name == "pbc":
                found = np.broadcast_to(found.astype(np.bool_), shape)
            _check_shape(name, found.shape, shape)
            found = np.ascontiguousarray(found, dtype)
            setattr(self.given, field, found.ctypes.data)
            self._kept.append(found)
            return found
        _check_shape(name, tuple(value.shape), shape)
        buffer = self._device.view(name, value)
        fits = buffer.dtype.itemsize == np.dtype(dtype).itemsize
        if not fits or buffer.dtype.kind not in {np.dtype(dtype).kind, "b"}:
            buffer = self._device.view(name, self._device.cast(value, dtype))
        setattr(self.given, f"{field}_there", buffer.handle)
        self._kept.append(buffer)
        return buffer


class Outputs:
    """New arrays of a caller's kind that an evaluation writes to.

    Args:
        device: where.
        like: an array of the kind wanted.
        n: number of atoms.
        dtype: of the forces, float32 or float64.

    Attributes:
        arrays: by name.
    """

    def __init__(self, device: Device, like: Any, n: int, dtype: Any) -> None:
        shapes: dict[str, tuple[int, ...]] = {"energy": (), "energies": (n,), "stress": (6,)}
        self.arrays = {name: device.new(like, s, np.float64) for name, s in shapes.items()}
        self.arrays["forces"] = device.new(like, (n, 3), dtype)
        self._single = dtype == np.float32
        self._buffers = {name: device.view(name, array) for name, array in self.arrays.items()}

    def request(self, wanted: int) -> c.Request:
        """To fill them; valid as long as this object."""
        handles = {name: buffer.handle for name, buffer in self._buffers.items()}
        return c.Request(wanted=wanted, single=self._single, **handles)


def buffer_of(device: Device, name: str, values: Any, size: int | None = None) -> Buffer:
    """A caller's vector, of the device or the host, as float64 on the device.

    Args:
        device: which.
        name: of the argument.
        values: the vector, of any shape.
        size: how many numbers it has to have; None: looked at later.

    Raises:
        OptionError: it holds another count of numbers, lies elsewhere or not in rows.
    """
    if device.is_array(values):
        found = device.view(name, values)
        if found.dtype != np.float64:
            found = device.view(name, device.cast(values, np.float64))
    else:
        found = device.uploaded(np.asarray(values, np.float64).ravel())
    if size is not None:
        require_size(name, found.size, size)
    return found


def _check_shape(name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if tuple(found) != wanted:
        raise OptionError(f"{name} has shape {tuple(found)}: {wanted} is expected")


# ---- arrays of the host, where arrays of the device may stand ------------------------------------


def host_array(value: Any) -> NDArray[Any]:
    """A NumPy array."""
    return np.asarray(value.detach().cpu() if is_torch(value) else value)


def on_host(*arguments: Any) -> Structure:
    """Positions, atomic numbers, cell and pbc as a structure."""
    return Structure(*map(host_array, arguments))


def like_host(positions: Any, values: Any, same_type: bool = False) -> Any:
    """Values, or None, of the kind of the positions; float64 unless of their type too."""
    if values is None:
        return None
    real = host_array(positions).dtype if same_type else np.dtype(np.float64)
    array = np.asarray(values, real if real in (np.float32, np.float64) else np.float64)
    return as_torch(array) if is_torch(positions) else array


def evaluation_like(positions: Any, found: Evaluation) -> ArrayEvaluation:
    """An evaluation in arrays of the kind of the positions."""
    return ArrayEvaluation(
        energy=like_host(positions, found.energy),
        energies=like_host(positions, found.energies),
        forces=like_host(positions, found.forces, same_type=True),
        stress=like_host(positions, found.stress),
        extrapolations=found.extrapolations,
    )
