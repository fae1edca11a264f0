"""What a call costs beside its atoms, from Python and through ASE, and the products of training.

    NNP_REFERENCE_DATA=… python benchmarks/bench_calls.py [--json calls.json]

Processor time, the fastest of several blocks. `library` is what the library counts itself. `ASE` is
`Atoms.get_forces` after the atoms have moved; `ASE alone` the same with a calculator that returns
zeros. An earlier version is measured by naming its checkout in PYTHONPATH.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from speed_cases import Case, cases

import nnp
from nnp.ase import NNPCalculator
from nnp.bench import machine
from nnp.cli.table import text_table
from nnp.engines.cpu import CpuEngine
from nnp.potential import Potential
from nnp.structure import Structure

BLOCKS, SECONDS = 7, 0.05
COLUMNS = ("library", "compute", "ASE", "ASE alone", "VJP", "JVP")


class Zeros(Calculator):
    """No work of its own."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012  ASE declares it so

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Zeros."""
        super().calculate(atoms, list(properties), list(system_changes))
        self.results = {"energy": 0.0, "forces": np.zeros((len(self.atoms), 3))}


def microseconds(run: Callable[[], Any]) -> float:
    """Of a call: the fastest block's mean."""
    run()
    start = time.process_time()
    run()
    count = max(1, round(SECONDS / max(time.process_time() - start, 1e-5)))
    means = []
    for _ in range(BLOCKS):
        start = time.process_time()
        for _ in range(count):
            run()
        means.append((time.process_time() - start) / count)
    return 1e6 * min(means)


def moving(structure: Structure, calculator: Calculator) -> Callable[[], Any]:
    """Forces through ASE, of atoms that shake by less than a skin."""
    atoms = Atoms(structure.atomic_numbers, structure.positions)
    atoms.calc = calculator
    steps = np.random.default_rng(0).normal(0, 1e-4, (8, len(atoms), 3))
    turn = 0

    def run() -> Any:
        nonlocal turn
        turn += 1
        atoms.positions = structure.positions + steps[turn % 8]
        return atoms.get_forces()

    return run


def in_ranges(potential: Potential) -> Potential:
    """The same, so that nothing extrapolates."""
    wide = [
        replace(
            m,
            scaling=replace(
                m.scaling, minimum=m.scaling.minimum - 1e3, maximum=m.scaling.maximum + 1e3
            ),
        )
        for m in potential.models
    ]
    return replace(potential, models=tuple(wide))


def measure(case: Case) -> dict[str, Any]:
    """Microseconds of a call by column."""
    name, potential, structure = case
    engine = CpuEngine(potential, threads=1)
    functions = np.concatenate(engine.descriptors(structure))
    rng = np.random.default_rng(0)
    weights, step = rng.normal(size=functions.size), rng.normal(size=structure.positions.shape)
    library = []
    for _ in range(500):
        before = engine.statistics
        engine.compute(structure)
        after = engine.statistics
        parts = ("list_seconds", "kernel_seconds", "reduce_seconds")
        library.append(1e6 * sum(after[part] - before[part] for part in parts))
    found = {
        "library": min(library),
        "compute": microseconds(lambda: engine.compute(structure)),
        "ASE": microseconds(moving(structure, NNPCalculator(potential, threads=1))),
        "ASE alone": microseconds(moving(structure, Zeros())),
        "VJP": microseconds(lambda: engine.descriptor_vjp(structure, weights)),
        "JVP": microseconds(lambda: engine.descriptor_jvp(structure, step)),
    }
    return {"case": name, "atoms": len(structure), "microseconds": found}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", help="cases whose names begin so")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    reference = Path(os.environ["NNP_REFERENCE_DATA"])
    silicon = nnp.load(reference / "mlearn" / "Si" / "potential")
    lone = Structure(np.zeros((1, 3)), np.array([14]), np.zeros((3, 3)), np.zeros(3, bool))
    chosen = [
        ("one atom", in_ranges(silicon), lone),
        ("one atom that extrapolates", silicon, lone),
        *islice(cases(reference, None), 2),  # molecules
    ]
    if arguments.only:
        chosen = [case for case in chosen if case[0].startswith(tuple(arguments.only))]
    results = [measure(case) for case in chosen]
    rows = [
        [r["case"], str(r["atoms"]), *(f"{r['microseconds'][c]:.1f}" for c in COLUMNS)]
        for r in results
    ]
    print(text_table(["case", "atoms", *COLUMNS], rows))
    if arguments.json:
        record = {"machine": machine(), "command": shlex.join(sys.argv), "results": results}
        arguments.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
