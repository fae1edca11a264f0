"""Files of structures in commands: the options they share, and the one way to read and write."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnp.cli.options import load_potential
from nnp.cli.units_of import say_units
from nnp.errors import OptionError
from nnp.io import load
from nnp.potential import Potential
from nnp.units import LAMMPS_UNITS, VELOCITY_NAMES, UnitSystem, unit_system

if TYPE_CHECKING:
    from nnp.io.structures import LabelKeys, Reading, ReadOptions

# Options that are refused where no file needs them.
_OF_FILES = ("types", "lammps_units", "velocity_unit")
# Labels, where ASE holds them when its calculator does not, and their units.
_KEYS = (
    ("energy", "info", "eV"),
    ("forces", "arrays", "eV/Å"),
    ("stress", "info", "eV/Å³"),
    ("virial", "info", "eV"),
)


def add_structures(parser: argparse.ArgumentParser, keys: bool = False) -> None:
    """Options that say of a file of structures what it does not say itself.

    Args:
        parser: of a command that reads structures.
        keys: whether it uses their labels.
    """
    group = parser.add_argument_group(
        "files of structures", "For what a file does not state itself."
    )
    add = group.add_argument
    add(
        "--types",
        "--elements",
        default=argparse.SUPPRESS,
        metavar="SYMBOLS",
        help="elements of LAMMPS's types in their order (Si,O), or of atom names (CA=Ca,OW=O)",
    )
    add(
        "--lammps-units",
        default=argparse.SUPPRESS,
        metavar="STYLE",
        help=f"units of LAMMPS's files: {', '.join(LAMMPS_UNITS)}",
    )
    add(
        "--velocity-unit",
        default=argparse.SUPPRESS,
        metavar="UNIT",
        help="unit of a column named velocities, velo or vel: " + ", ".join(VELOCITY_NAMES),
    )
    add(
        "--any-geometry",
        action="store_true",
        help="accept distances and densities that no material has",
    )
    for name, held, unit in _KEYS if keys else ():
        add(
            f"--{name}-key",
            default=argparse.SUPPRESS,
            metavar="NAME",
            help=f"the {name}, {unit}: its name in atoms.{held}",
        )


def label_keys(arguments: argparse.Namespace, group: str = "group") -> LabelKeys:
    """What ``--energy-key`` and its like say."""
    energy, forces, stress, virial = (
        getattr(arguments, f"{name}_key", None) for name, _, _ in _KEYS
    )
    from nnp.io.structures import LabelKeys  # and ASE, which nnp info does without

    return LabelKeys(energy, forces, stress, virial, group)


def read_options(
    arguments: argparse.Namespace,
    units: UnitSystem | None,
    keys: LabelKeys | None = None,
    own_units: bool = False,
) -> ReadOptions:
    """What a command's options say of its files.

    Args:
        arguments: of the command.
        units: of files that do not say them.
        keys: where the labels are; as the options say when None.
        own_units: whether ``--units`` were meant for these files, and nothing else could take them.
    """
    said = getattr(arguments, "units", None)
    style = said if said in LAMMPS_UNITS else None
    meant = {name for name in _OF_FILES if name in arguments}
    from nnp.io.structures import ReadOptions

    return ReadOptions(
        units=units,
        types=getattr(arguments, "types", None),
        lammps_units=getattr(arguments, "lammps_units", style),
        velocity_unit=getattr(arguments, "velocity_unit", None),
        keys=keys or label_keys(arguments),
        any_geometry=getattr(arguments, "any_geometry", False),
        meant=frozenset(meant | ({"units"} if own_units else set())),
    )


def require_no_words_of_files(arguments: argparse.Namespace, wanted: str) -> None:
    """Refuse options of files where none is read.

    Args:
        arguments: of the command.
        wanted: what would have to be given.

    Raises:
        OptionError: there is one.
    """
    for name in _OF_FILES:
        if name in arguments:
            raise OptionError(
                f"--{name.replace('_', '-')}: no file of structures is read: give {wanted}, or "
                "leave it out"
            )


def read_and_say(
    path: str | Path, options: ReadOptions, index: str | int = ":", alone: bool = True
) -> Reading:
    """Read a file of structures and say what was understood.

    Args:
        path: the file.
        options: see `read_options`.
        index: which structures.
        alone: whether the options are meant for no further file.

    Raises:
        OptionError: a named key that no structure has; an option that makes no difference.
    """
    from nnp.io.structures import read, require_keys

    found = read(path, options, index)
    if alone:
        options.require_use(f"{path} ({found.form.title})")
    found.say()
    require_keys(options.keys, found.names, str(path))
    return found


def units_said(said: str | None) -> UnitSystem | None:
    """What ``--units`` says of input.data: nothing where it is a style of LAMMPS's files alone."""
    return None if said in LAMMPS_UNITS and said != "metal" else unit_system(said)


def load_potential_and_units(arguments: argparse.Namespace) -> tuple[Potential, UnitSystem, bool]:
    """The potential of PATH; the units of structures; whether ``--units`` is for these alone.

    The files of a directory do not say their units, so ``--units`` says them, and structures beside
    it have the same; a one-file model says its own, and ``--units`` is then for structures.
    """
    said = getattr(arguments, "units", None)
    if said is None or Path(arguments.path).is_dir():
        potential = load_potential(arguments)
        return potential, potential.units, False
    units = units_said(said)
    potential = load(arguments.path)
    say_units(potential, arguments.path, told=False)
    return potential, units or potential.units, True


def write_and_say(
    frames: Sequence[Any],
    path: str | Path,
    units: UnitSystem | None,
    force: bool,
    predictions: bool = False,
) -> None:
    """Write structures, and say what the format does not hold of them."""
    from nnp.io.structures import write_structures

    for line in write_structures(frames, path, units, force, predictions):
        print(line)
