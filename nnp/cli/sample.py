"""``nnp sample``: labelled snapshots of molecular dynamics with a teacher."""

from __future__ import annotations

import argparse
import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnp.cli.options import (
    SubParsers,
    add_command,
    add_data_units,
    add_force,
    at_least_one,
    count,
    data_units,
    positive,
)
from nnp.cli.partial import PartialSamples, fingerprint
from nnp.cli.structures import add_structures, read_and_say, read_options, write_and_say
from nnp.io.structures import check_target
from nnp.values import counted

# What a resumed run may change.
_BOUNDLESS: Any = {"max_temperature": None, "max_speed": None, "keep_going": False}


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "run dynamics with a teacher over temperatures and volumes, keep labelled snapshots"
    parser = add_command(subparsers, "sample", _run, summary)
    parser.add_argument("structures", metavar="STRUCTURES", help="where to start")
    parser.add_argument("output", metavar="OUTPUT", help="file of the snapshots")
    parser.add_argument(
        "--teacher",
        default="stillinger-weber",
        help="stillinger-weber, lennard-jones, vashishta, tblite:METHOD, dftb, another calculator "
        "of ASE, an OpenMM System (*.xml) or the path of a potential",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        type=_option,
        default=[],
        metavar="KEY=VALUE",
        help="options of the teacher, such as Ar=0.0103,3.4 cutoff=8.5 of lennard-jones",
    )
    parser.add_argument("--temperatures", nargs="+", type=positive, default=[300.0], help="K")
    parser.add_argument("--volumes", nargs="+", type=positive, default=[1.0], help="factors")
    parser.add_argument("--snapshots", type=at_least_one, default=10, help="per state")
    parser.add_argument("--interval", type=at_least_one, default=50, help="steps between them")
    parser.add_argument("--equilibration", type=count, default=200, help="steps before the first")
    parser.add_argument("--timestep", type=positive, default=1.0, help="fs")
    parser.add_argument("--repeat", nargs=3, type=at_least_one, default=[1, 1, 1], help="cells")
    parser.add_argument("--static", action="store_true", help="label the structures, no dynamics")
    parser.add_argument("--seed", type=count, default=0, help="of velocities and noise")
    parser.add_argument(
        "--trust", action="store_true", help="let the teacher's file execute code (*.xml)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where an interrupted run was, or begin"
    )
    add = parser.add_argument
    text = "stop above it, K (default: ten times its own or 1000 K, more for few atoms)"
    add("--max-temperature", type=positive, default=argparse.SUPPRESS, metavar="K", help=text)
    text = "stop when an atom is faster, Å/fs (default: half an Å in a step)"
    add("--max-speed", type=positive, default=argparse.SUPPRESS, metavar="SPEED", help=text)
    add("--keep-going", action="store_true", help="warn beyond these two, and go on")
    add_data_units(parser)
    add_structures(parser)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    from nnp.teachers.by_name import teacher
    from nnp.train.data.sampling import SampleSettings, label, sample

    settings = SampleSettings(
        temperatures=tuple(arguments.temperatures),
        volumes=tuple(arguments.volumes),
        snapshots=arguments.snapshots,
        interval=arguments.interval,
        equilibration=arguments.equilibration,
        timestep_fs=arguments.timestep,
        seed=arguments.seed,
        max_temperature=getattr(arguments, "max_temperature", None),
        max_speed=getattr(arguments, "max_speed", None),
        keep_going=arguments.keep_going,
    )
    units = data_units(arguments)
    check_target(arguments.output, arguments.force, labels=True)
    make_calculator = teacher(arguments.teacher, dict(arguments.set), arguments.trust)
    options = read_options(arguments, units)
    cells: list[Any] = read_and_say(arguments.structures, options).frames
    start = [atoms.repeat(tuple(arguments.repeat)) for atoms in cells]
    told = (replace(settings, **_BOUNDLESS), arguments.static, arguments.teacher, arguments.set)
    partial = PartialSamples(
        Path(arguments.output), fingerprint(start, told), arguments.force, arguments.resume
    )
    with partial as (keep, checkpoint, resumed):
        if resumed is not None:
            print(f"going on behind {counted(len(resumed.found), 'snapshot')}")
        files: Any = {"quiet": False, "keep": keep, "checkpoint": checkpoint, "resumed": resumed}
        if arguments.static:
            found = label(start, make_calculator, **files)
        else:
            found = sample(start, make_calculator, settings, **files)
        write_and_say(found, arguments.output, units, arguments.force)
    print(f"{counted(len(found), 'snapshot')}: {arguments.output}")


def _option(text: str) -> tuple[str, Any]:
    """KEY=VALUE, for argparse's ``type=``; the value as Python reads it, else as text."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    if value.lower() in ("true", "false"):
        return key, value.lower() == "true"
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value
