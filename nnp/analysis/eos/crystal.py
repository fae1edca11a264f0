"""A crystal at rest: no forces, and no stress where the cell may change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nnp.errors import StructureError
from nnp.md.relax_settings import RelaxSettings
from nnp.md.relaxation import relax

# Strains of 1e-3 make forces of 1e-2 eV/Å: what is left must be far below.
FORCE_TOLERANCE = 1e-5  # eV/Å
STRESS_TOLERANCE = 2.0  # bar
_STEPS = 500


def require_crystal(atoms: Any) -> None:
    """Refuse what has no volume to change.

    Raises:
        StructureError: not periodic along three axes, or atoms that are held.
    """
    if not all(atoms.pbc):
        raise StructureError(
            f"pbc={atoms.pbc.tolist()}: pressure, strain and phonons of a crystal need a cell that "
            "is periodic along three axes: give a structure with one"
        )
    if atoms.constraints:
        raise StructureError(
            "the structure keeps atoms fixed (constraints), which a strained crystal must not: "
            "remove them (atoms.set_constraint(); Selective dynamics of a POSCAR)"
        )


def at_rest(model: Any, atoms: Any, cell: bool, tolerance: float = FORCE_TOLERANCE) -> Any:
    """The nearest structure without forces, as ``ase.Atoms`` with the model as calculator.

    Args:
        model: an ASE calculator.
        atoms: where it begins; it stays as it is.
        cell: whether the cell changes too, until there is no stress.
        tolerance: of the largest force, eV/Å.

    Raises:
        NumericalError: the tolerance is not reached.
    """
    settings = RelaxSettings(tolerance, steps=_STEPS)
    if cell:
        settings = replace(settings, cell=True, stress_tolerance=STRESS_TOLERANCE)
    found = relax(model, atoms, settings)
    found.require(settings)
    still = found.atoms.copy()  # type: ignore[no-untyped-call]
    still.calc = model
    return still
