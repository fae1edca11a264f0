"""LAMMPS's Stillinger-Weber silicon as the clock that tells machines apart."""

from __future__ import annotations

import tempfile
from pathlib import Path

import ase.build

from beside_lammps.systems import silicon_script
from nnp.bench.lammps import find_lammps, run_lammps
from nnp.bench.lammps_script import Conditions, runs
from nnp.bench.measurement import Measurement, from_times
from nnp.errors import NNPError
from nnp.structure import as_structure

_CELLS = 10  # edges of the box: 8,000 atoms
_BLOCKS, _BLOCK_STEPS = 10, 10  # 100 steps, as LAMMPS's own benchmark of this potential


def silicon_clock() -> Measurement | str:
    """One core, with the settings of LAMMPS's own benchmark (bench/POTENTIALS/in.sw).

    From the lattice at 1000 K; colder atoms have fewer neighbours and run up to 1.6 times faster.

    Returns:
        The measurement, or why there is none.
    """
    crystal = as_structure(ase.build.bulk("Si", cubic=True) * (_CELLS, _CELLS, _CELLS))
    try:
        with tempfile.TemporaryDirectory() as folder:
            script = silicon_script("sw", Path(folder), crystal, Conditions(1000.0, 1.0, 1.0))
            script += "neigh_modify delay 5\n" + runs(1, _BLOCK_STEPS, _BLOCKS)
            found = run_lammps(find_lammps(), script)
    except NNPError as error:
        return f"LAMMPS pair_style sw: not measured, {error}"
    details = {"processor_seconds": found.processor_seconds, "version": found.version}
    return from_times("LAMMPS pair_style sw, 1 core", found.n_atoms, found.seconds, details)
