"""Relaxing positions, and the cell on request: ASE's optimisers until forces and stress are small.

    found = nnp.md.relax(potential, atoms, RelaxSettings(force_tolerance=0.01, cell=True))
    found.atoms, found.steps, found.largest_force, found.reached

Forces on fixed atoms do not count. Any ASE calculator takes the place of a potential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS, FIRE, LBFGS

from nnp.ase import NNPCalculator
from nnp.errors import NumericalError, StructureError
from nnp.interrupt import Interruptible
from nnp.md.relax_settings import OPTIMIZERS, RelaxSettings
from nnp.potential import Potential
from nnp.units import BAR
from nnp.values import counted

_OPTIMIZERS = {"lbfgs": LBFGS, "fire": FIRE, "bfgs": BFGS}
_NEVER = 1e-300  # ASE's own criterion; ours ends the loop


@dataclass(frozen=True)
class RelaxStep:
    """Where a relaxation stands.

    Attributes:
        step: made so far.
        energy: eV.
        largest_force: of an atom, eV/Å; constraints taken off.
        largest_stress: largest component of stress + pressure, bar; None with a fixed cell.
        volume: Å³, NaN without a cell.
    """

    step: int
    energy: float
    largest_force: float
    largest_stress: float | None
    volume: float

    def within(self, settings: RelaxSettings) -> bool:
        """Whether forces and stress are below the tolerances."""
        stress = self.largest_stress or 0.0
        return (
            self.largest_force <= settings.force_tolerance and stress <= settings.stress_tolerance
        )

    def __str__(self) -> str:
        stress = "" if self.largest_stress is None else f", {self.largest_stress:.4g} bar"
        return f"{self.energy:.6f} eV, largest force {self.largest_force:.4g} eV/Å{stress}"


@dataclass(frozen=True, eq=False)
class Relaxed:
    """How a relaxation ended.

    Attributes:
        atoms: with energy and forces (with ``cell``: and stress) as results.
        history: where it stood at the start and after every step.
        reached: whether forces and stress are below the tolerances.
        interrupted: whether Ctrl-C or SIGTERM ended it.
    """

    atoms: Atoms
    history: tuple[RelaxStep, ...]
    reached: bool
    interrupted: bool

    @property
    def first(self) -> RelaxStep:
        """Where it began."""
        return self.history[0]

    @property
    def last(self) -> RelaxStep:
        """Where it ended."""
        return self.history[-1]

    @property
    def steps(self) -> int:
        """How many were made."""
        return self.last.step

    @property
    def largest_force(self) -> float:
        """On an atom at the end, eV/Å."""
        return self.last.largest_force

    def require(self, settings: RelaxSettings, where: str = "") -> None:
        """Refuse what has not reached its tolerances.

        Args:
            settings: of the relaxation.
            where: which file holds what was reached; part of the message.

        Raises:
            NumericalError: it has not.
        """
        if self.reached or self.interrupted:
            return
        stress = f", stress_tolerance={settings.stress_tolerance:g} bar" if settings.cell else ""
        raise NumericalError(
            f"after {counted(self.steps, 'step')}: {self.last}; force_tolerance="
            f"{settings.force_tolerance:g} eV/Å{stress} is not reached: allow more steps, take "
            f"another optimizer ({', '.join(OPTIMIZERS)}) or a larger tolerance{where}"
        )


def relax(
    model: Potential | Any,
    atoms: Any,
    settings: RelaxSettings | None = None,
    on_step: Callable[[Atoms, RelaxStep], None] | None = None,
    **engine_options: Any,
) -> Relaxed:
    """Minimise the energy until the forces are small.

    Args:
        model: a `Potential`, or an ASE calculator.
        atoms: an ``ase.Atoms``; not modified; its constraints are kept.
        settings: tolerances; None: the defaults.
        on_step: called with atoms and numbers at the start and after each step.
        engine_options: of `NNPCalculator`: ``engine``, ``threads``, ….

    Raises:
        StructureError: the cell cannot be relaxed: it is not periodic along three axes, or has
            fixed atoms.
        NNPError: the model refuses the atoms, at the start or later.
    """
    settings = settings or RelaxSettings()
    moving = _start(atoms)
    moving.calc = NNPCalculator(model, **engine_options) if isinstance(model, Potential) else model
    if settings.cell:
        _check_cell(moving)
    steps: list[RelaxStep] = []
    with Interruptible() as interrupt:
        for number in _walk(moving, settings):
            steps.append(_look(moving, number, settings))
            if on_step is not None:
                on_step(moving, steps[-1])
            if steps[-1].within(settings) or interrupt.requested:
                break
    last = steps[-1]
    done = with_results(moving, settings.cell)
    return Relaxed(done, tuple(steps), last.within(settings), interrupt.requested)


def _start(atoms: Any) -> Atoms:
    """A copy at rest: velocities would be those of another place."""
    found: Atoms = atoms.copy()
    found.arrays.pop("momenta", None)
    return found


def _check_cell(atoms: Atoms) -> None:
    if not atoms.pbc.all():
        raise StructureError(
            f"cell=True (--cell) with pbc={atoms.pbc.tolist()}: the stress needs a cell that is "
            "periodic along three axes; relax positions only, or set cell and pbc"
        )
    if any(isinstance(constraint, FixAtoms) for constraint in atoms.constraints):
        raise StructureError(
            "cell=True (--cell) would move the fixed atoms (FixAtoms) with the cell: release them, "
            "or relax positions only"
        )


def _walk(atoms: Any, settings: RelaxSettings) -> Any:
    """Numbers of steps, each after it was made, 0 first."""
    target: Any = atoms
    if settings.cell:
        cell_filter: Any = FrechetCellFilter
        target = cell_filter(atoms, scalar_pressure=settings.pressure * BAR)
    make: Any = _OPTIMIZERS[settings.optimizer]
    optimizer = make(target, logfile=None)
    for _ in optimizer.irun(fmax=_NEVER, steps=settings.steps):
        yield optimizer.nsteps


def _look(atoms: Any, number: int, settings: RelaxSettings) -> RelaxStep:
    forces = atoms.get_forces()
    stress = None
    if settings.cell:
        found = np.array(atoms.get_stress(apply_constraint=False), np.float64)
        found[:3] += settings.pressure * BAR
        stress = float(np.abs(found).max()) / BAR
    return RelaxStep(
        step=number,
        energy=float(atoms.get_potential_energy()),
        largest_force=float(np.sqrt((forces**2).sum(axis=1)).max(initial=0.0)),
        largest_stress=stress,
        volume=float(atoms.get_volume()) if atoms.pbc.all() else np.nan,
    )


def with_results(atoms: Any, stress: bool) -> Any:
    """A copy that needs no engine.

    Args:
        atoms: with a calculator.
        stress: whether it is among the results.
    """
    done = atoms.copy()
    results: dict[str, Any] = {
        "energy": atoms.get_potential_energy(),
        "forces": atoms.get_forces(apply_constraint=False),
    }
    if stress:
        results["stress"] = atoms.get_stress(apply_constraint=False)
    calculator: Any = SinglePointCalculator
    done.calc = calculator(done, **results)
    return done
