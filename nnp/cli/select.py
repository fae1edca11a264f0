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
    summary = "rank unlabelled structures by committee disagreement, for the next labelling round"
    parser = add_command(subparsers, "select", _run, summary)
    add_potential(parser)
    parser.add_argument("structures", metavar="STRUCTURES", help="anything ASE reads")
    parser.add_argument("--count", type=at_least_one, default=20, help="how many to select")
    parser.add_argument("--apart", type=at_least_one, default=1, help="least distance of indices")
    parser.add_argument("--least", type=finite, default=0.0, help="least force deviation, eV/Å")
    parser.add_argument("--most", type=positive, help="largest force deviation, eV/Å")
    parser.add_argument("--output", default="selected.extxyz", help="file of the selected ones")
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
    frames = read_and_say(
        arguments.structures, read_options(arguments, units), own_units=own
    ).frames
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
