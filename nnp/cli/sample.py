"""``nnp sample``: labelled snapshots of molecular dynamics with a teacher."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ase import Atoms

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
from nnp.cli.structures import add_structures, read_and_say, read_options, write_and_say
from nnp.io.structures import check_target, extxyz_bytes
from nnp.md.files import AppendedFile
from nnp.values import counted


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
    )
    units = data_units(arguments)
    check_target(arguments.output, arguments.force, labels=True)
    make_calculator = teacher(arguments.teacher, dict(arguments.set), arguments.trust)
    options = read_options(arguments, units)
    cells: list[Any] = read_and_say(arguments.structures, options).frames
    start = [atoms.repeat(tuple(arguments.repeat)) for atoms in cells]
    with _partial_file(Path(arguments.output), arguments.force) as keep:
        if arguments.static:
            found = label(start, make_calculator, quiet=False, keep=keep)
        else:
            found = sample(start, make_calculator, settings, quiet=False, keep=keep)
        write_and_say(found, arguments.output, units, arguments.force)
    print(f"{counted(len(found), 'snapshot')}: {arguments.output}")


@contextmanager
def _partial_file(output: Path, force: bool) -> Iterator[Callable[[Atoms], None]]:
    """What writes each snapshot into a file beside the output, which goes when the block is done.

    Where the block ends early, the file stays: after a kill, too.
    """
    path = output.with_name(f"{output.stem}.partial.extxyz")
    check_target(path, force)
    count, file = 0, AppendedFile(path)

    def write(atoms: Atoms) -> None:
        nonlocal count
        file.write(extxyz_bytes(atoms))
        count += 1

    try:
        yield write
    except BaseException:
        file.close()
        if count == 0:
            path.unlink()
        else:
            print(f"the {count} snapshots that were done are in {path}", file=sys.stderr)
        raise
    file.close()
    path.unlink()


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
