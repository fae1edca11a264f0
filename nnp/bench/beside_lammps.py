"""The same potential on the same atoms in a LAMMPS: by ``pair_style nnp``, by n2p2's ``hdnnp``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nnp.bench.agreement import Answer, Judge
from nnp.bench.engines import default_timestep
from nnp.bench.lammps import forces_of_lammps, run_lammps
from nnp.bench.lammps_script import Conditions, hdnnp_script, nnp_script, runs
from nnp.bench.measurement import Measurement, from_times
from nnp.io.lammps import in_our_axes
from nnp.potential import Potential
from nnp.structure import Structure

_WARM_UP, _BLOCKS = 5, 5
# Name: pair style and precision.
STYLES = {
    "nnp float64": ("nnp", "float64"),
    "nnp float32": ("nnp", "float32"),
    "hdnnp": ("hdnnp", "float64"),
}


def measure_lammps(
    potential: Potential,
    path: Path,
    structure: Structure,
    command: str,
    steps: int = 50,
    style: str = "hdnnp",
) -> Measurement:
    """Time LAMMPS in molecular dynamics (NVE from 300 K), by its own clock.

    Before that its energy and forces are compared with the CPU engine's.

    Args:
        potential: what LAMMPS is to run.
        path: where it lies; if not an n2p2 directory, it is written as one.
        structure: where to start.
        command: the binary, with words before it if need be (``"mpirun -np 2 lmp"``).
        steps: how many to time, in five blocks.
        style: of `STYLES`.

    Raises:
        UnavailableError: no such program, or a LAMMPS without the style.
        NNPError: LAMMPS stopped, or runs another potential.
    """
    conditions = Conditions(timestep_fs=default_timestep(structure))
    judge = Judge(potential)
    judge.prepare(structure)
    with tempfile.TemporaryDirectory() as folder:
        script = _script(style, Path(folder), potential, path, judge.structure, conditions)
        energy, forces = forces_of_lammps(command, script)
    judge.difference(Answer(energy, in_our_axes(judge.structure, forces), _single(style)))
    with tempfile.TemporaryDirectory() as folder:
        script = _script(style, Path(folder), potential, path, structure, conditions)
        found = run_lammps(command, script + runs(_WARM_UP, max(1, steps // _BLOCKS), _BLOCKS))
    details = {
        "version": found.version,
        "threads": found.processes,
        "processor_seconds": found.processor_seconds,
        "timestep_fs": conditions.timestep_fs,
    }
    name = f"LAMMPS {style}"
    return from_times(name, found.n_atoms, found.seconds, details)


def _single(style: str) -> bool:
    return STYLES[style][1] == "float32"


def _script(
    style: str,
    folder: Path,
    potential: Potential,
    path: Path,
    structure: Structure,
    conditions: Conditions,
) -> str:
    name, dtype = STYLES[style]
    if name == "nnp":
        return nnp_script(folder, potential, structure, conditions, dtype)
    return hdnnp_script(folder, potential, path, structure, conditions)
