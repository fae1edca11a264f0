"""What a file does not hold of the structures that were written into it: read back and compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.errors import NNPError, StructureError
from nnp.io.structures.labels import is_predicted, labels_of

# Formats round positions to 0.01 Å at worst (GRO); distances and shapes of cells to twice that.
_POSITION, _CELL = 2e-2, 2e-2
# Å: what is rounded more than that is said.
_ROUNDING = 1e-4
# Energies and forces survive to about 1e-8 where they do at all.
_RELATIVE = 1e-5


def lost(written: Sequence[Any], back: Sequence[Any], path: Path) -> list[str]:
    """Compare what was written with what is read again.

    Returns:
        What the file does not hold: labels, velocities, constraints, charges.

    Raises:
        StructureError: the structures themselves are others: number, elements, cell, periodicity
            or positions.
    """
    if len(written) != len(back):
        raise StructureError(
            f"{path}: {len(written)} structures were to be written, and the format holds "
            f"{len(back)}: write extxyz, or one file each"
        )
    missing: dict[str, int] = {}
    for number, (atoms, again) in enumerate(zip(written, back, strict=True)):
        _refuse_others(atoms, again, f"{path}, structure {number}")
        for what in _lost_of(atoms, again):
            missing[what] = missing.get(what, 0) + 1
    return [
        what if count == len(written) else f"{what} of {count} structures"
        for what, count in missing.items()
    ]


def _refuse_others(atoms: Any, again: Any, where: str) -> None:
    way_out = "write extxyz, which holds everything"
    if list(atoms.numbers) != list(again.numbers):
        raise StructureError(
            f"{where}: read back it has other atoms or another order "
            f"({again.get_chemical_formula()} for {atoms.get_chemical_formula()}): {way_out}"
        )
    if list(atoms.pbc) != list(again.pbc):
        raise StructureError(
            f"{where}: it has pbc = {_axes(atoms)}, and this format would be read back with pbc = "
            f"{_axes(again)}, other energies with it: {way_out}"
        )
    if _differs(_shape(atoms), _shape(again), _CELL):
        raise StructureError(f"{where}: its cell does not survive this format: {way_out}")
    if _differs(_places(atoms), _places(again), _POSITION):
        raise StructureError(f"{where}: its positions do not survive this format: {way_out}")


def _axes(atoms: Any) -> str:
    return " ".join("FT"[int(axis)] for axis in atoms.pbc)


def _shape(atoms: Any) -> NDArray[np.float64]:
    """Dot products of the periodic vectors, which turning the cell leaves."""
    vectors = atoms.cell.array[atoms.pbc]
    products: NDArray[np.float64] = vectors @ vectors.T
    lengths = np.sqrt(np.diagonal(products))
    shape: NDArray[np.float64] = products / np.maximum(np.sqrt(np.outer(lengths, lengths)), 1e-9)
    return shape


def _places(atoms: Any) -> NDArray[np.float64]:
    """Distances to the first atom, which turning, moving and wrapping leave."""
    if not len(atoms):
        return np.zeros(0)
    found: NDArray[np.float64] = atoms.get_distances(
        0, range(len(atoms)), mic=bool(atoms.pbc.any())
    )
    return found


def _differs(one: NDArray[np.float64], other: NDArray[np.float64], tolerance: float) -> bool:
    return one.shape != other.shape or bool(np.abs(one - other).max(initial=0.0) > tolerance)


def _lost_of(atoms: Any, again: Any) -> list[str]:
    gone = []
    moved = float(np.abs(_places(atoms) - _places(again)).max(initial=0.0))
    if moved > _ROUNDING:
        gone.append("positions exactly (they are rounded)")
    for name, value in _results(atoms).items():
        if name not in _results(again) or not _close(value, _results(again)[name]):
            gone.append(name)
    for name, value in _labels(atoms).items():
        there = _labels(again)
        if name not in gone and (name not in there or not _close(value, there[name])):
            gone.append(f"labels ({name})")
    if atoms.has("momenta") and not (
        again.has("momenta") and _close(atoms.get_momenta(), again.get_momenta())
    ):
        gone.append("velocities")
    if not _same_constraints(atoms, again):
        gone.append("constraints")
    if np.any(atoms.get_initial_charges()) and not _close(
        atoms.get_initial_charges(), again.get_initial_charges()
    ):
        gone.append("charges")
    if not _close(atoms.get_masses(), again.get_masses()):
        gone.append("masses")
    if is_predicted(atoms) and not is_predicted(again):
        gone.append("the mark that energy and forces are predictions")
    return gone


def _same_constraints(atoms: Any, again: Any) -> bool:
    """Whether the same atoms are held in the same way; order and grouping may differ."""
    return _held(atoms) == _held(again)


def _held(atoms: Any) -> set[Any]:
    found: set[Any] = set()
    for constraint in atoms.constraints:
        name, told = type(constraint).__name__, constraint.todict().get("kwargs", {})
        indices = np.atleast_1d(told.get("indices", told.get("a", []))).tolist()
        mask = np.atleast_1d(told.get("mask", [True, True, True])).astype(bool)
        if name in ("FixAtoms", "FixCartesian"):
            found |= {(int(i), tuple(np.broadcast_to(mask, 3).tolist())) for i in indices}
        else:
            found.add((name, str(sorted(told.items(), key=str))))
    return found


def _results(atoms: Any) -> dict[str, Any]:
    results = {} if atoms.calc is None else atoms.calc.results
    names = ("energy", "forces", "stress")
    return {name: results[name] for name in names if results.get(name) is not None}


def _labels(atoms: Any) -> dict[str, Any]:
    try:
        return labels_of(atoms).results()
    except NNPError:
        return {}


def _close(one: Any, other: Any) -> bool:
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if first.shape != second.shape:
        return False
    scale = float(np.abs(first).max(initial=0.0))
    return bool(np.abs(first - second).max(initial=0.0) <= _RELATIVE * max(scale, 1e-3))
