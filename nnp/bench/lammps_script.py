"""Input scripts for LAMMPS: a potential by n2p2's ``pair_style hdnnp``, on given atoms.

https://docs.lammps.org/pair_hdnnp.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from numpy.typing import NDArray

from nnp.io import n2p2
from nnp.potential import Potential
from nnp.structure import Structure

_MARGIN = 15.0  # Å around a cluster
_CUTOFF_MARGIN = 1e-6  # Å; LAMMPS wants the potential's cutoff or slightly more

_ATOMS = """
units metal
atom_style atomic
boundary {boundary}
box tilt large
read_data "{folder}/atoms.data"
{pair}
neighbor {skin} bin
neigh_modify every 1 delay 0 check yes
velocity all create {temperature} 376847
timestep {timestep_ps}
"""


@dataclass(frozen=True)
class Conditions:
    """What LAMMPS and OpenMM have in common.

    Attributes:
        temperature: of the first velocities, K.
        timestep_fs: fs.
        skin: of the neighbour list, Å: rebuilt as soon as an atom has moved half of it.
    """

    temperature: float = 300.0
    timestep_fs: float = 1.0
    skin: float = 1.0


def hdnnp_script(
    folder: Path, potential: Potential, path: Path, structure: Structure, conditions: Conditions
) -> str:
    """The potential on a structure, up to the first ``run``; its files go to the folder.

    Args:
        folder: for atoms and parameters.
        potential: moves the atoms.
        path: where it lies; if not an n2p2 directory, the potential is written as one.
        structure: the atoms.
        conditions: velocities, time step, skin.

    Raises:
        NNPError: the potential cannot be written as n2p2's files.
    """
    if not path.is_dir():
        path = folder / "hdnnp"
        n2p2.write(potential, path, potential.units)
    return on_atoms(folder, structure, potential.elements, _hdnnp(potential, path), conditions)


def runs(warm_up: int, steps: int, blocks: int = 1) -> str:
    """NVE: steps to warm up, then blocks to be timed."""
    timed = f"run {steps}\n" * blocks
    return f"fix 1 all nve\nthermo 1000000\nrun {warm_up}\n{timed}"


def _hdnnp(potential: Potential, path: Path) -> str:
    """Its conversions are native units per Å and per eV; the cutoff is in Å."""
    length, energy = potential.units.length_in_angstrom, potential.units.energy_in_ev
    return (
        f'pair_style hdnnp {potential.cutoff + _CUTOFF_MARGIN!r} dir "{path.resolve()}/" showew no '
        f"resetew yes maxew 1000000000 cflength {1 / length!r} cfenergy {1 / energy!r}\n"
        f"pair_coeff * * {' '.join(potential.elements)}"
    )


def in_our_axes(structure: Structure, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors on atoms, which LAMMPS has along its axes: it turns cells until x is along the first.

    Args:
        structure: that was given to `script_of`.
        vectors: shape (n, 3), in LAMMPS's axes.
    """
    turned: NDArray[np.float64] = Prism(_boxed(structure).cell.array).vector_to_ase(vectors)
    return turned


def on_atoms(
    folder: Path, structure: Structure, elements: tuple[str, ...], pair: str, wanted: Conditions
) -> str:
    """Atoms, a pair style, lists and first velocities; the atoms' file goes to the folder."""
    file = folder / "atoms.data"
    ase.io.write(
        file, _boxed(structure), format="lammps-data", specorder=list(elements), masses=True
    )
    return _ATOMS.format(
        boundary=" ".join("p" if periodic else "f" for periodic in structure.pbc),
        folder=folder,
        pair=pair,
        skin=wanted.skin,
        temperature=wanted.temperature,
        timestep_ps=wanted.timestep_fs / 1000,
    )


def _boxed(structure: Structure) -> Atoms:
    """In a box with room around them where nothing is periodic."""
    cell, positions = structure.cell, structure.positions
    if not structure.pbc.any():
        positions = positions - positions.min(axis=0) + _MARGIN
        cell = np.diag(positions.max(axis=0) + _MARGIN)
    return Atoms(structure.symbols, positions=positions, cell=cell, pbc=structure.pbc)
