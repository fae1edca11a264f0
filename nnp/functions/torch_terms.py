"""A family's formula as a torch module: terms of the sums, for functions of one family at once.

A family's `SymmetryFunction.terms` returns a class that derives from `PairTerms`, `TripleTerms` or
`NeighborhoodTerms` and has a ``forward``. All functions of a module share their neighbour elements
and every parameter that is not a plain number; the numbers are float64 tensors (f,) by their names
in the dataclass. TorchScript compiles ``forward`` and what it calls.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nnp.functions.torch_formulas import compact, cutoff_function


class Terms(nn.Module):
    """Parameters of functions of one family.

    Args:
        functions: one or more of the family; they share cutoff, core and flags.
    """

    def __init__(self, functions: Sequence[Any]) -> None:
        super().__init__()
        first = functions[0]
        for field in fields(first):
            value = getattr(first, field.name)
            if isinstance(value, float):
                column = [getattr(function, field.name) for function in functions]
                self.register_buffer(field.name, torch.tensor(column, dtype=torch.float64))
            elif field.name == "cutoff":
                self.cutoff_kind: int = int(value.kind)
                self.cutoff_radius: float = float(value.radius)
                self.inner_fraction: float = float(value.inner_fraction)
            elif isinstance(value, bool):
                setattr(self, field.name, value)
            elif field.name == "core":
                self.core: str = str(value.value)

    if TYPE_CHECKING:  # the parameters, by the names that the family gives them

        def __getattr__(self, name: str) -> Any: ...

    def f_c(self, r: Tensor) -> Tensor:
        """Cutoff function, of families that have one."""
        return cutoff_function(r, self.cutoff_kind, self.cutoff_radius, self.inner_fraction)

    def c_r(self, r: Tensor) -> Tensor:
        """Compact function of a distance, of families that have one."""
        return compact(r, self.r_left, self.r_right, self.core, self.asymmetric)


class PairTerms(Terms):
    """``forward(r)``: (m, 1) distances, Å → (m, f) terms of each neighbour."""


class TripleTerms(Terms):
    """``forward(distances, cos_theta)``: (m, 1) each → (m, f) terms of each pair of neighbours.

    Distances are r_ij and r_ik, and r_jk where the functions are narrow, all within the radius.
    """


class NeighborhoodTerms(Terms):
    """``forward(center, element, vector, r, n)``: the functions (n, f) of n centres themselves.

    Pairs of centre and neighbour within the functions' largest radius: (p,) centre, ascending; (p,)
    neighbour's element; (p, 3) vector to it and (p,) its length, Å. Functions have their class,
    ``shared`` and every parameter that ``shared`` holds in common.

    Args:
        functions: one or more of the family.
        elements: symbols that the pairs' elements count.
    """

    def __init__(self, functions: Sequence[Any], elements: Sequence[str]) -> None:  # noqa: ARG002
        super().__init__(functions)
