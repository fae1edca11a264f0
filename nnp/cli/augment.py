"""``nnp augment``: scaled, strained and displaced copies of structures."""

from __future__ import annotations

import argparse

from nnp.cli.options import (
    SubParsers,
    add_command,
    add_data_units,
    add_force,
    at_least_one,
    count,
    data_units,
    finite,
)
from nnp.cli.structures import add_structures, read_and_say, read_options, write_and_say
from nnp.io.structures import check_target
from nnp.train.data.augment import AugmentSettings, augment, mix
from nnp.values import counted


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "make scaled, strained and displaced copies of structures, to be labelled"
    parser = add_command(subparsers, "augment", _run, summary)
    parser.add_argument("structures", metavar="STRUCTURES", help="anything ASE reads")
    parser.add_argument("output", metavar="OUTPUT", help="file of the new structures")
    parser.add_argument("--scale", type=finite, default=0.05, help="cell lengths, ± this share")
    parser.add_argument(
        "--strain",
        type=finite,
        default=0.0,
        help="deviation of random strains' diagonal (off it: 1/√2 of that)",
    )
    parser.add_argument("--displacement", type=finite, default=0.0, help="deviation, Å")
    parser.add_argument("--copies", type=at_least_one, default=1, help="per structure")
    parser.add_argument("--seed", type=count, default=0, help="of the draws")
    parser.add_argument("--mix", metavar="FILE", help="structures to mix the new ones with")
    parser.add_argument("--ratio", type=finite, default=0.8, help="share of new ones in a mixture")
    parser.add_argument("--count", type=at_least_one, help="structures of a mixture")
    add_data_units(parser)
    add_structures(parser)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    settings = AugmentSettings(
        arguments.scale,
        arguments.strain,
        arguments.displacement,
        arguments.copies,
        arguments.seed,
    )
    check_target(arguments.output, arguments.force)
    units = data_units(arguments)
    options = read_options(arguments, units)
    found = augment(read_and_say(arguments.structures, options).frames, settings)
    if arguments.mix:
        total = arguments.count or len(found)
        others = read_and_say(arguments.mix, options).frames
        found = mix(found, others, total, arguments.ratio, arguments.seed)
    write_and_say(found, arguments.output, units, arguments.force)
    print(f"{counted(len(found), 'structure')}: {arguments.output}")
