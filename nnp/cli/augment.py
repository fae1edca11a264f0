"""``nnp augment``: scaled and strained copies of structures, with moved and missing atoms."""

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
from nnp.errors import OptionError
from nnp.io.structures import check_target
from nnp.train.data.augment import DIRECTIONS, AugmentSettings, augment, mix
from nnp.values import counted


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "make scaled, strained, displaced copies of structures and vacancies, to be labelled"
    parser = add_command(subparsers, "augment", _run, summary)
    parser.add_argument("structures", metavar="STRUCTURES", help="anything ASE reads")
    parser.add_argument("output", metavar="OUTPUT", help="file of the new structures")
    parser.add_argument(
        "--scale",
        type=finite,
        default=argparse.SUPPRESS,
        help=f"cell lengths, ± this share ({AugmentSettings.scale}; 0 with --volume, --directions)",
    )
    parser.add_argument("--volume", type=finite, default=0.0, help="volume, ± this share")
    parser.add_argument(
        "--strain",
        type=finite,
        default=0.0,
        help="deviation of random strains' diagonal (off it: 1/√2 of that); with --directions the "
        "largest strain",
    )
    parser.add_argument(
        "--directions",
        nargs="+",
        choices=tuple(DIRECTIONS),
        default=(),
        help="strain along these one at a time, in equal steps from −strain to strain",
    )
    parser.add_argument("--displacement", type=finite, default=0.0, help="deviation, Å")
    parser.add_argument(
        "--displaced",
        type=at_least_one,
        default=argparse.SUPPRESS,
        help="atoms that are displaced (default: all)",
    )
    parser.add_argument("--vacancies", type=count, default=0, help="atoms taken out of each copy")
    parser.add_argument(
        "--copies", type=at_least_one, default=1, help="per structure (and direction)"
    )
    parser.add_argument("--seed", type=count, default=0, help="of the draws")
    parser.add_argument("--mix", metavar="FILE", help="structures to mix the new ones with")
    parser.add_argument("--ratio", type=finite, default=0.8, help="share of new ones in a mixture")
    parser.add_argument("--count", type=at_least_one, help="structures of a mixture")
    add_data_units(parser)
    add_structures(parser)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    settings = AugmentSettings(
        _scale(arguments),
        arguments.strain,
        arguments.displacement,
        arguments.copies,
        arguments.seed,
        arguments.volume,
        tuple(arguments.directions),
        getattr(arguments, "displaced", None),
        arguments.vacancies,
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


def _scale(arguments: argparse.Namespace) -> float:
    """Of all cell lengths: none where the cell is changed in a way that was asked for."""
    if "scale" in arguments:
        if arguments.volume:
            raise OptionError("--scale and --volume both scale the cell: give one of them")
        return float(arguments.scale)
    return 0.0 if arguments.volume or arguments.directions else AugmentSettings.scale
