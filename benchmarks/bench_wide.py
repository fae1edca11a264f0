"""Wide functions over pairs of neighbours and from moments, beside what the cost model chooses.

    python benchmarks/bench_wide.py --json benchmarks/results/wide.json

Silicon at its density, potentials with 4 radial functions and the wide functions of two eta, both
lambda and the zeta named, 25-25 nodes. Energy and forces, one core, a list that stands; the
fastest of evaluations in turns.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from itertools import product
from pathlib import Path

from cost_cases import behler, potential_of
from speed_cases import silicon_crystal

from nnp.bench import machine
from nnp.bench.cost import microseconds
from nnp.cli.table import text_table
from nnp.cutoffs import Cutoff, CutoffKind
from nnp.engines.cpu import PRECISIONS, CpuEngine

RADII = (4.0, 5.0, 6.0, 7.0)  # Å
ZETAS = ((1.0, 2.0), (1.0, 2.0, 4.0), (1.0, 2.0, 4.0, 8.0), (1.0, 2.0, 4.0, 16.0))
WAYS = ("pairs", "moments", "auto")
TURNS = 3


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.03, help="of each turn")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    structure = silicon_crystal(3)
    rows, record = [], []
    for radius, zetas in product(RADII, ZETAS):
        functions = behler(
            ("Si",), Cutoff(CutoffKind.COSINE, radius), 4, (0.01, 0.05), zetas, False
        )
        potential = potential_of(("Si",), functions, 25, 1)
        found = {"radius": radius, "zetas": zetas}
        row = [f"{radius:g}", "", ", ".join(f"{z:g}" for z in zetas)]
        for dtype in PRECISIONS:
            engines = {way: CpuEngine(potential, dtype, 1, wide=way) for way in WAYS}
            costs = {way: engine.cost(structure)[0] for way, engine in engines.items()}
            took = dict.fromkeys(WAYS, float("inf"))
            for _, way in product(range(TURNS), WAYS):
                measured = microseconds(engines[way], structure, arguments.seconds)
                took[way] = min(took[way], measured)
            row[1] = f"{costs['pairs'].neighbors:.0f}"
            chosen = f"{costs['auto'].n_by_moments} of {costs['auto'].n_wide}"
            row += [*(f"{took[way]:.2f}" for way in WAYS), chosen]
            found[dtype] = {
                way: {
                    "measured_us": took[way],
                    "predicted_us": costs[way].total,
                    "by_moments": costs[way].n_by_moments,
                }
                for way in WAYS
            }
        rows.append(row)
        record.append({**found, "neighbors": costs["pairs"].neighbors})
    header = ["cutoff/Å", "neighbors", "zeta"]
    header += [f"{dtype} {x}" for dtype in PRECISIONS for x in (*WAYS, "by moments")]
    print(text_table(header, rows))
    if arguments.json:
        content = {
            "command": shlex.join(["python", *sys.argv]),
            "machine": machine(),
            "measurements": record,
        }
        Path(arguments.json).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
