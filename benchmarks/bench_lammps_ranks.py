"""How LAMMPS with ``pair_style nnp`` gains from MPI ranks, beside its own ``sw``: docs/lammps.md.

    python benchmarks/bench_lammps_ranks.py silicon_sw [STRUCTURE] --atoms 8000 --ranks 1 2
        --json benchmarks/results/lammps_ranks_silicon.json

Every round runs each style on each number of ranks once, so that other programs on the machine
disturb all alike. Wall time, LAMMPS's own "Loop time"; a run's fastest block counts, then the
median over rounds. Efficiency: (time on the fewest ranks × their number) / (time × ranks).
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from beside_lammps.sizes import of_size
from beside_lammps.systems import script_of

from nnp.bench import as_record, default_structure
from nnp.bench.engines import default_timestep
from nnp.bench.lammps import find_lammps, run_lammps
from nnp.bench.lammps_script import Conditions, runs
from nnp.bench.measurement import Measurement, from_times
from nnp.cli.options import add_force, add_potential, at_least_one, load_potential
from nnp.cli.table import text_table
from nnp.io.files import replacing
from nnp.io.structures import read_structures
from nnp.structure import as_structure

_STYLES = ("nnp", "nnp-float32", "sw")
_BLOCKS = 3


def build_parser() -> argparse.ArgumentParser:
    """The options of the script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_potential(parser)
    add = parser.add_argument
    add("structure", metavar="STRUCTURE", nargs="?", help="a crystal of the element when left out")
    add("--atoms", type=at_least_one, default=8000, help="repeat the structure to so many")
    add("--ranks", type=at_least_one, nargs="+", default=[1, 2])
    add("--rounds", type=at_least_one, default=5)
    add("--steps", type=at_least_one, default=20, help="of a block; sw takes ten times as many")
    add("--json", help="write the numbers with machine and commit")
    add_force(parser)
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    arguments = build_parser().parse_args(words)
    path, potential = Path(arguments.path), load_potential(arguments)
    if arguments.structure is None:
        structure = default_structure(potential)
    else:
        structure = as_structure(read_structures(arguments.structure)[-1])
    structure = of_size(structure, arguments.atoms)
    conditions = Conditions(300.0, default_timestep(structure), 1.0)
    seconds: dict[tuple[str, int], list[float]] = {}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        scripts = {}
        for style in _STYLES:
            (own := Path(folder) / style).mkdir()
            steps = arguments.steps * (10 if style == "sw" else 1)
            script = script_of(style, own, potential, path, structure, conditions)
            scripts[style] = script + runs(10, steps, _BLOCKS)
        for number in range(arguments.rounds):
            for style, script in scripts.items():
                for ranks in arguments.ranks:
                    found = run_lammps(f"mpiexec -np {ranks} {find_lammps()}", script)
                    seconds.setdefault((style, ranks), []).append(min(found.seconds))
                    sizes[style] = found.n_atoms
            print(f"round {number + 1} of {arguments.rounds}", flush=True)
    _report(seconds, sizes, arguments)


def _report(
    seconds: dict[tuple[str, int], list[float]],
    sizes: dict[str, int],
    arguments: argparse.Namespace,
) -> None:
    first = min(arguments.ranks)
    rows, measurements = [], list[Measurement]()
    for (style, ranks), times in seconds.items():
        base = statistics.median(seconds[style, first])
        efficiency = base * first / (statistics.median(times) * ranks)
        spread = (max(times) - min(times)) / statistics.median(times)
        rows.append((style, str(ranks), f"{efficiency:.3f}", f"{spread:.1%}"))
        details = {"ranks": ranks, "efficiency": efficiency, "style": style}
        name = f"LAMMPS {style}, {ranks} ranks"
        measurements.append(from_times(name, sizes[style], times, details))
    print(text_table(("style", "ranks", "efficiency", "spread"), rows))
    if arguments.json:
        with replacing(arguments.json, force=arguments.force) as scratch:
            record = as_record(measurements, shlex.join(["python", *sys.argv]))
            scratch.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
