"""Arrays of the host, NumPy's and torch's, given where arrays of the device may stand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.engines.gpu.arrays import ArrayEvaluation
from nnp.engines.gpu.cuda_arrays import as_torch, is_torch
from nnp.evaluation import Evaluation
from nnp.structure import Structure


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
