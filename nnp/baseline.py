"""What a potential was fitted on top of: an ASE calculator, by the name that makes it.

A fit may learn what a calculator leaves over, such as dispersion (`dftd3`). The potential then
holds the calculator's name and options, and its engines add what it computes; what takes networks
only (n2p2's files, OpenMM's plugin, C) refuses such a potential.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp import registry
from nnp.errors import NNPError, NumericalError, OptionError, StructureError
from nnp.structure import Structure


@dataclass(frozen=True)
class BaselineResult:
    """What calculators add to a structure.

    Attributes:
        energies: (n,) of each atom, eV; equal shares where a calculator does not say.
        forces: (n, 3) eV/Å; None when not asked for.
        stress: (6,) eV/Å³ in ASE's order; None when not asked for.
    """

    energies: NDArray[np.float64]
    forces: NDArray[np.float64] | None
    stress: NDArray[np.float64] | None


@dataclass(frozen=True)
class Baseline:
    """One calculator; equal ones compute the same.

    Attributes:
        name: see `nnp.teachers.by_name`.
        options: of the calculator, JSON-serialisable.
        given: the calculator itself, if there is one; else it is made by name.
        of_a_file: whether a model's file names it: then it is made only if that starts no program
            and opens no other file.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    given: Any = field(default=None, compare=False, repr=False)
    of_a_file: bool = field(default=False, compare=False, repr=False)

    def __str__(self) -> str:
        words = [f"{key}={value}" for key, value in self.options.items()]
        return f"{self.name} ({', '.join(words)})" if words else self.name

    def calculator(self) -> Any:
        """The one that is given, or a new ASE calculator.

        Raises:
            OptionError: an unknown name, options that the calculator does not take, or one that
                must be given.
            UnavailableError: a package or program that it needs is missing.
        """
        if self.given is not None:
            return self.given
        if self.of_a_file and not registry.is_harmless(self.name):
            raise OptionError(
                f"the potential was fitted on top of {self}, which a file may not start by "
                "itself: give the calculator, nnp.load(path, baseline=calculator), or "
                "baseline=False for the fitted part alone"
            )
        return registry.teacher(self.name, _as_tuples(self.options), argument="baseline")()


class BaselineSum:
    """Several calculators, made once.

    Args:
        parts: of them; see `Baseline.calculator` for what may go wrong.
    """

    def __init__(self, parts: Iterable[Baseline]) -> None:
        self._calculators = {str(part): part.calculator() for part in parts}

    def compute(self, structure: Structure, forces: bool, stress: bool) -> BaselineResult:
        """Energies, on request forces and stress, of all together.

        Raises:
            StructureError: a calculator cannot compute the structure; says which.
            NumericalError: what it computes is not finite.
        """
        n = len(structure)
        energies, force, tension = np.zeros(n), np.zeros((n, 3)), np.zeros(6)
        for name, calculator in self._calculators.items():
            try:
                atoms = _atoms(structure)
                atoms.calc = calculator
                energy = atoms.get_potential_energy()
                own = calculator.results.get("energies")
                energies += np.full(n, energy / n) if own is None else own
                force += atoms.get_forces() if forces else 0.0
                tension += atoms.get_stress() if stress else 0.0
            except (NNPError, MemoryError):
                raise
            except Exception as error:  # programs behind ASE fail in as many ways as there are
                raise StructureError(
                    f"the baseline {name} cannot compute it: {type(error).__name__}: {error}"
                ) from error
        if not all(np.isfinite(part).all() for part in (energies, force, tension)):
            raise NumericalError(f"the baseline {', '.join(self._calculators)} is not finite")
        return BaselineResult(energies, force if forces else None, tension if stress else None)


def refuse_baseline(parts: Iterable[Baseline], where: str) -> None:
    """Refuse a potential on a baseline where only its networks would go.

    Args:
        parts: of the potential.
        where: what cannot hold them, such as ``"n2p2's files"``.

    Raises:
        OptionError: there are parts.
    """
    names = ", ".join(map(str, parts))
    if names:
        raise OptionError(
            f"the potential was fitted on top of {names}, which {where} cannot hold: "
            "nnp.load(path, baseline=False) has its networks alone; OpenMM adds the baseline with "
            "route='python', ASE always"
        )


def _atoms(structure: Structure) -> Any:
    import ase

    return ase.Atoms(
        numbers=structure.atomic_numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
    )


def _as_tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    """Lists, which TOML and JSON have, as the tuples that they were."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in options.items()}
