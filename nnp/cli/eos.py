"""``nnp eos``: what a potential says of a crystal."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnp.analysis.eos import EosSettings, equation_of_state
from nnp.analysis.writing import prepare_folder, write_analysis
from nnp.ase import NNPCalculator
from nnp.cli.options import (
    SubParsers,
    add_command,
    add_engine,
    add_force,
    add_potential,
    at_least_one,
    positive,
)
from nnp.cli.structures import (
    add_structures,
    load_potential_and_units,
    read_and_say,
    read_options,
    write_and_say,
)
from nnp.cli.table import text_table
from nnp.errors import OptionError
from nnp.pictures.figure import NO_MATPLOTLIB, have_matplotlib

_PAGE, _CRYSTAL = "eos.png", "relaxed.extxyz"


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "compute energy over volume, elastic constants and phonons of a crystal"
    parser = add_command(subparsers, "eos", _run, summary)
    default = EosSettings()
    add_potential(parser)
    add = parser.add_argument
    add("structure", metavar="STRUCTURE", help="the crystal (the last frame of a file)")
    add("--output", metavar="DIR", default="eos", help="folder for all files")
    add("--no-relax", action="store_true", help="do not relax the cell first, only the atoms in it")
    text = "largest change of the volume, as a share of it"
    add("--span", type=positive, metavar="X", default=default.span, help=text)
    add(
        "--points", type=at_least_one, metavar="N", default=default.points, help="number of volumes"
    )
    text = "strain for the elastic constants"
    add(
        "--strain",
        type=positive,
        metavar="X",
        default=argparse.SUPPRESS,
        help=f"{text} (default: {default.strain:g})",
    )
    add("--no-elastic", action="store_true", help="skip the elastic constants")
    add("--no-phonons", action="store_true", help="skip the phonons")
    add(
        "--supercell",
        type=at_least_one,
        nargs=3,
        metavar="N",
        default=argparse.SUPPRESS,
        help="supercell for the phonons (default: edges of at least 10 Å)",
    )
    add_engine(parser)
    add_structures(parser)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    settings = _settings(arguments)
    folder = Path(arguments.output)
    prepare_folder(folder, arguments.force, pages=(_CRYSTAL, _PAGE))
    potential, units, own = load_potential_and_units(arguments)
    options = read_options(arguments, units, own_units=own)
    crystal = read_and_say(arguments.structure, options, -1).frames[0]
    calculator = NNPCalculator(potential, engine=arguments.engine)
    name = Path(arguments.path).stem

    def say(text: str) -> None:
        print(text, flush=True)

    found, still = equation_of_state(calculator, crystal, settings, name, say)
    found.about |= {"potential": str(arguments.path), "structure": str(arguments.structure)}
    write_analysis(found, folder, arguments.force)
    write_and_say([still], folder / _CRYSTAL, None, arguments.force)
    rows = [[q.name, f"{q.value:.6g}", q.unit, q.how] for q in found.quantities]
    print(text_table(["", name, "unit", ""], rows))
    for note in found.notes:
        print(f"note: {note}")
    print(f"numbers and curves: {folder}")
    if have_matplotlib():
        from nnp.pictures.eos import plot_eos

        plot_eos(found, folder / _PAGE)
        print(f"pictures: {folder / _PAGE}")
    else:
        print(NO_MATPLOTLIB)


def _settings(arguments: argparse.Namespace) -> EosSettings:
    if arguments.no_elastic and "strain" in arguments:
        raise OptionError(
            f"--strain {arguments.strain:g} belongs to the elastic constants, which --no-elastic "
            "leaves out: give one of the two"
        )
    return EosSettings(
        relax=not arguments.no_relax,
        span=arguments.span,
        points=arguments.points,
        elastic=not arguments.no_elastic,
        strain=getattr(arguments, "strain", EosSettings.strain),
        with_phonons=not arguments.no_phonons,
        supercell=getattr(arguments, "supercell", None),
    )
