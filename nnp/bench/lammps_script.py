"""Input scripts for LAMMPS: a potential by our ``pair_style nnp``, or by n2p2's ``hdnnp``.

https://docs.lammps.org/pair_hdnnp.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnp.io import n2p2
from nnp.io.lammps import system_script, write_data
from nnp.potential import Potential
from nnp.structure import Structure

_CUTOFF_MARGIN = 1e-6  # Å; LAMMPS wants the potential's cutoff or slightly more

_MOTION = """{pair}
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


def nnp_script(
    folder: Path,
    potential: Potential,
    structure: Structure,
    conditions: Conditions,
    dtype: str = "float64",
) -> str:
    """The same by our own pair style; the potential is written to the folder as a model file."""
    model = folder / "potential.nnp"
    potential.save(model, force=True)
    elements = potential.elements
    pair = f'pair_style nnp {dtype} show no\npair_coeff * * "{model}" {" ".join(elements)}'
    return on_atoms(folder, structure, elements, pair, conditions)


def on_atoms(
    folder: Path, structure: Structure, elements: tuple[str, ...], pair: str, wanted: Conditions
) -> str:
    """Atoms, a pair style, lists and first velocities; the atoms' file goes to the folder."""
    file = folder / "atoms.data"
    write_data(structure, elements, file)
    return system_script(structure, file, open_boundary="f") + _MOTION.format(
        pair=pair,
        skin=wanted.skin,
        temperature=wanted.temperature,
        timestep_ps=wanted.timestep_fs / 1000,
    )
