"""Arguments that several commands share, and checked number types."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any

from nnp.cli.help import HelpFormatter
from nnp.cli.units_of import say_units
from nnp.engines import DEFAULT_ENGINE, engine_names
from nnp.io import load
from nnp.potential import Potential
from nnp.units import UnitSystem, unit_system

# What ``add_subparsers`` returns; argparse has no public name for it.
SubParsers = Any

UNITS_HELP = (
    "units of n2p2 and RuNNer files, which do not state them: atomic (bohr, hartree), metal "
    "(angstrom, eV; also for reduced units) or LENGTH,ENERGY, such as angstrom,eV (default: atomic)"
)

ENGINE_HELP = (
    f"what evaluates the potential: {', '.join(engine_names())}, or auto (gpu where it can run, "
    "else cpu)"
)


def add_command(
    subparsers: SubParsers,
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    summary: str,
    prints: bool = False,
) -> argparse.ArgumentParser:
    """A subparser whose help and description are the same text.

    Args:
        subparsers: of the main parser.
        name: of the command.
        run: does the work.
        summary: one sentence without a full stop, lower case.
        prints: whether what it prints is all that it makes, and no file.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks of errors"
    )
    parser.set_defaults(run=run, prints=prints, command=parser)
    return parser


def add_potential(parser: argparse.ArgumentParser, needed: bool = True) -> None:
    """PATH and --units."""
    parser.add_argument(
        "path",
        metavar="PATH",
        nargs=None if needed else "?",
        help="the potential: a .nnp file, nep.txt, a directory of n2p2, RuNNer or ænet, the output "
        "folder of nnp train --members, or a bundled one: silicon_sw, water_rpbe_d3",
    )
    add_units(parser)


def add_units(parser: argparse.ArgumentParser, note: str = "") -> None:
    """--units, of a potential's files; ``note``: more about them."""
    parser.add_argument(
        "--units", metavar="UNITS", default=argparse.SUPPRESS, help=UNITS_HELP + note
    )


def load_potential(arguments: argparse.Namespace, say: bool = True) -> Potential:
    """The potential of PATH and --units; ``say``: print the units that were taken."""
    units = getattr(arguments, "units", None)
    potential = load(arguments.path, units)
    if say:
        say_units(potential, arguments.path, told=units is not None)
    return potential


def add_data_units(parser: argparse.ArgumentParser) -> None:
    """--units, where there is no potential whose units they would be; see `data_units`."""
    parser.add_argument(
        "--units",
        metavar="UNITS",
        default=argparse.SUPPRESS,
        help="units of input.data files, read and written: atomic (bohr, hartree), metal "
        "(angstrom, eV) or LENGTH,ENERGY (default: atomic)",
    )


def data_units(arguments: argparse.Namespace) -> UnitSystem | None:
    """The units of --units; None where it is not given."""
    return unit_system(getattr(arguments, "units", None))


def only_read(arguments: argparse.Namespace) -> bool:
    """Whether --units can be of files that are read only: OUTPUT has units of its own."""
    from nnp.io.structures import is_input_data_name  # and ASE, which nnp info does without

    return "units" in arguments and not is_input_data_name(arguments.output)


def add_engine(parser: argparse.ArgumentParser) -> None:
    """--engine."""
    parser.add_argument(
        "--engine",
        metavar="ENGINE",
        default=DEFAULT_ENGINE,
        help=ENGINE_HELP,
    )


def add_group_key(parser: Any, default: str = "group") -> None:
    """--group-key."""
    parser.add_argument(
        "--group-key",
        metavar="NAME",
        default=default,
        help="the group of a structure, for errors by group: its name in atoms.info",
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """--force."""
    parser.add_argument("--force", action="store_true", help="overwrite existing outputs")


def positive(text: str) -> float:
    """A finite number above zero, for argparse's ``type=``."""
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def finite(text: str) -> float:
    """A finite number, for argparse's ``type=``."""
    return _number(text)


def count(text: str) -> int:
    """A whole number from zero, underscores allowed, for argparse's ``type=``."""
    return _whole(text, 0)


def at_least_one(text: str) -> int:
    """A whole number from one, for argparse's ``type=``."""
    return _whole(text, 1)


def seconds(text: str) -> float:
    """A time: a number of seconds, or with s, min or h.

    >>> seconds("90"), seconds("30min"), seconds("1.5 h")
    (90.0, 1800.0, 5400.0)
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*(s|min|h)?\s*", text)
    try:
        value = float(found[1]) * {"s": 1, "min": 60, "h": 3600}[found[2] or "s"] if found else 0.0
    except ValueError:
        value = 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r}: a time above 0 is expected, as 30min or 2h")
    return value


def _whole(text: str, least: int) -> int:
    """Digits as they stand: a float has 53 bits only."""
    bare = text.strip().replace("_", "")
    value = int(bare) if bare.isascii() and bare.isdigit() else _number(text)
    if value < least or value != int(value):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {least}")
    return int(value)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        unit = ", without a unit" if re.match(r"\s*[-+]?[0-9.]", text) else ""
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number{unit}")
    return value
