"""``nnp sample``: labelled snapshots of molecular dynamics with a teacher."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnp.cli.options import SubParsers, add_command, add_force, at_least_one, count, positive
from nnp.errors import OptionError
from nnp.io.structures import read_structures, write_structures

TEACHERS = ("stillinger-weber", "lennard-jones")


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "run dynamics with a teacher over temperatures and volumes, keep labelled snapshots"
    parser = add_command(subparsers, "sample", _run, summary)
    parser.add_argument("structures", metavar="STRUCTURES", help="where to start")
    parser.add_argument("output", metavar="OUTPUT", help="file of the snapshots")
    parser.add_argument(
        "--teacher", default=TEACHERS[0], help=f"{', '.join(TEACHERS)}, or the path of a potential"
    )
    parser.add_argument("--lennard-jones", nargs=3, type=positive, metavar=("EPS", "SIGMA", "R_C"))
    parser.add_argument("--temperatures", nargs="+", type=positive, default=[300.0], help="K")
    parser.add_argument("--volumes", nargs="+", type=positive, default=[1.0], help="factors")
    parser.add_argument("--snapshots", type=at_least_one, default=10, help="per state")
    parser.add_argument("--interval", type=at_least_one, default=50, help="steps between them")
    parser.add_argument("--equilibration", type=count, default=200, help="steps before the first")
    parser.add_argument("--timestep", type=positive, default=1.0, help="fs")
    parser.add_argument("--repeat", nargs=3, type=at_least_one, default=[1, 1, 1], help="cells")
    parser.add_argument("--seed", type=count, default=0, help="of velocities and noise")
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    from nnp.train.sampling import SampleSettings, sample

    settings = SampleSettings(
        temperatures=tuple(arguments.temperatures),
        volumes=tuple(arguments.volumes),
        snapshots=arguments.snapshots,
        interval=arguments.interval,
        equilibration=arguments.equilibration,
        timestep_fs=arguments.timestep,
        seed=arguments.seed,
    )
    make_calculator = _teacher(arguments)
    cells: list[Any] = list(read_structures(arguments.structures))
    start = [atoms.repeat(tuple(arguments.repeat)) for atoms in cells]
    found = sample(start, make_calculator, settings, quiet=False)
    write_structures(found, arguments.output, force=arguments.force)
    print(f"{len(found)} snapshots: {arguments.output}")


def _teacher(arguments: argparse.Namespace) -> Callable[[], Any]:
    name = arguments.teacher
    if name == "stillinger-weber":
        from nnp.teachers.ase import StillingerWeber

        return StillingerWeber
    if name == "lennard-jones":
        from ase.calculators.lj import LennardJones

        if not arguments.lennard_jones:
            raise OptionError("--teacher lennard-jones needs --lennard-jones EPS SIGMA R_C (eV, Å)")
        epsilon, sigma, r_c = arguments.lennard_jones
        return lambda: LennardJones(epsilon=epsilon, sigma=sigma, rc=r_c, smooth=False)  # type: ignore[no-untyped-call]
    if Path(name).exists():
        from nnp.ase import NNPCalculator

        return lambda: NNPCalculator(name)
    raise OptionError(
        f"--teacher {name!r}: allowed are {', '.join(TEACHERS)} or the path of a potential"
    )
