"""Numbers with errors, and curves: what an analysis finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Relative errors below are rounding: the quantity did not change.
EXACT = 1e-9


@dataclass(frozen=True)
class Quantity:
    """One number.

    Attributes:
        name: such as ``density``.
        value: in ``unit``.
        error: standard error, in ``unit``; NaN where it is not known.
        unit: such as ``g/cm3``; empty for pure numbers.
        how: where it is from, in a few words.
    """

    name: str
    value: float
    error: float
    unit: str
    how: str = ""

    def __str__(self) -> str:
        """``density 2.31 ± 0.02 g/cm3``.

        >>> str(Quantity("density", 2.3071, 0.0213, "g/cm3"))
        'density 2.307 ± 0.021 g/cm3'
        """
        return f"{self.name} {self.text} {self.unit}".rstrip()

    @property
    def text(self) -> str:
        """Value and error, in as many digits as the error leaves."""
        if not np.isfinite(self.error) or self.error <= EXACT * abs(self.value):
            return f"{self.value:.6g}"
        digits = 1 - int(np.floor(np.log10(self.error)))
        if -6 < digits < 8:
            return f"{self.value:.{max(digits, 0)}f} ± {self.error:.{max(digits, 0)}f}"
        return f"{self.value:.4e} ± {self.error:.1e}"


@dataclass(frozen=True, eq=False)
class Curve:
    """Functions of one variable with their errors.

    Attributes:
        x_name: name and unit of the variable, such as ``r_A``.
        x: (m,).
        values: (m,) by name.
        errors: (m,) by the same names; NaN where not known.
    """

    x_name: str
    x: Floats
    values: Mapping[str, Floats]
    errors: Mapping[str, Floats] = field(default_factory=dict)

    def columns(self) -> dict[str, Floats]:
        """As columns of a table: the variable, then each function and its error."""
        found = {self.x_name: self.x}
        for name, values in self.values.items():
            found[name] = values
            if name in self.errors:
                found[f"{name}_error"] = self.errors[name]
        return found


@dataclass(eq=False)
class Analysis:
    """All that was found in a trajectory.

    Attributes:
        name: what pictures call it.
        about: what was analysed: file, atoms, frames, what was cut.
        quantities: the numbers.
        curves: by name: ``rdf``, ``structure_factor``, ``angles``, ``msd``, ``vacf``, ``vdos``,
            ``thermodynamics``.
        notes: what could not be had and how it can be; what to be careful about.
    """

    name: str
    about: dict[str, Any] = field(default_factory=dict)
    quantities: list[Quantity] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> Quantity:
        """The quantity of a name.

        Raises:
            KeyError: it was not found.
        """
        for quantity in self.quantities:
            if quantity.name == name:
                return quantity
        raise KeyError(name)
