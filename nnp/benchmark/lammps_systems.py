"""Input scripts for LAMMPS: a potential's own directory, and classical yardsticks of cost.

``hdnnp``: the potential, by n2p2 (https://docs.lammps.org/pair_hdnnp.html). ``sw``: silicon by
Stillinger and Weber, Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262. ``snap``: silicon
by Zuo et al., J. Phys. Chem. A 124, 731 (2020), whose coefficients come with LAMMPS. ``lj/cut``:
LAMMPS's own benchmark of a liquid (bench/in.lj), in reduced units.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ase.build
import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from numpy.typing import NDArray

from nnp.benchmark.structures import of_size
from nnp.io import n2p2
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

STYLES = ("hdnnp", "sw", "snap", "lj/cut")
MANY_BODY = ("hdnnp", "sw", "snap")

# In the order of LAMMPS: epsilon (eV), sigma (Å), a, lambda, gamma, cos θ, A, B, p, q, tolerance.
_STILLINGER_WEBER = (
    "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
)
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

_LIQUID = """
units lj
atom_style atomic
lattice fcc 0.8442
region box block 0 {cells} 0 {cells} 0 {cells}
create_box 1 box
create_atoms 1 box
mass 1 1.0
velocity all create 1.44 87287 loop geom
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0 2.5
neighbor 0.3 bin
neigh_modify delay 0 every 20 check no
timestep 0.005
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


def script_of(
    style: str,
    folder: Path,
    potential: Potential,
    path: Path,
    structure: Structure,
    conditions: Conditions,
) -> str:
    """The system of a style, up to its first ``run``; its files go to the folder.

    Args:
        style: of ``STYLES``.
        folder: for atoms and parameters.
        potential: for ``hdnnp``.
        path: where it lies; if not an n2p2 directory, the potential is written as one.
        structure: for ``hdnnp``; silicon of as many atoms for ``sw`` and ``snap``, a liquid for
            ``lj/cut``.
        conditions: velocities, time step, skin.

    Raises:
        NNPError: the potential cannot be written as n2p2's files.
    """
    if style == "lj/cut":
        return _LIQUID.format(cells=max(1, round((len(structure) / 4) ** (1 / 3))))
    if style == "hdnnp":
        if not path.is_dir():
            path = folder / "hdnnp"
            n2p2.write(potential, path, potential.units)
        return _on_atoms(folder, structure, potential.elements, _hdnnp(potential, path), conditions)
    silicon = of_size(as_structure(ase.build.bulk("Si", cubic=True)), len(structure))
    return silicon_script(style, folder, silicon, conditions)


def silicon_script(style: str, folder: Path, silicon: Structure, conditions: Conditions) -> str:
    """The system of ``sw`` or ``snap``, up to its first ``run``; see `script_of`."""
    if style == "snap":
        files = "Si_Zuo_JPCA2020.snapcoeff Si_Zuo_JPCA2020.snapparam"
    else:
        (folder / "Si.sw").write_text(_STILLINGER_WEBER)
        files = f"{folder}/Si.sw"
    pair = f"pair_style {style}\npair_coeff * * {files} Si"
    return _on_atoms(folder, silicon, ("Si",), pair, conditions)


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


def _on_atoms(
    folder: Path, structure: Structure, elements: tuple[str, ...], pair: str, wanted: Conditions
) -> str:
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
