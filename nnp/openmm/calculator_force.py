"""Any ASE calculator as an OpenMM force: a teacher's dynamics beside that of its network.

The calculator runs in Python, once per step; OpenMM's integrators, thermostats, barostats and
`nnp.md` drive it as they drive a potential.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openmm
from ase import Atoms
from numpy.typing import NDArray

from nnp.errors import NNPError, StructureError
from nnp.units import KJ_PER_MOL, KJ_PER_MOL_PER_NANOMETRE, NANOMETRE


def create_calculator_force(atoms: Atoms, make_calculator: Callable[[], Any]) -> openmm.PythonForce:
    """The force of an ASE calculator on all particles of a System.

    Args:
        atoms: elements in the order of the particles; periodic along all axes or none. Positions
            and cell come from OpenMM.
        make_calculator: a new calculator; importable by name if the System is to be serialised.

    Raises:
        StructureError: atoms are periodic along some axes only.

    Example:
        >>> from ase.build import bulk
        >>> from nnp.openmm import create_calculator_force, create_empty_system
        >>> from nnp.teachers.ase import StillingerWeber
        >>> silicon = bulk("Si", cubic=True) * (2, 2, 2)
        >>> system = create_empty_system(silicon)
        >>> system.addForce(create_calculator_force(silicon, StillingerWeber))
        0
    """
    if atoms.pbc.any() != atoms.pbc.all():
        raise StructureError(
            f"pbc={atoms.pbc.tolist()}: OpenMM repeats a system along all three axes or none; "
            "set atoms.pbc to True or False"
        )
    callback = CalculatorCallback(atoms.numbers.tolist(), bool(atoms.pbc.all()), make_calculator)
    force = openmm.PythonForce(callback)
    force.setUsesPeriodicBoundaryConditions(callback.periodic)
    force.setName("ASE calculator")
    return force


class CalculatorCallback:
    """What OpenMM calls: a State in, energy (kJ/mol) and forces (kJ/mol/nm) out.

    Args:
        numbers: (n) atomic numbers.
        periodic: along all axes or none.
        make_calculator: see `create_calculator_force`.
    """

    def __init__(
        self, numbers: list[int], periodic: bool, make_calculator: Callable[[], Any]
    ) -> None:
        self.periodic = periodic
        self._numbers = numbers
        self._make_calculator = make_calculator
        self._atoms: Any = None

    def __call__(self, state: openmm.State) -> tuple[float, NDArray[np.float64]]:
        """Energy, kJ/mol, and (n, 3) forces, kJ/mol/nm; OpenMM passes on an error's text."""
        if self._atoms is None:
            self._atoms = Atoms(
                self._numbers, pbc=self.periodic, calculator=self._make_calculator()
            )
        atoms = self._atoms
        if self.periodic:
            atoms.cell[:] = state.getPeriodicBoxVectors(asNumpy=True)._value * NANOMETRE  # noqa: SLF001
        atoms.positions[:] = state.getPositions(asNumpy=True)._value * NANOMETRE  # noqa: SLF001
        try:
            energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        except Exception as error:
            name = type(atoms.calc).__name__
            raise NNPError(f"the ASE calculator {name} failed: {error}") from error
        return energy / KJ_PER_MOL, forces / KJ_PER_MOL_PER_NANOMETRE

    def __reduce__(self) -> tuple[Any, ...]:
        return CalculatorCallback, (self._numbers, self.periodic, self._make_calculator)
