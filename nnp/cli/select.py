"""``nnp select``: which unlabelled structures a committee is least sure of."""

from __future__ import annotations

import argparse
import math

from nnp.cli.options import (
    SubParsers,
    add_command,
    add_engine,
    add_force,
    add_potential,
    at_least_one,
    finite,
    positive,
)
from nnp.cli.structures import (
    add_structures,
    load_potential_and_units,
    read_and_say,
    read_options,
    write_and_say,
)
from nnp.cli.table import text_table
from nnp.committee import Committee
from nnp.errors import OptionError
from nnp.io.structures import check_target
from nnp.train.data.select import choose, rank
from nnp.values import counted


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "pick the structures on which a committee disagrees most, to be labelled next"
    parser = add_command(subparsers, "select", _run, summary)
    add_potential(parser)
    parser.add_argument(
        "structures",
        metavar="STRUCTURES",
        help="structures without labels: any format of docs/structures.md",
    )
    add = parser.add_argument
    add("--count", type=at_least_one, metavar="N", default=20, help="how many to select")
    text = "least distance of the selected ones in the file, in structures"
    add("--apart", type=at_least_one, metavar="N", default=1, help=text)
    text = "least deviation of the forces, eV/Å"
    add("--least", type=finite, metavar="FORCE", default=0.0, help=text)
    text = "largest deviation of the forces, eV/Å (default: no limit)"
    add("--most", type=positive, metavar="FORCE", help=text)
    text = "where the selected structures are written"
    add("--output", metavar="FILE", default="selected.extxyz", help=text)
    add_engine(parser)
    add_structures(parser)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    committee, units, own = load_potential_and_units(arguments)
    if not isinstance(committee, Committee):
        raise OptionError(
            f"{arguments.path} is a single potential, which cannot disagree with itself: give what "
            "nnp train --members wrote"
        )
    check_target(arguments.output, arguments.force)
    options = read_options(arguments, units, own_units=own)
    frames = read_and_say(arguments.structures, options).frames
    ranked = rank(committee, frames, arguments.engine, quiet=False)
    most = math.inf if arguments.most is None else arguments.most
    chosen = choose(ranked, arguments.count, arguments.apart, arguments.least, most)
    header = ["index", "force deviation eV/Å", "energy deviation meV/atom", "extrapolation %"]
    rows = [
        [
            str(c.index),
            f"{c.force_deviation:.4f}",
            f"{1e3 * c.energy_deviation:.3f}",
            f"{100 * c.extrapolation:.1f}",
        ]
        for c in chosen
    ]
    print(text_table(header, rows) if rows else "no structure is uncertain enough")
    if chosen:
        selected = [frames[c.index] for c in chosen]
        write_and_say(selected, arguments.output, units, arguments.force)
        print(f"{len(chosen)} of {counted(len(frames), 'structure')}: {arguments.output}")
