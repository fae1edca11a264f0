"""Arrays that stay on the device: what results are given back in, and vectors taken from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnp.engines.gpu.device import Buffer, Device
from nnp.engines.vectors import require_size
from nnp.evaluation import Extrapolations


@dataclass(frozen=True, eq=False)
class ArrayEvaluation:
    """An `nnp.evaluation.Evaluation` whose arrays are of the kind of the positions.

    Attributes:
        energy: () potential energy, eV, float64.
        energies: (n,) energy of each atom, eV, float64.
        forces: (n, 3) −dE/dr, eV/Å, in the type of the positions; None when not asked for.
        stress: (6,) (1/V) dE/dε, xx, yy, zz, yz, xz, xy, eV/Å³, float64; None when not asked for.
        extrapolations: functions outside their training range, in NumPy arrays.
    """

    energy: Any
    energies: Any
    forces: Any | None
    stress: Any | None
    extrapolations: Extrapolations


class Outputs:
    """New arrays of a caller's kind that an evaluation writes to.

    Args:
        device: where.
        like: an array of the kind wanted.
        n: number of atoms.
        dtype: of the forces, float32 or float64.
    """

    def __init__(self, device: Device, like: Any, n: int, dtype: Any) -> None:
        shapes: dict[str, tuple[int, ...]] = {"energy": (), "energies": (n,), "stress": (6,)}
        self.arrays = {name: device.new(like, s, np.float64) for name, s in shapes.items()}
        self.arrays["forces"] = device.new(like, (n, 3), dtype)
        self.buffers = {name: device.view(name, array) for name, array in self.arrays.items()}


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
        flat = np.ascontiguousarray(values, np.float64).ravel()
        found = device.empty(flat.size, np.float64)
        device.write(found, flat)
    if size is not None:
        require_size(name, found.size, size)
    return found
