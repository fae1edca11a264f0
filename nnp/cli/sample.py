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
    only_read,
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
    summary = "make labelled structures by dynamics with a teacher (any calculator)"
    parser = add_command(subparsers, "sample", _run, summary)
    parser.add_argument("structures", metavar="STRUCTURES", help="the structures to start from")
    parser.add_argument("output", metavar="OUTPUT", help="file for the labelled snapshots")
    parser.add_argument(
        "--teacher",
        metavar="NAME",
        default="stillinger-weber",
        help="what computes the labels: stillinger-weber, lennard-jones, vashishta, tblite:METHOD, "
        "dftb, another calculator of ASE, an OpenMM System (*.xml) or the path of a potential",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        type=_option,
        default=[],
        metavar="KEY=VALUE",
        help="options of the teacher, such as Ar=0.0103,3.4 cutoff=8.5 for lennard-jones",
    )
    add = parser.add_argument
    text = "temperatures, K"
    add("--temperatures", nargs="+", type=positive, metavar="K", default=[300.0], help=text)
    text = "volumes, as factors of that of the structure"
    add("--volumes", nargs="+", type=positive, metavar="X", default=[1.0], help=text)
    text = "snapshots of each structure, temperature and volume"
    add("--snapshots", type=at_least_one, metavar="N", default=10, help=text)
    text = "steps between two snapshots"
    add("--interval", type=at_least_one, metavar="N", default=50, help=text)
    text = "steps before the first snapshot"
    add("--equilibration", type=count, metavar="N", default=200, help=text)
    add("--timestep", type=positive, metavar="FS", default=1.0, help="time step, fs")
    text, axes = "repeat the cell along its three axes", ("A", "B", "C")
    add("--repeat", nargs=3, type=at_least_one, metavar=axes, default=[1, 1, 1], help=text)
    parser.add_argument(
        "--static", action="store_true", help="label the structures as they are, without dynamics"
    )
    text = "seed of velocities and thermostat"
    add("--seed", type=count, metavar="N", default=0, help=text)
    parser.add_argument(
        "--trust", action="store_true", help="allow the teacher's file (*.xml) to execute code"
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue an interrupted run, or begin one"
    )
    text = "stop above this temperature, K (default: ten times the run's own, at least 1000 K; "
    text += "more for few atoms)"
    add("--max-temperature", type=positive, default=argparse.SUPPRESS, metavar="K", help=text)
    text = "stop when an atom is faster, Å/fs (default: half an Å in a step)"
    add("--max-speed", type=positive, default=argparse.SUPPRESS, metavar="SPEED", help=text)
    add("--keep-going", action="store_true", help="beyond these two limits warn and continue")
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
    options = read_options(arguments, units, own_units=only_read(arguments))
    cells: list[Any] = read_and_say(arguments.structures, options).frames
    start = [atoms.repeat(tuple(arguments.repeat)) for atoms in cells]
    told = (replace(settings, **_BOUNDLESS), arguments.static, arguments.teacher, arguments.set)
    partial = PartialSamples(
        Path(arguments.output), fingerprint(start, told), arguments.force, arguments.resume
    )
    with partial as (keep, checkpoint, resumed):
        if resumed is not None:
            print(f"continuing after {counted(len(resumed.found), 'snapshot')}")
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
