"""LAMMPS: data files, and input scripts that run a potential by ``pair_style nnp``.

https://docs.lammps.org/read_data.html. LAMMPS wants the first cell vector along x and the second
in the plane of x and y: structures are turned, and `in_our_axes` turns vectors back.
"""

from __future__ import annotations

from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from numpy.typing import NDArray

from nnp.errors import StructureError
from nnp.structure import Structure

_MARGIN = 15.0  # Å beside atoms where nothing is periodic

_SYSTEM = """units metal
atom_style atomic
boundary {boundary}
{tilt}read_data "{data}"
"""

_RUN = """# {title}
{system}
# Types in order; NULL for one that another style of pair_style hybrid moves
pair_style nnp {dtype}
pair_coeff * * "{model}" {elements}

neighbor 1.0 bin
neigh_modify every 1 delay 0 check yes
timestep {timestep_ps}  # ps

# Functions outside what the potential was trained on: in this step, and since the start
compute seen all pair nnp
thermo_style custom step time temp pe etotal press c_seen[1] c_seen[2]
thermo 100

velocity all create {temperature} 376847 dist gaussian
fix 1 all nve
# for a thermostat instead: fix 1 all nvt temp {temperature} {temperature} 0.1
run {steps}
"""


def boxed(structure: Structure) -> Atoms:
    """The atoms in a complete cell: along what is not periodic, one with room around them."""
    periodic = structure.pbc.astype(bool)
    vectors = np.where(periodic[:, None], structure.cell, 0.0)
    atoms = Atoms(structure.symbols, structure.positions, cell=vectors, pbc=periodic)
    cell = atoms.cell.complete().array
    fractional = atoms.positions @ np.linalg.inv(cell)
    low, high = fractional.min(axis=0), fractional.max(axis=0)
    margin = _MARGIN / np.linalg.norm(cell, axis=1)
    atoms.positions += np.where(periodic, 0.0, margin - low) @ cell
    atoms.cell[:] = np.where(periodic, 1.0, high - low + 2 * margin)[:, None] * cell
    return atoms


def in_our_axes(structure: Structure, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors on atoms, which LAMMPS has along its own axes.

    Args:
        structure: that was written by `write_data`.
        vectors: shape (n, 3), in LAMMPS's axes.
    """
    turned: NDArray[np.float64] = Prism(boxed(structure).cell.array).vector_to_ase(vectors)
    return turned


def write_data(structure: Structure, elements: tuple[str, ...], path: str | Path) -> None:
    """Write a data file of ``atom_style atomic`` and ``units metal``.

    Args:
        structure: the atoms.
        elements: of types 1, 2, …, with their masses.
        path: where to; an existing file is replaced.

    Raises:
        StructureError: there are no atoms, or one of an element that is not among them.
    """
    if len(structure) == 0:
        raise StructureError("the structure has no atoms")
    unknown = set(structure.symbols) - set(elements)
    if unknown:
        raise StructureError(
            f"the structure has {', '.join(sorted(unknown))}, but the atom types are only of "
            f"{', '.join(elements)}"
        )
    ase.io.write(
        path, boxed(structure), format="lammps-data", specorder=list(elements), masses=True
    )


def system_script(structure: Structure, data: str | Path, open_boundary: str = "s") -> str:
    """The commands that read a data file.

    Args:
        structure: that was written to it.
        data: its path.
        open_boundary: along what is not periodic: ``"s"`` keeps the atoms in, ``"f"`` is fixed.
    """
    boundary = " ".join("p" if periodic else open_boundary for periodic in structure.pbc)
    edges = Prism(boxed(structure).cell.array).get_lammps_prism()
    skewed = np.abs(edges[3:]) > 0.5 * np.array([edges[0], edges[0], edges[1]])
    tilt = "box tilt large  # for LAMMPS before 2025\n" if skewed.any() else ""
    return _SYSTEM.format(boundary=boundary, data=data, tilt=tilt)


def run_script(
    title: str,
    structure: Structure,
    data: str | Path,
    model: str | Path,
    elements: tuple[str, ...],
    *,
    dtype: str = "float64",
    timestep_fs: float = 1.0,
    temperature: float = 300.0,
    steps: int = 1000,
) -> str:
    """A ready input: molecular dynamics at constant energy by ``pair_style nnp``.

    Args:
        title: its first line, a comment.
        structure: that was written to the data file.
        data: the data file.
        model: the model file.
        elements: of types 1, 2, ….
        dtype: ``"float64"`` or ``"float32"``.
        timestep_fs: fs.
        temperature: of the first velocities, K.
        steps: how many.
    """
    return _RUN.format(
        title=title,
        system=system_script(structure, data),
        dtype=dtype,
        model=model,
        elements=" ".join(elements),
        timestep_ps=timestep_fs / 1000,
        temperature=f"{temperature:g}",
        steps=steps,
    )
