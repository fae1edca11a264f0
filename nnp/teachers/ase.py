"""Stillinger-Weber silicon as an ASE calculator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from nnp.errors import StructureError
from nnp.teachers.stillinger_weber import SILICON, StillingerWeberParameters, stillinger_weber


class StillingerWeber(Calculator):
    """Energy, free energy, energies, forces and (with three periodic axes) stress of silicon.

    Args:
        parameters: constants of the potential.
        **kwargs: passed to `ase.calculators.calculator.Calculator`.

    Example:
        >>> from ase.build import bulk
        >>> silicon = bulk("Si", a=5.431)
        >>> silicon.calc = StillingerWeber()
        >>> round(silicon.get_potential_energy() / len(silicon), 4)
        -4.3366
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(self, parameters: StillingerWeberParameters = SILICON, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sw_parameters = parameters

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE.

        Raises:
            StructureError: an atom is not silicon.
        """
        super().calculate(atoms, list(properties), list(system_changes))
        atoms = self.atoms
        others = sorted(set(atoms.symbols) - {"Si"})
        if others:
            raise StructureError(
                f"atoms hold {', '.join(others)}: this Stillinger-Weber potential knows only Si; "
                "remove the other atoms or use another calculator"
            )
        result = stillinger_weber(atoms.positions, atoms.cell.array, atoms.pbc, self.sw_parameters)
        energy = float(result.energies.sum())
        self.results = {"energy": energy, "free_energy": energy}
        self.results |= {"energies": result.energies, "forces": result.forces}
        if atoms.pbc.all():
            virial = 0.5 * (result.virial + result.virial.T)
            self.results["stress"] = full_3x3_to_voigt_6_stress(virial / atoms.get_volume())
