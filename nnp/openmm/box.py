"""From ASE's cells to OpenMM's boxes and back.

OpenMM wants box vectors a = (a_x, 0, 0), b = (b_x, b_y, 0), c = (c_x, c_y, c_z) with positive
diagonal and |b_x|, |c_x| ≤ a_x / 2, |c_y| ≤ b_y / 2 (User Guide, "Periodic Boundary Conditions").
Any cell becomes one by a rotation and by integer combinations of its vectors, which leave the
lattice as it is.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openmm
from ase import Atoms
from ase.constraints import FixAtoms
from numpy.typing import NDArray
from openmm import app, unit

from nnp.openmm.constraints import Constraints, constraints_of
from nnp.openmm.species import all_or_none
from nnp.openmm.topology import (
    check_elements,
    create_topology,
    openmm_parts,
    positions_of,
    read_box,
)
from nnp.structure import Structure, as_structure
from nnp.units import NANOMETRE


@dataclass(frozen=True, eq=False)
class OpenMMAtoms:
    """Atoms as OpenMM takes them.

    Attributes:
        topology: elements, and the box if periodic.
        positions_nm: (n, 3).
        box_nm: (3, 3) reduced box vectors as rows, None if not periodic.
        masses: (n,) u.
        rotation: (3, 3) proper; a vector of the original frame times it is OpenMM's:
            ``velocities_openmm = velocities_ase @ rotation``.
        combination: (3, 3) integers, box = combination @ (cell @ rotation).
        constraints: what may not change.
    """

    topology: app.Topology
    positions_nm: NDArray[np.float64]
    box_nm: NDArray[np.float64] | None
    masses: NDArray[np.float64]
    rotation: NDArray[np.float64]
    combination: NDArray[np.int64]
    constraints: Constraints = field(default_factory=Constraints)

    def to_ase(
        self, positions_nm: NDArray[np.float64], box_nm: NDArray[np.float64] | None = None
    ) -> Atoms:
        """A frame of the simulation in the original frame, with the original cell vectors.

        Args:
            positions_nm: (n, 3).
            box_nm: (3, 3); the starting box if None.
        """
        box_nm = self.box_nm if box_nm is None else box_nm
        cell = None if box_nm is None else self.cell_of(box_nm)
        atoms = Atoms(
            numbers=[atom.element.atomic_number for atom in self.topology.atoms()],
            positions=positions_nm @ self.rotation.T * NANOMETRE,
            cell=cell,
            pbc=box_nm is not None,
            masses=self.masses,
        )
        if len(self.constraints.fixed):
            atoms.set_constraint(FixAtoms(self.constraints.fixed))  # type: ignore[no-untyped-call]
        return atoms

    def cell_of(self, box_nm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(3, 3) cell of a box, Å: the original vectors in the original frame.

        Args:
            box_nm: (3, 3) of the simulation.
        """
        lattice = np.linalg.inv(self.combination) @ box_nm
        return np.asarray(lattice @ self.rotation.T * NANOMETRE)


def to_openmm(atoms: Any) -> OpenMMAtoms:
    """Topology, positions and reduced box of a structure.

    Args:
        atoms: an ``ase.Atoms``, periodic along all three axes or none, with its fixed atoms and
            bond lengths, and the residues and chains of a PDB or GRO file. Or what OpenMM reads: a
            PDBFile, PDBxFile, Modeller, or a Topology with positions.

    Raises:
        StructureError: mixed pbc, a cell that cannot be used, or a constraint that OpenMM cannot
            keep.
    """
    if isinstance(atoms, OpenMMAtoms):
        return atoms
    if (found := openmm_parts(atoms)) is not None:
        return of_topology(*found)
    structure = as_structure(atoms)
    rotation, combination = np.eye(3), np.eye(3, dtype=np.int64)
    box_nm = None
    if all_or_none(structure):
        rotation, combination, box = reduced_box(structure.cell)
        box_nm = box / NANOMETRE
    return OpenMMAtoms(
        topology=create_topology(structure, box_nm, getattr(atoms, "arrays", {})),
        positions_nm=structure.positions @ rotation / NANOMETRE,
        box_nm=box_nm,
        masses=_masses(atoms, structure),
        rotation=rotation,
        combination=combination,
        constraints=constraints_of(atoms),
    )


def of_topology(topology: app.Topology, positions: Any) -> OpenMMAtoms:
    """Atoms that OpenMM has read; names, residues and chains stay, masses are the elements'.

    Args:
        topology: elements, and the box if periodic; edges of 1 Å, or of nothing, are a
            placeholder for none.
        positions: (n, 3), a Quantity, or numbers in nm.

    Raises:
        StructureError: another number of positions, or an atom without an element.
    """
    check_elements(topology)
    positions_nm = positions_of(topology, positions)
    box_nm = read_box(topology)
    rotation, combination = np.eye(3), np.eye(3, dtype=np.int64)
    if box_nm is not None:
        rotation, combination, box_nm = reduced_box(box_nm)
    whole = copy.copy(topology)
    vectors = None if box_nm is None else [openmm.Vec3(*row) for row in box_nm.tolist()]
    whole.setPeriodicBoxVectors(None if vectors is None else vectors * unit.nanometer)
    masses = [atom.element.mass.value_in_unit(unit.dalton) for atom in topology.atoms()]
    return OpenMMAtoms(
        topology=whole,
        positions_nm=positions_nm @ rotation,
        box_nm=box_nm,
        masses=np.array(masses, np.float64),
        rotation=rotation,
        combination=combination,
    )


def reduced_box(
    cell: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Rotation R, integers M and box = M @ cell @ R in OpenMM's reduced form.

    Args:
        cell: (3, 3) rows are cell vectors, any unit; independent, of either handedness.

    >>> _, _, box = reduced_box(np.array([[0, 2.0, 2.0], [2.0, 0, 2.0], [2.0, 2.0, 0]]))
    >>> bool(np.isclose(np.linalg.det(box), 16))
    True
    """
    combination = np.eye(3, dtype=np.int64)
    if np.linalg.det(cell) < 0:
        combination[2, 2] = -1  # the same lattice, right-handed
    rotation = _lower_triangular_rotation(combination @ cell)
    box = np.tril(combination @ cell @ rotation)
    for row, axis in ((2, 1), (2, 0), (1, 0)):
        times = int(np.rint(box[row, axis] / box[axis, axis]))
        box[row] -= times * box[axis]
        combination[row] -= times * combination[axis]
        half = box[axis, axis] / 2  # rounding may leave it one bit beyond, which OpenMM refuses
        box[row, axis] = np.clip(box[row, axis], -half, half)
    return rotation, combination, box


def box_from_state(state: openmm.State) -> NDArray[np.float64]:
    """(3, 3) box vectors of a state, nm."""
    vectors = state.getPeriodicBoxVectors(asNumpy=True)
    return np.array(vectors.value_in_unit(unit.nanometer))


def _lower_triangular_rotation(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation R that makes cell @ R lower triangular with positive diagonal."""
    if (np.triu(cell, 1) == 0).all() and (np.diag(cell) > 0).all():
        return np.eye(3)
    q, r = np.linalg.qr(cell.T)  # cell = r.T @ q.T
    rotation: NDArray[np.float64] = q * np.sign(np.diag(r))
    return rotation


def _masses(atoms: Any, structure: Structure) -> NDArray[np.float64]:
    if isinstance(atoms, Structure):
        atoms = Atoms(numbers=structure.atomic_numbers)
    return np.array(atoms.get_masses(), np.float64)
