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
    only_read,
)
from nnp.cli.structures import add_structures, read_and_say, read_options, write_and_say
from nnp.errors import OptionError
from nnp.io.structures import check_target
from nnp.train.data.augment import DIRECTIONS, AugmentSettings, augment, mix
from nnp.values import counted

_RATIO = 0.8  # of new structures in a mixture


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "make scaled, strained and displaced copies of structures, to be labelled"
    parser = add_command(subparsers, "augment", _run, summary)
    parser.add_argument("structures", metavar="STRUCTURES", help="any format of docs/structures.md")
    parser.add_argument("output", metavar="OUTPUT", help="file for the new structures")
    parser.add_argument(
        "--scale",
        type=finite,
        metavar="X",
        default=argparse.SUPPRESS,
        help="change the lengths of the cell by up to ± this share (default: "
        f"{AugmentSettings.scale}; 0 with --volume or --directions)",
    )
    text = "change the volume by up to ± this share"
    parser.add_argument("--volume", type=finite, metavar="X", default=0.0, help=text)
    parser.add_argument(
        "--strain",
        type=finite,
        metavar="X",
        default=0.0,
        help="standard deviation of random strains (xx, yy, zz; shear 1/√2 of it); with "
        "--directions: the largest strain",
    )
    parser.add_argument(
        "--directions",
        nargs="+",
        choices=tuple(DIRECTIONS),
        metavar="XY",
        default=(),
        help="strain along these one at a time, in equal steps from −strain to strain: "
        + ", ".join(DIRECTIONS),
    )
    text = "standard deviation of random displacements along x, y and z, Å"
    parser.add_argument("--displacement", type=finite, metavar="Å", default=0.0, help=text)
    parser.add_argument(
        "--displaced",
        type=at_least_one,
        metavar="N",
        default=argparse.SUPPRESS,
        help="number of atoms to displace (default: all)",
    )
    text = "number of atoms to remove from each copy"
    parser.add_argument("--vacancies", type=count, metavar="N", default=0, help=text)
    text = "copies of each structure (and direction)"
    parser.add_argument("--copies", type=at_least_one, metavar="N", default=1, help=text)
    text = "seed of the random numbers"
    parser.add_argument("--seed", type=count, metavar="N", default=0, help=text)
    parser.add_argument("--mix", metavar="FILE", help="structures to mix the new ones with")
    text = "with --mix: share of new structures"
    parser.add_argument("--ratio", type=finite, metavar="X", help=f"{text} (default: {_RATIO})")
    text = "with --mix: number of structures in all"
    parser.add_argument("--count", type=at_least_one, metavar="N", help=text)
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
    if not arguments.mix:
        for name in ("ratio", "count"):
            if getattr(arguments, name) is not None:
                raise OptionError(f"--{name} belongs to --mix FILE: give both or neither")
    check_target(arguments.output, arguments.force, kept=True)
    units = data_units(arguments)
    options = read_options(arguments, units, own_units=only_read(arguments))
    frames = read_and_say(arguments.structures, options, alone=not arguments.mix).frames
    others = read_and_say(arguments.mix, options).frames if arguments.mix else []
    found = augment(frames, settings)
    if arguments.mix:
        total = arguments.count or len(found)
        ratio = _RATIO if arguments.ratio is None else arguments.ratio
        found = mix(found, others, total, ratio, arguments.seed)
    write_and_say(found, arguments.output, units, arguments.force)
    print(f"{counted(len(found), 'structure')}: {arguments.output}")


def _scale(arguments: argparse.Namespace) -> float:
    """Of all cell lengths: none where the cell is changed in a way that was asked for."""
    if "scale" in arguments:
        if arguments.volume:
            raise OptionError("--scale and --volume both scale the cell: give one of them")
        return float(arguments.scale)
    return 0.0 if arguments.volume or arguments.directions else AugmentSettings.scale
