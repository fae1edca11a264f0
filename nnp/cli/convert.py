"""``nnp convert``: potentials between model file and n2p2 directory, structures between files."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.cli.options import SubParsers, add_command, add_force, add_units
from nnp.cli.structures import (
    add_structures,
    label_keys,
    read_and_say,
    read_options,
    units_said,
    write_and_say,
)
from nnp.cli.units_of import say_units
from nnp.errors import OptionError
from nnp.io import aenet, load, n2p2, nep
from nnp.io.bundled import bundled_names
from nnp.io.scratch import is_put_aside
from nnp.io.structures import (
    LabelKeys,
    Labels,
    is_input_data_name,
    is_structure_name,
)
from nnp.io.structures.labels import is_predicted
from nnp.units import ATOMIC, METAL, UnitSystem, unit_system
from nnp.values import counted

_MODEL_SUFFIX = ".nnp"
_NEP_SUFFIX = ".txt"


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "convert a potential (n2p2 directory or one-file model) or structures"
    parser = add_command(subparsers, "convert", _run, summary)
    parser.add_argument("source", metavar="SOURCE", help="a potential, or a file of structures")
    parser.add_argument(
        "target",
        metavar="TARGET",
        help=f"for a potential: NAME{_MODEL_SUFFIX}, NAME{_NEP_SUFFIX} if it is a NEP, or a folder "
        "for n2p2's files; for structures: input.data or *.data for n2p2, otherwise the format "
        "that ASE knows by the suffix",
    )
    add_units(parser, "; for SOURCE")
    parser.add_argument(
        "--target-units",
        metavar="UNITS",
        default=argparse.SUPPRESS,
        help="units of the n2p2 files to write (default: a potential's own; bohr and hartree for "
        "structures)",
    )
    parser.add_argument(
        "--to",
        choices=("aenet", "aenet-text"),
        default=argparse.SUPPRESS,
        help="write a potential as ænet's files, one per element, into the folder TARGET: X.nn or, "
        "with aenet-text, X.nn.ascii",
    )
    parser.add_argument(
        "--legacy-angle",
        choices=("yes", "no"),
        default=argparse.SUPPRESS,
        help="whether SOURCE was trained by ænet 2.0.0 to 2.0.3; needed only where its files leave "
        "it open",
    )
    add_structures(parser, keys=True)
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
        or (source.is_file() and aenet.is_aenet_name(source))
        or nep.is_nep_file(source)
    ):
        return True
    return not source.exists() and str(source) in bundled_names()


def _convert_potential(source: Path, target: Path, arguments: argparse.Namespace) -> None:
    target_units = _units(arguments, "target_units")
    if is_structure_name(target):
        raise OptionError(
            f"{source} is a potential, and {target} the name of a file of structures: a potential "
            f"becomes FILE{_MODEL_SUFFIX}, a nep.txt or a directory"
        )
    units = getattr(arguments, "units", None)
    if "legacy_angle" in arguments:
        potential = load(source, units, legacy_angle=arguments.legacy_angle == "yes")
    else:
        potential = load(str(source), units)
    say_units(potential, str(source), told=units is not None)
    if "to" in arguments:
        files = aenet.write(potential, target, arguments.to == "aenet-text", arguments.force)
        print(f"{target}: {', '.join(path.name for path in files)} of ænet")
        return
    if target.suffix == _NEP_SUFFIX:
        if target_units is not None:
            raise OptionError(
                f"--target-units {target_units} for {target}: a nep.txt is always in Å and eV; "
                "leave it out"
            )
        nep.write(potential, target, arguments.force)
        print(f"{target}: NEP4")
        return
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
    origin = "" if potential.units == METAL else f", from files in {potential.units}"
    print(f"{target}: one-file model in Å and eV{origin}")


def _convert_structures(source: Path, target: Path, arguments: argparse.Namespace) -> None:
    said, target_units = getattr(arguments, "units", None), _units(arguments, "target_units")
    units = units_said(said)
    if target_units is not None and not is_input_data_name(target):
        raise OptionError(
            f"--target-units {target_units}: {target} is not written as input.data; leave it out"
        )
    options = read_options(arguments, units, own_units=said is not None)
    reading = read_and_say(source, options)
    pairs = zip(reading.frames, reading.labels, strict=True)
    frames = [_with_named(atoms, labels, arguments) for atoms, labels in pairs]
    write_and_say(frames, target, target_units, arguments.force)
    written = f", in {target_units or ATOMIC}" if is_input_data_name(target) else ""
    print(f"{target}: {counted(len(frames), 'structure')}{written}")


def _with_named(atoms: Atoms, labels: Labels, arguments: argparse.Namespace) -> Atoms:
    """Labels named by their keys become energy, forces and stress; others keep their names."""
    if label_keys(arguments) != LabelKeys() and not is_predicted(atoms):
        atoms.calc = SinglePointCalculator(atoms, **labels.results())  # type: ignore[no-untyped-call]
    return atoms


def _units(arguments: argparse.Namespace, name: str) -> UnitSystem | None:
    return unit_system(getattr(arguments, name, None))
