"""``nnp convert``: potentials between model file and n2p2 directory, structures between files."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

from nnp.cli.embedded import embedded_names, load_path_or_name, say_units
from nnp.cli.options import UNITS_HELP, SubParsers, add_command, add_force
from nnp.errors import OptionError
from nnp.io import n2p2
from nnp.io.scratch import is_put_aside
from nnp.io.structures import (
    is_input_data,
    is_input_data_name,
    is_structure_name,
    read_structures,
    write_structures,
)
from nnp.units import UnitSystem, unit_system
from nnp.values import counted

_MODEL_SUFFIX = ".nnp"


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "convert a potential (n2p2 directory or one-file model) or structures"
    parser = add_command(subparsers, "convert", _run, summary)
    parser.add_argument("source", metavar="SOURCE", help="potential, or file of structures")
    parser.add_argument(
        "target",
        metavar="TARGET",
        help=f"of a potential: FILE{_MODEL_SUFFIX}, else a directory for n2p2; of structures: "
        "input.data or *.data for n2p2, else what ASE makes of the suffix (extxyz)",
    )
    parser.add_argument("--units", default=argparse.SUPPRESS, help=UNITS_HELP + " (of SOURCE)")
    parser.add_argument(
        "--target-units",
        default=argparse.SUPPRESS,
        help="units of n2p2 files that are written; a potential's own unless told, bohr and "
        "hartree for structures",
    )
    add_force(parser)


def _run(arguments: argparse.Namespace) -> None:
    source, target = Path(arguments.source), Path(arguments.target)
    if _is_potential(source):
        _convert_potential(source, target, arguments)
    else:
        _convert_structures(source, target, arguments)


def _is_potential(source: Path) -> bool:
    if (
        source.is_dir()
        or is_put_aside(source)
        or zipfile.is_zipfile(source)
        or source.suffix == _MODEL_SUFFIX
    ):
        return True
    return not source.exists() and str(source) in embedded_names()


def _convert_potential(source: Path, target: Path, arguments: argparse.Namespace) -> None:
    target_units = _units(arguments, "target_units")
    if is_structure_name(target):
        raise OptionError(
            f"{source} is a potential, and {target} the name of a file of structures: a potential "
            f"becomes FILE{_MODEL_SUFFIX} or a directory"
        )
    units = getattr(arguments, "units", None)
    potential = load_path_or_name(str(source), units)
    say_units(potential, str(source), told=units is not None)
    if target.suffix != _MODEL_SUFFIX:
        n2p2.write(potential, target, target_units, arguments.force)
        print(f"{target}: n2p2 directory in {target_units or potential.units}")
        return
    if target_units is not None:
        raise OptionError(
            f"--target-units {target_units} for {target}: a one-file model is always in Å and eV; "
            "leave it out"
        )
    potential.save(target, arguments.force)
    print(f"{target}: one-file model, from files in {potential.units}")


def _convert_structures(source: Path, target: Path, arguments: argparse.Namespace) -> None:
    units, target_units = _units(arguments, "units"), _units(arguments, "target_units")
    if units is not None and not is_input_data(source):
        raise OptionError(f"--units {units}: {source} is no input.data and carries its own units")
    if target_units is not None and not is_input_data_name(target):
        raise OptionError(
            f"--target-units {target_units}: {target} is not written as input.data; leave it out"
        )
    frames = read_structures(source, units)
    write_structures(frames, target, target_units, arguments.force)
    print(f"{target}: {counted(len(frames), 'structure')}")


def _units(arguments: argparse.Namespace, name: str) -> UnitSystem | None:
    return unit_system(getattr(arguments, name, None))
