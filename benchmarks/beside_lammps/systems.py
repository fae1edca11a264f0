"""Input scripts for LAMMPS: a potential's own directory, and classical yardsticks of cost.

``nnp`` and ``nnp-float32``: the potential, by our pair style. ``hdnnp``: the same, by n2p2
(https://docs.lammps.org/pair_hdnnp.html). ``sw``: silicon by
Stillinger and Weber, Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262. ``snap``: silicon
by Zuo et al., J. Phys. Chem. A 124, 731 (2020), whose coefficients come with LAMMPS. ``lj/cut``:
LAMMPS's own benchmark of a liquid (bench/in.lj), in reduced units.
"""

from __future__ import annotations

from pathlib import Path

import ase.build

from beside_lammps.sizes import of_size
from nnp.bench.lammps_script import Conditions, hdnnp_script, nnp_script, on_atoms
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

OURS = {"nnp": "float64", "nnp-float32": "float32"}
STYLES = (*OURS, "hdnnp", "sw", "snap", "lj/cut")
MANY_BODY = ("hdnnp", "sw", "snap")

# In the order of LAMMPS: epsilon (eV), sigma (Å), a, lambda, gamma, cos θ, A, B, p, q, tolerance.
_STILLINGER_WEBER = (
    "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
)
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
        potential: for ``nnp`` and ``hdnnp``.
        path: where it lies; if not an n2p2 directory, the potential is written as one.
        structure: for these; silicon of as many atoms for ``sw`` and ``snap``, a liquid for
            ``lj/cut``.
        conditions: velocities, time step, skin.

    Raises:
        NNPError: the potential cannot be written as n2p2's files.
    """
    if style == "lj/cut":
        return _LIQUID.format(cells=max(1, round((len(structure) / 4) ** (1 / 3))))
    if style in OURS:
        return nnp_script(folder, potential, structure, conditions, OURS[style])
    if style == "hdnnp":
        return hdnnp_script(folder, potential, path, structure, conditions)
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
    return on_atoms(folder, silicon, ("Si",), pair, conditions)
