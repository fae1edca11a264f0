"""Run by `lammps_nnp.py` in a process of its own, under mpiexec where asked for: LAMMPS jobs.

    python lammps_program.py JOBS.json RESULTS.json

A job has ``commands``: a list of commands and ``{"atoms": …}``; ``gather``: names of per-atom
quantities with the number of their columns; ``global``: names of thermo keywords. Its result has
what was gathered, by atom ID, the thermo keywords' values, or ``error``.
"""

import ctypes
import json
import re
import sys
from pathlib import Path

import numpy as np
from lammps import LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR, lammps


def run(instance, job):
    for entry in job["commands"]:
        if isinstance(entry, str):
            instance.commands_string(entry)
        else:
            add_atoms(instance, **entry["atoms"])
    found = {name: value_of(instance, name) for name in job.get("global", ())}
    for name, columns in job.get("gather", {}).items():
        found[name] = gathered(instance, name, columns)
    return found


def value_of(instance, name):
    """A keyword of thermo_style, or c_ID[k] as it was at the last step of output."""
    if not name.startswith("c_"):
        return instance.get_thermo(name)
    identifier, number = re.fullmatch(r"c_(\w+)\[(\d+)\]", name).groups()
    kind = LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR
    return float(instance.numpy.extract_compute(identifier, *kind)[int(number) - 1])


def add_atoms(instance, types, positions, velocities=None):
    """On every rank: each keeps those in its part of the box."""
    n = len(types)
    x = (ctypes.c_double * (3 * n))(*np.ravel(positions))
    v = None if velocities is None else (ctypes.c_double * (3 * n))(*np.ravel(velocities))
    made = instance.create_atoms(
        n, (ctypes.c_int * n)(*range(1, n + 1)), (ctypes.c_int * n)(*types), x, v
    )
    if made != n:
        raise RuntimeError(f"LAMMPS took {made} of {n} atoms")


def gathered(instance, name, columns):
    """(n, columns) by atom ID, of all ranks."""
    if name in ("x", "f", "v"):
        values = instance.gather_atoms(name, 1, columns)
    else:
        values = instance.gather(name, 1, columns)
    array = np.array(values, np.float64)
    return array.tolist() if columns == 1 else array.reshape(-1, columns).tolist()


def main(source, target):
    jobs = json.loads(Path(source).read_text(encoding="utf-8"))
    instance = lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
    results = []
    for job in jobs:
        instance.command("clear")
        try:
            results.append(run(instance, job))
        except Exception as error:  # noqa: BLE001 -- what LAMMPS says is a result
            results.append({"error": str(error)})
    first = instance.extract_setting("world_rank") == 0
    instance.finalize()
    if first:
        Path(target).write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
