"""The same potential on the same atoms in a LAMMPS, by n2p2's ``pair_style hdnnp``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nnp.bench.agreement import Answer, Judge
from nnp.bench.engines import default_timestep
from nnp.bench.lammps import forces_of_lammps, run_lammps
from nnp.bench.lammps_script import Conditions, hdnnp_script, in_our_axes, runs
from nnp.bench.measurement import Measurement, from_times
from nnp.potential import Potential
from nnp.structure import Structure

_WARM_UP, _BLOCKS = 5, 5


def measure_lammps(
    potential: Potential, path: Path, structure: Structure, command: str, steps: int = 50
) -> Measurement:
    """Time LAMMPS in molecular dynamics (NVE from 300 K), by its own clock.

    Before that its energy and forces are compared with the CPU engine's.

    Args:
        potential: what LAMMPS is to run.
        path: where it lies; if not an n2p2 directory, it is written as one.
        structure: where to start.
        command: the binary, with words before it if need be (``"mpirun -np 2 lmp"``).
        steps: how many to time, in five blocks.

    Raises:
        UnavailableError: no such program, or a LAMMPS without the style.
        NNPError: LAMMPS stopped, or runs another potential.
    """
    conditions = Conditions(timestep_fs=default_timestep(structure))
    judge = Judge(potential)
    judge.prepare(structure)
    with tempfile.TemporaryDirectory() as folder:
        script = hdnnp_script(Path(folder), potential, path, judge.structure, conditions)
        energy, forces = forces_of_lammps(command, script)
    judge.difference(Answer(energy, in_our_axes(judge.structure, forces)))
    with tempfile.TemporaryDirectory() as folder:
        script = hdnnp_script(Path(folder), potential, path, structure, conditions)
        found = run_lammps(command, script + runs(_WARM_UP, max(1, steps // _BLOCKS), _BLOCKS))
    details = {
        "version": found.version,
        "threads": found.processes,
        "processor_seconds": found.processor_seconds,
        "timestep_fs": conditions.timestep_fs,
    }
    name = f"LAMMPS {found.style or 'hdnnp'}"
    return from_times(name, found.n_atoms, found.seconds, details)
