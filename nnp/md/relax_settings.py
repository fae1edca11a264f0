"""When a relaxation ends, and what may change; checked before anything starts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nnp.errors import OptionError
from nnp.values import require_number, require_whole

OPTIMIZERS = ("lbfgs", "fire", "bfgs")
# Sums over many neighbours in float64 are not more exact: smaller tolerances are never met.
_LEAST_FORCE = 1e-8  # eV/Å
_LEAST_STRESS = 1e-3  # bar


@dataclass(frozen=True)
class RelaxSettings:
    """When a relaxation ends, and what may change.

    Attributes:
        force_tolerance: for the largest force on an atom, eV/Å.
        cell: whether to relax the cell too, in all six components of its strain.
        stress_tolerance: for the largest component of stress + pressure, bar; with ``cell``.
        pressure: on the cell, bar; with ``cell``.
        steps: largest number of steps.
        optimizer: ``lbfgs``, ``fire`` (slower, more robust far from a minimum) or ``bfgs``.

    Raises:
        OptionError: a value is not allowed.
    """

    force_tolerance: float = 0.01
    cell: bool = False
    stress_tolerance: float = 100.0
    pressure: float = 0.0
    steps: int = 1000
    optimizer: str = "lbfgs"

    def __post_init__(self) -> None:
        require_number("force_tolerance", self.force_tolerance, _LEAST_FORCE, " eV/Å")
        require_number("stress_tolerance", self.stress_tolerance, _LEAST_STRESS, " bar")
        require_number("pressure", self.pressure, -math.inf, ", in bar")
        require_whole("steps", self.steps, 0)
        if self.pressure and not self.cell:
            raise OptionError(
                f"pressure={self.pressure:g} bar acts on a cell that may change: add cell=True "
                "(--cell)"
            )
        if self.stress_tolerance != RelaxSettings.stress_tolerance and not self.cell:
            raise OptionError(
                f"stress_tolerance={self.stress_tolerance:g} bar applies to a cell that may "
                "change: add cell=True (--cell)"
            )
        if self.optimizer not in OPTIMIZERS:
            raise OptionError(
                f"optimizer={self.optimizer!r} is unknown: allowed are {', '.join(OPTIMIZERS)}"
            )
