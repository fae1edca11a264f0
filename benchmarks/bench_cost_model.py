"""The cost model against the clock: potentials with known answers that it was not fitted on.

    export NNP_REFERENCE_DATA=…
    python benchmarks/bench_cost_model.py --json benchmarks/results/cost_model.json

For each potential and precision the prediction of `nnp info --cost` for at least 192 atoms, and the
fastest of repeated evaluations. Predictions are for the machine of the table; how fast this one is
now is measured on some of the cases of the fit, of every kind, before and after each potential,
and the ratio to the prediction for them (`clock`) divides the quotient. --target measures other
instruction sets.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cost_cases import cases
from speed_cases import silicon_crystal

import nnp
from nnp.bench import machine, replicated
from nnp.bench.cost import microseconds, predicted
from nnp.cli.table import text_table
from nnp.engines.cpu import CpuEngine
from nnp.io.structures import read_structures
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

ATOMS = 192
ROOM = 6.0  # Å between molecules that are repeated: they do not see one another beyond
CLOCKS = (
    "narrow few, 1 elements, 6.0 Å, 0.05",
    "compact wide, 2 elements, 5.0 Å, 0.05",
    "moments l 4, 1 elements, 6.0 Å, 0.05",
    "radial 16, 2 elements, 5.0 Å, 0.05",
)


def enough(structure: Structure, cutoff: float) -> Structure:
    """At least ATOMS atoms; molecules on a lattice, each by itself."""
    if not structure.pbc.any():
        size = np.ptp(structure.positions, axis=0) + max(ROOM, cutoff)
        structure = Structure(
            structure.positions, structure.atomic_numbers, np.diag(size), np.ones(3, bool)
        )
    return replicated(structure, ATOMS)


def potentials(folder: Path) -> Iterator[tuple[str, Potential, Structure]]:
    """Name, potential, structure."""
    yield "silicon_sw", nnp.load("silicon_sw"), silicon_crystal(3)
    for name in ("H2O_RPBE-D3", "DMABN_SCAN", "LJ_dimers"):
        potential = nnp.load(folder / "n2p2" / name)
        frames = read_structures(folder / "n2p2" / name / "input.data", potential.units, 0)
        yield f"n2p2/{name}", potential, as_structure(frames[0])
    for name in ("Li", "Si"):
        potential = nnp.load(folder / "mlearn" / name / "potential")
        frames = read_structures(folder / "mlearn" / name / "test.extxyz", None, 0)
        yield f"mlearn/{name}", potential, as_structure(frames[0])
    for path in sorted((folder / "nep").glob("nep*")):
        frames = read_structures(path / "structure.extxyz", None, 0)
        yield f"nep/{path.name}", nnp.load(path / "nep.txt"), as_structure(frames[0])
    for path in sorted((folder / "aenet").glob("*/case.json")):
        case = json.loads(path.read_text())
        if case.get("legacy_angular") or not (path.parent / "predict.in").exists():
            continue
        potential = nnp.load(path.parent)
        frames = read_structures(path.parent / case["structures"][0], None, 0)
        yield f"aenet/{path.parent.name}", potential, as_structure(frames[0])


class Clock:
    """How much longer than predicted the machine takes now: the median over some fitted cases."""

    def __init__(self, dtype: str, target: str, seconds: float) -> None:
        self._cases, self._seconds = [], seconds
        for name, potential, structure in cases():
            if name in CLOCKS:
                engine = CpuEngine(potential, dtype, 1, target=target)
                self._cases.append((engine, structure, predicted(engine.cost(structure))))

    def __call__(self) -> float:
        """The ratio now."""
        found = [microseconds(e, s, self._seconds) / expected for e, s, expected in self._cases]
        return float(np.median(found))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.2, help="of each measurement")
    parser.add_argument("--clock-seconds", type=float, default=0.03, help="of each of its cases")
    parser.add_argument("--target", default="auto")
    parser.add_argument("--dtype", nargs="+", default=["float64", "float32"])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # units of directories are what they are taken for
    rows, record = [], []
    for dtype in arguments.dtype:
        clock = Clock(dtype, arguments.target, arguments.clock_seconds)
        for name, potential, first in potentials(Path(os.environ["NNP_REFERENCE_DATA"])):
            structure = enough(first, potential.cutoff)
            try:
                engine = CpuEngine(potential, dtype, 1, target=arguments.target)
            except nnp.NNPError as error:
                print(f"{name} {dtype}: {error}")
                continue
            expected, before = predicted(engine.cost(structure)), clock()
            measured = microseconds(engine, structure, arguments.seconds)
            now = (before + clock()) / 2
            ratio = expected * now / measured
            record.append(
                {
                    "potential": name,
                    "dtype": dtype,
                    "target": engine.target,
                    "atoms": len(structure),
                    "predicted_us": expected,
                    "clock": now,
                    "measured_us": measured,
                    "predicted_over_measured": ratio,
                }
            )
            rows.append(
                [
                    name,
                    dtype,
                    str(len(structure)),
                    f"{expected:.3g}",
                    f"{now:.2f}",
                    f"{measured:.3g}",
                    f"{ratio:.2f}",
                ]
            )
    header = ["potential", "dtype", "atoms", "predicted", "clock", "measured", "ratio"]
    print(text_table(header, rows))
    ratios = np.array([entry["predicted_over_measured"] for entry in record])
    within = float((abs(ratios - 1) <= 0.25).mean())
    print(f"within 25 %: {within:.0%}; {ratios.min():.2f} to {ratios.max():.2f}")
    if arguments.json:
        content = {
            "command": shlex.join(["python", *sys.argv]),
            "machine": machine(),
            "within_25_percent": within,
            "measurements": record,
        }
        Path(arguments.json).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
