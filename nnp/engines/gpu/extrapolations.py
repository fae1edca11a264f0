"""What the kernels noted of functions outside their training range, as users see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnp.evaluation import Extrapolations
from nnp.potential import Potential


def in_order(
    potential: Potential,
    orders: list[NDArray[np.int64]],
    elements: NDArray[np.int64],
    outside: NDArray[np.float64],
) -> Extrapolations:
    """Sorted by atom and function.

    Args:
        potential: whose functions.
        orders: per element, for each function inside the kernels its number (`Program.orders`).
        elements: (n,) element of each atom.
        outside: (m, 3) atom, function inside the kernels, excess; in any order.
    """
    atoms = outside[:, 0].astype(np.int64)
    functions, width = outside[:, 1].astype(np.int64), np.empty(len(atoms))
    for element, model in enumerate(potential.models):
        mine = elements[atoms] == element
        functions[mine] = orders[element][functions[mine]]
        width[mine] = (model.scaling.maximum - model.scaling.minimum)[functions[mine]]
    order = np.lexsort((functions, atoms))
    excess = outside[:, 2]
    with np.errstate(divide="ignore"):  # a function that was constant: infinitely far
        relative = excess / width
    return Extrapolations(atoms[order], functions[order], excess[order], relative[order])
