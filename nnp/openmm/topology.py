"""OpenMM's topologies: made of structures, and read where OpenMM or a file made them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openmm import app, unit

from nnp.errors import StructureError
from nnp.structure import Structure
from nnp.units import NANOMETRE

# Names of the columns that hold residues, as ASE reads them from PDB and GRO.
_RESIDUES = ("chainids", "residuenumbers", "residuenames")
_NAMES = "atomtypes"
# Edges (nm) at which a file says that there is no crystal: CRYST1 of 1 Å, or of nothing.
_PLACEHOLDERS = (0.0, 1.0 / NANOMETRE)


def create_topology(
    structure: Structure, box_nm: NDArray[np.float64] | None, arrays: Mapping[str, Any]
) -> app.Topology:
    """Elements, with residues and chains where the structure has them.

    Without them one residue per atom: PDB readers take a second atom of the same name for an error.

    Args:
        structure: the atoms.
        box_nm: (3, 3) reduced, or None.
        arrays: columns of an ``ase.Atoms``.
    """
    topology = app.Topology()
    if "residuenames" in arrays and "residuenumbers" in arrays:
        _add_residues(topology, structure, arrays)
    else:
        chain = topology.addChain()
        for symbol in structure.symbols:
            residue = topology.addResidue(symbol.upper(), chain)
            topology.addAtom(symbol, app.Element.getBySymbol(symbol), residue)
    if box_nm is not None:
        topology.setPeriodicBoxVectors(box_nm * unit.nanometer)
    return topology


def openmm_parts(given: Any) -> tuple[app.Topology, Any] | None:
    """Topology and positions of what OpenMM reads; None of all else.

    Args:
        given: PDBFile, PDBxFile, Modeller, …, or a Topology and positions.
    """
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], app.Topology):
        return given
    topology = getattr(given, "topology", None)
    if isinstance(topology, app.Topology) and hasattr(given, "positions"):
        return topology, given.positions
    return None


def check_elements(topology: app.Topology) -> None:
    """Refuse atoms without an element.

    Raises:
        StructureError: virtual sites and extra particles; names one.
    """
    for atom in topology.atoms():
        if atom.element is None:
            raise StructureError(
                f"atom {atom.index} ({atom.name!r}) of the topology has no element: virtual sites "
                "and extra particles cannot be part of the potential"
            )


def positions_of(topology: app.Topology, positions: Any) -> NDArray[np.float64]:
    """(n, 3) positions, nm.

    Raises:
        StructureError: another number of them than atoms.
    """
    places = _without_unit(positions)
    found = np.array([list(_without_unit(place)) for place in places], np.float64).reshape(-1, 3)
    if len(found) != topology.getNumAtoms():
        raise StructureError(
            f"{len(found)} positions for a topology of {topology.getNumAtoms()} atoms"
        )
    return found


def read_box(topology: app.Topology) -> NDArray[np.float64] | None:
    """(3, 3) box vectors, nm; None without one, and for a placeholder."""
    vectors = topology.getPeriodicBoxVectors()
    if vectors is None:
        return None
    box = np.array([list(vector) for vector in vectors.value_in_unit(unit.nanometer)], np.float64)
    edges = np.linalg.norm(box, axis=1)
    if np.isclose(edges[:, None], _PLACEHOLDERS, atol=1e-6).any(axis=1).all():
        return None
    return box


def _without_unit(value: Any) -> Any:
    return value.value_in_unit(unit.nanometer) if unit.is_quantity(value) else value


def _add_residues(topology: app.Topology, structure: Structure, arrays: Mapping[str, Any]) -> None:
    n = len(structure)
    columns = [arrays.get(name, [""] * n) for name in _RESIDUES]
    rows = [tuple(str(value).strip() for value in row) for row in zip(*columns, strict=True)]
    names = [str(name).strip() for name in arrays.get(_NAMES, structure.symbols)]
    symbols = structure.symbols
    for chain_id, chain_rows in groupby(range(n), key=lambda atom: rows[atom][0]):
        chain = topology.addChain(chain_id or None)
        for (_, number, residue_name), atoms in groupby(chain_rows, key=lambda atom: rows[atom]):
            residue = topology.addResidue(residue_name, chain, number)
            for atom in atoms:
                element = app.Element.getBySymbol(symbols[atom])
                topology.addAtom(names[atom] or symbols[atom], element, residue)
