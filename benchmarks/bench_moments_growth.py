"""How the cost of our own family grows: with neighbours, radial functions, degrees and atoms.

    OMP_NUM_THREADS=1 python benchmarks/bench_moments_growth.py \
        --json benchmarks/results/moments_growth.json --picture docs/moments_growth.png

Silicon, energy, forces and virial on one core, functions as in bench_moments.py (6 Å unless the
neighbours grow); one number grows at a time. Processor time of the median call. With --draw the
picture is drawn from the JSON file, and nothing is measured.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ase.build import bulk
from bench_moments import PRECISIONS, engine
from in_turns import as_atoms, in_turns
from untrained import untrained

from nnp.bench import Measurement, as_record, replicated
from nnp.neighbors import neighbor_list
from nnp.pictures.figure import new_figure, save_figure, styled
from nnp.structure import Structure, as_structure
from nnp.train.inputs.moments import GeneratedMoments

CUTOFFS = (4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 8.0)  # Å
RADIAL = (2, 3, 4, 5, 6, 8, 10, 12)
DEGREES = (1, 2, 3, 4, 5, 6, 7, 8)
ATOMS = (100, 1_000, 10_000, 100_000, 1_000_000)
SMALL = 1000  # atoms, where something else grows
_CALLS = 15
_MOST_WORK = 1_500_000  # atoms times calls
_LABELS = {
    "neighbours": "neighbours (cutoff 4 to 8 Å)",
    "radial functions": "radial functions of the 3-body part",
    "degree": "largest l",
    "atoms": "atoms",
}


def silicon(n_atoms: int) -> Structure:
    """A crystal with atoms a little off their places."""
    atoms = as_atoms(replicated(as_structure(bulk("Si", cubic=True)), n_atoms))
    atoms.rattle(0.05, seed=1)
    return as_structure(atoms)


def series() -> Iterator[tuple[str, float, GeneratedMoments, int]]:
    """What grows, how far it is, the functions, and how many atoms."""
    small = silicon(SMALL)
    for cutoff in CUTOFFS:
        count = len(neighbor_list(small, cutoff).i) / len(small)
        yield "neighbours", count, GeneratedMoments(cutoff=cutoff), SMALL
    for n in RADIAL:
        yield "radial functions", n, GeneratedMoments(radial=12, angular=n), SMALL
    for degree in DEGREES:
        four_body = degree > 1
        yield "degree", degree, GeneratedMoments(l=degree, four_body=four_body), SMALL
    for n_atoms in ATOMS:
        yield "atoms", n_atoms, GeneratedMoments(), n_atoms


def measure(most_atoms: int) -> list[Measurement]:
    """All points, both precisions in turn."""
    found = []
    for what, value, generated, n_atoms in series():
        if n_atoms > most_atoms:
            continue
        potential = untrained(generated, silicon(SMALL))
        subjects = {dtype: engine(potential, dtype) for dtype in PRECISIONS}
        calls = max(3, min(_CALLS, _MOST_WORK // n_atoms))
        details: dict[str, Any] = {"grows": what, "value": value}
        details |= {"functions": len(potential.models[0].functions)}
        points = in_turns(subjects, as_atoms(silicon(n_atoms)), calls, details)
        found += points
        print(what, value, *(f"{1e6 / p.rate:.2f}" for p in points), "µs/atom", file=sys.stderr)
    return found


@styled
def draw(measurements: list[dict[str, Any]], path: str) -> None:
    """A panel for each that grows."""
    figure = new_figure(9, 5.6)
    panels = figure.subplots(2, 2).ravel()
    for axes, (what, label) in zip(panels, _LABELS.items(), strict=True):
        for dtype in PRECISIONS:
            points = [
                (m["details"]["value"], 1e6 / m["rate"])
                for m in measurements
                if m["subject"] == dtype and m["details"]["grows"] == what
            ]
            axes.plot(*zip(*points, strict=True), marker="o", label=dtype)
        if what == "atoms":
            axes.set_xscale("log")
        axes.set(xlabel=label, ylabel="µs per atom", ylim=(0, 1.06 * axes.get_ylim()[1]))
    panels[0].legend()
    save_figure(figure, path)


def main() -> None:
    """Measure or read, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most-atoms", type=int, default=ATOMS[-1])
    parser.add_argument("--json")
    parser.add_argument("--picture")
    parser.add_argument("--draw", metavar="JSON", help="of an earlier run")
    arguments = parser.parse_args()
    if arguments.draw:
        measurements = json.loads(Path(arguments.draw).read_text())["measurements"]
    else:
        found = measure(arguments.most_atoms)
        measurements = [asdict(measurement) for measurement in found]
        if arguments.json:
            record = as_record(found, shlex.join(sys.argv))
            Path(arguments.json).write_text(json.dumps(record, indent=1) + "\n")
    if arguments.picture:
        draw(measurements, arguments.picture)


if __name__ == "__main__":
    main()
