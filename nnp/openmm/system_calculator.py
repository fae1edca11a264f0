"""An OpenMM System as ASE calculator: a force field as teacher, whatever its forces are.

The reverse of `nnp.openmm.calculator_force`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_masses

from nnp.errors import NumericalError, OptionError, StructureError
from nnp.openmm.box import reduced_box
from nnp.openmm.platforms import check_platform, context_errors
from nnp.openmm.xml import read_xml
from nnp.structure import Structure, as_structure
from nnp.units import KJ_PER_MOL, KJ_PER_MOL_PER_NANOMETRE, NANOMETRE

_HEAVIEST_HYDROGEN = 4.5  # u; hydrogens may have taken mass from the atoms they are bound to


class SystemCalculator(Calculator):
    """Energy, free energy and forces of a System; OpenMM has no stress.

    Args:
        system: a System, or a file in which `openmm.XmlSerializer` wrote one; its particles are
            the atoms, in their order.
        platform: of OpenMM; ``"Reference"`` computes in double precision.
        trust: whether a file may execute code, see `nnp.openmm.xml`.

    Raises:
        OptionError: the System has constraints or virtual sites.
        FileFormatError: the file holds no System, or one that would execute code.
        UnavailableError: there is no such platform, or it cannot run the System.
    """

    implemented_properties = ["energy", "free_energy", "forces"]  # noqa: RUF012  ASE declares it so

    def __init__(
        self, system: openmm.System | str | Path, platform: str = "CPU", trust: bool = False
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._system = system if isinstance(system, openmm.System) else read_system(system, trust)
        _check_free(self._system)
        found = check_platform(self._system, platform)
        with context_errors(found):
            self._context = openmm.Context(self._system, openmm.VerletIntegrator(0.001), found)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE.

        Raises:
            StructureError: the atoms are not the System's particles, or their cell is too small.
            NumericalError: OpenMM cannot evaluate them.
        """
        super().calculate(  # type: ignore[no-untyped-call]
            atoms, list(properties), list(system_changes)
        )
        structure = as_structure(self.atoms)
        _check_particles(self._system, structure)
        rotation = np.eye(3)
        if structure.pbc.all():
            rotation, _, box = reduced_box(structure.cell)
            self._set_box(box / NANOMETRE)
        try:
            self._context.setPositions(structure.positions @ rotation / NANOMETRE)
            state: Any = self._context.getState(energy=True, forces=True)
        except openmm.OpenMMException as error:
            raise NumericalError(f"OpenMM cannot evaluate the structure: {error}") from None
        energy = state.getPotentialEnergy()._value * KJ_PER_MOL  # noqa: SLF001  kJ/mol
        forces = state.getForces(asNumpy=True)._value * KJ_PER_MOL_PER_NANOMETRE  # noqa: SLF001  kJ/mol/nm
        self.results = {"energy": energy, "free_energy": energy, "forces": forces @ rotation.T}

    def _set_box(self, box_nm: np.ndarray) -> None:
        try:
            self._context.setPeriodicBoxVectors(*box_nm)
        except openmm.OpenMMException as error:
            raise StructureError(f"OpenMM refuses the cell: {error}") from None


def read_system(path: str | Path, trust: bool = False) -> openmm.System:
    """The System of a file in XML.

    Args:
        path: the file.
        trust: whether the file may execute code, see `nnp.openmm.xml`.

    Raises:
        FileFormatError: the file cannot be read, holds something else, or would execute code.
    """
    found: openmm.System = read_xml(path, openmm.System, trust)
    return found


def _check_free(system: openmm.System) -> None:
    """A constrained atom's forces are not what its coordinates' energy says."""
    if system.getNumConstraints():
        raise OptionError(
            f"the System has {system.getNumConstraints()} constraints, and a network learns atoms "
            "that move freely: create it with constraints=None and rigidWater=False"
        )
    if any(system.isVirtualSite(i) for i in range(system.getNumParticles())):
        raise OptionError(
            "the System has virtual sites, and a network knows only atoms: take a force field "
            "without them, such as three-site water"
        )


def _check_particles(system: openmm.System, structure: Structure) -> None:
    if system.getNumParticles() != len(structure):
        raise StructureError(
            f"the System has {system.getNumParticles()} particles, the structure {len(structure)} "
            "atoms: give the structure that the System was made for"
        )
    periodic = system.usesPeriodicBoundaryConditions()
    if periodic != bool(structure.pbc.all()) or structure.pbc.any() != structure.pbc.all():
        raise StructureError(
            f"the System is {'' if periodic else 'not '}periodic, and the structure has pbc="
            f"{structure.pbc.tolist()}: set pbc to {periodic}, or create the System again"
        )
    for i, number in enumerate(structure.atomic_numbers):
        mass = system.getParticleMass(i)._value  # noqa: SLF001  u
        if mass > 0 and abs(mass - atomic_masses[number]) > _HEAVIEST_HYDROGEN - 1:
            raise StructureError(
                f"particle {i} of the System weighs {mass:.1f} u, atom {i} of the structure is "
                f"{structure.symbols[i]}: both must be in the same order"
            )
