"""Our own family of functions on one core, beside Behler's functions and LAMMPS's clock.

    export NNP_REFERENCE_DATA=… OMP_NUM_THREADS=1
    python benchmarks/bench_moments.py --clock --json benchmarks/results/moments.json

Silicon at 5.5 Å (33 neighbours) and water at 6.35 Å (about 90): energy, forces and virial of atoms
that move a little before every call. Functions are the defaults of `[functions] generate = {family
= "moments"}`, coefficients those of one structure, networks random ones of 24-24: nothing of that
changes the speed. Beside them the reference data's potentials with Behler's functions on the same
atoms. All take a call in turn; rates are per second of processor time, of the median call. The same
for NEP files, with the programs that read them: bench_nep.py.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ase.build import bulk
from beside_lammps.clock import silicon_clock
from in_turns import Subject, as_atoms, in_turns
from record import write_record
from untrained import untrained

import nnp
from nnp.bench import Measurement, replicated
from nnp.cli.table import text_table
from nnp.io.structures import read_structures
from nnp.neighbors import neighbor_list
from nnp.structure import Structure, as_structure
from nnp.train.inputs.moments import GeneratedMoments
from nnp.units import ATOMIC

CUTOFFS = {"silicon": 5.5, "water": 6.35}  # Å
# thousand atom-steps per second and core
WANTED = {("silicon", "float64"): 450, ("silicon", "float32"): 650}
WANTED |= {("water", "float64"): 220, ("water", "float32"): 390}
PRECISIONS = ("float64", "float32")


def systems(folder: Path, n_atoms: int) -> Iterator[tuple[str, Structure, nnp.Potential]]:
    """Name, structure, and the potential with Behler's functions."""
    crystal = bulk("Si", cubic=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the units are what they are taken for
        behler = nnp.load(folder / "mlearn/Si/potential")
        wet = nnp.load(folder / "n2p2/H2O_RPBE-D3")
    (water,) = read_structures(folder / "n2p2/H2O_RPBE-D3/input.data", ATOMIC, 0)
    for name, structure, beside in (("silicon", crystal, behler), ("water", water, wet)):
        atoms = as_atoms(replicated(as_structure(structure), n_atoms))
        if name == "silicon":
            atoms.rattle(0.05, seed=1)
        yield name, as_structure(atoms), beside


def engine(potential: nnp.Potential, dtype: str) -> Subject:
    """Energy, forces and virial on one core."""
    warm = potential.make_engine("cpu", dtype=dtype, threads=1)
    return lambda atoms: warm.compute(as_structure(atoms), True, True).forces


def measure(
    name: str, structure: Structure, behler: nnp.Potential, calls: int
) -> list[Measurement]:
    """Both families in both precisions."""
    cutoff = CUTOFFS[name]
    potential = untrained(GeneratedMoments(cutoff=cutoff), structure)
    subjects = {f"moments {dtype}": engine(potential, dtype) for dtype in PRECISIONS}
    subjects |= {f"Behler's {dtype}": engine(behler, dtype) for dtype in PRECISIONS}
    details: dict[str, Any] = {
        "system": name,
        "cutoff": cutoff,
        "neighbors": len(neighbor_list(structure, cutoff).i) / len(structure),
        "functions": [len(m.functions) for m in potential.models],
        "functions_behler": [len(m.functions) for m in behler.models],
        "target": potential.make_engine("cpu", threads=1).target,
    }
    return in_turns(subjects, as_atoms(structure), calls, details)


def rows(found: list[Measurement]) -> list[list[str]]:
    """Of the table."""
    name = found[0].details["system"]
    table = []
    for dtype, own, behler in zip(PRECISIONS, found[:2], found[2:], strict=True):
        table.append(
            [
                f"{name}, {own.details['neighbors']:.0f} neighbours",
                dtype,
                f"{own.rate / 1e3:.0f}",
                f"{own.slow / 1e3:.0f} to {own.fast / 1e3:.0f}",
                f"{1e6 / own.rate:.2f}",
                str(WANTED[name, dtype]),
                f"{behler.rate / 1e3:.0f}",
            ]
        )
    return table


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=41)
    parser.add_argument("--clock", action="store_true", help="LAMMPS's silicon before and after")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    everything: list[Measurement] = []
    table: list[list[str]] = []
    for name, structure, behler in systems(Path(os.environ["NNP_REFERENCE_DATA"]), arguments.atoms):
        found = measure(name, structure, behler, arguments.calls)
        everything += found
        table += rows(found)
        if arguments.clock:
            tick = silicon_clock()
            if isinstance(tick, str):
                sys.exit(tick)
            everything.append(tick)
            print(f"clock: {tick.rate / 1e3:.0f} k atom-steps/s", file=sys.stderr)
    header = ["system", "dtype", "thousand atom-steps/s", "quartiles", "µs/atom", "wanted"]
    header.append("Behler's functions")
    print(text_table(header, table))
    if arguments.json:
        write_record(arguments.json, everything, header, table)


if __name__ == "__main__":
    main()
