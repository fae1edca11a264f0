"""The analytic potentials as ASE calculators."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from nnp.evaluation import voigt
from nnp.structure import Structure, as_structure
from nnp.teachers.lennard_jones import ARGON, LennardJonesParameters, lennard_jones
from nnp.teachers.stillinger_weber import SILICON, StillingerWeberParameters, stillinger_weber
from nnp.teachers.sums import TeacherResult, check_elements
from nnp.teachers.vashishta import SILICA, VashishtaParameters, vashishta


class AnalyticCalculator(Calculator):
    """Energy, free energy, energies, forces and (with three periodic axes) stress.

    A subclass says how a structure is evaluated.
    """

    implemented_properties = [  # noqa: RUF012  ASE declares it so
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
    ]

    def evaluate(self, structure: Structure) -> TeacherResult:
        """Energies, forces and virial of a structure."""
        raise NotImplementedError

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE.

        Raises:
            StructureError: an atom of an element that the potential does not know, or two atoms
                in the same place.
        """
        super().calculate(  # type: ignore[no-untyped-call]
            atoms, list(properties), list(system_changes)
        )
        structure = as_structure(self.atoms)
        result = self.evaluate(structure)
        energy = float(result.energies.sum())
        self.results = {"energy": energy, "free_energy": energy}
        self.results |= {"energies": result.energies, "forces": result.forces}
        if structure.pbc.all():
            self.results["stress"] = voigt(result.virial / structure.volume)


class StillingerWeber(AnalyticCalculator):
    """Stillinger-Weber silicon.

    Args:
        potential: its constants.

    Example:
        >>> from ase.build import bulk
        >>> silicon = bulk("Si", a=5.431)
        >>> silicon.calc = StillingerWeber()
        >>> round(silicon.get_potential_energy() / len(silicon), 4)
        -4.3366
    """

    def __init__(self, potential: StillingerWeberParameters = SILICON) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.potential = potential

    def evaluate(self, structure: Structure) -> TeacherResult:
        """Energies, forces and virial of silicon."""
        check_elements(structure, ("Si",), "Stillinger-Weber")
        return stillinger_weber(structure, self.potential)


class LennardJones(AnalyticCalculator):
    """Lennard-Jones, truncated and shifted; argon unless told otherwise.

    Args:
        potential: its constants.

    Example:
        >>> from ase.build import bulk
        >>> argon = bulk("Ar", a=5.26)
        >>> argon.calc = LennardJones()
        >>> round(argon.get_potential_energy(), 3)
        -0.077
    """

    def __init__(self, potential: LennardJonesParameters = ARGON) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.potential = potential

    def evaluate(self, structure: Structure) -> TeacherResult:
        """Energies, forces and virial."""
        return lennard_jones(structure, self.potential)


class Vashishta(AnalyticCalculator):
    """Vashishta's potential; silica of 1990 unless told otherwise.

    Args:
        potential: its constants.
    """

    def __init__(self, potential: VashishtaParameters = SILICA) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.potential = potential

    def evaluate(self, structure: Structure) -> TeacherResult:
        """Energies, forces and virial."""
        return vashishta(structure, self.potential)
