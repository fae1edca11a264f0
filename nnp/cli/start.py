"""The structure that a run or a relaxation begins with: its file, and how often it is repeated."""

from __future__ import annotations

import argparse
import logging
from typing import Any

from nnp.cli.options import at_least_one
from nnp.cli.structures import read_and_say, read_options
from nnp.units import UnitSystem

_log = logging.getLogger("nnp.io.structures")


def add_start(parser: argparse.ArgumentParser, text: str, nargs: str | None = None) -> None:
    """STRUCTURE and --repeat.

    Args:
        parser: of the command.
        text: what STRUCTURE is for.
        nargs: ``"?"`` where it may be missing.
    """
    options: Any = {} if nargs is None else {"nargs": nargs}
    parser.add_argument(
        "structure",
        metavar="STRUCTURE",
        help=f"{text}: extxyz, POSCAR, CIF, PDB, GRO, LAMMPS, … (docs/structures.md)",
        **options,
    )
    parser.add_argument(
        "--repeat",
        nargs=3,
        type=at_least_one,
        metavar=("A", "B", "C"),
        default=argparse.SUPPRESS,
        help="repeat the cell along its three axes (default: 1 1 1)",
    )


def read_start(arguments: argparse.Namespace, units: UnitSystem | None, own_units: bool) -> Any:
    """The last frame of STRUCTURE, repeated.

    Args:
        arguments: of a command with `add_start` and `add_structures`.
        units: see `read_options`.
        own_units: see `read_options`.

    Raises:
        NNPError: it cannot be read, or not be repeated.
    """
    options = read_options(arguments, units, own_units=own_units)
    atoms = read_and_say(arguments.structure, options, -1).frames[0]
    counts = getattr(arguments, "repeat", None)
    if counts is not None:
        atoms = _repeated(atoms, counts, arguments)
    if "hydrogen_mass" in arguments:
        from nnp.md.masses import with_heavy_hydrogen

        atoms = with_heavy_hydrogen(atoms, arguments.hydrogen_mass)
    return atoms


def _repeated(atoms: Any, counts: list[int], arguments: argparse.Namespace) -> Any:
    from nnp.md.start import repeated

    if "momenta" in atoms.arrays and max(counts) > 1:
        _log.warning(
            "%s: velocities are not repeated: copies that move alike stay alike",
            arguments.structure,
        )
    return repeated(atoms, counts)
