"""Stillinger-Weber silicon as an ASE calculator."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from nnp.errors import StructureError
from nnp.evaluation import voigt
from nnp.structure import as_structure
from nnp.teachers.stillinger_weber import SILICON, StillingerWeberParameters, stillinger_weber


class StillingerWeber(Calculator):
    """Energy, free energy, energies, forces and (with three periodic axes) stress of silicon.

    Args:
        parameters: constants of the potential.

    Example:
        >>> from ase.build import bulk
        >>> silicon = bulk("Si", a=5.431)
        >>> silicon.calc = StillingerWeber()
        >>> round(silicon.get_potential_energy() / len(silicon), 4)
        -4.3366
    """

    implemented_properties = [  # noqa: RUF012  ASE declares it so
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
    ]

    def __init__(self, parameters: StillingerWeberParameters = SILICON) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
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
        super().calculate(  # type: ignore[no-untyped-call]
            atoms, list(properties), list(system_changes)
        )
        structure = as_structure(self.atoms)
        others = sorted(set(structure.symbols) - {"Si"})
        if others:
            raise StructureError(
                f"atoms hold {', '.join(others)}: this Stillinger-Weber potential knows only Si; "
                "remove the other atoms or use another calculator"
            )
        result = stillinger_weber(structure, self.sw_parameters)
        energy = float(result.energies.sum())
        self.results = {"energy": energy, "free_energy": energy}
        self.results |= {"energies": result.energies, "forces": result.forces}
        if structure.pbc.all():
            self.results["stress"] = voigt(result.virial / structure.volume)
