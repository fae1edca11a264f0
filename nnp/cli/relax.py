"""``nnp relax``: the nearest minimum of a structure, with its cell on request."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from nnp.cli.next_step import next_step
from nnp.cli.options import (
    SubParsers,
    add_command,
    add_engine,
    add_force,
    add_potential,
    at_least_one,
    count,
    finite,
    positive,
)
from nnp.cli.start import add_start, read_start
from nnp.cli.structures import add_structures, load_potential_and_units, write_and_say
from nnp.cli.table import text_table
from nnp.errors import OptionError, OutputExistsError
from nnp.io.structures import check_target, is_input_data_name
from nnp.io.structures.source import name_without_packing
from nnp.md.relax_settings import OPTIMIZERS, RelaxSettings
from nnp.pictures.figure import NO_MATPLOTLIB, have_matplotlib

_INTERRUPTED = 130
_TRAJECTORIES = (".extxyz", ".xyz", ".traj")


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "relax a structure, and with --cell its cell too"
    parser = add_command(subparsers, "relax", _run, summary)
    add_potential(parser)
    add_start(parser, "the structure to relax (the last frame of a file)")
    default = RelaxSettings()
    add = parser.add_argument
    add(
        "--force-tolerance",
        "--tolerance",
        type=positive,
        metavar="FORCE",
        default=default.force_tolerance,
        help="stop when no force is larger, eV/Å",
    )
    add("--cell", action="store_true", help="relax the cell too, lengths and angles")
    add(
        "--stress-tolerance",
        type=positive,
        metavar="BAR",
        default=default.stress_tolerance,
        help="with --cell: stop when no component of the stress is further from the pressure, bar",
    )
    text = "with --cell: external pressure, bar"
    add("--pressure", type=finite, metavar="BAR", default=default.pressure, help=text)
    add("--steps", type=count, metavar="N", default=default.steps, help="at most so many steps")
    text = "method; fire copes best with bad starts"
    add("--optimizer", choices=OPTIMIZERS, default=default.optimizer, help=text)
    text = "the relaxed structure, in the format of the suffix"
    add("--output", metavar="FILE", default="relaxed.extxyz", help=text)
    add(
        "--trajectory",
        metavar="FILE",
        help=f"write every step to this file ({', '.join(_TRAJECTORIES)})",
    )
    add("--no-pictures", action="store_true", help="draw nothing")
    text = "threads of the engine cpu (default: 1)"
    add("--threads", type=at_least_one, metavar="N", default=argparse.SUPPRESS, help=text)
    add_engine(parser)
    add_structures(parser)
    add_force(parser)


def _run(arguments: argparse.Namespace) -> int:
    from nnp.md.relax_trajectory import RelaxTrajectory
    from nnp.md.relaxation import relax

    names = [field.name for field in fields(RelaxSettings)]
    settings = RelaxSettings(**{name: getattr(arguments, name) for name in names})
    check_target(arguments.output, arguments.force, kept=True)
    picture = None if arguments.no_pictures else _picture_of(Path(arguments.output))
    _check_picture(picture, arguments.force)
    path = None if arguments.trajectory is None else Path(arguments.trajectory)
    _check_trajectory(path, arguments)
    potential, units, own = load_potential_and_units(arguments)
    atoms = read_start(arguments, units, own)
    with RelaxTrajectory(path) as trajectory:
        found = relax(potential, atoms, settings, trajectory.add, **_engine(arguments))
    print(_table(found))
    for line in _cell_lines(atoms, found.atoms) if settings.cell else ():
        print(line)
    write_and_say([found.atoms], arguments.output, units, arguments.force)
    print(f"{'relaxed' if found.reached else 'not relaxed'}: {arguments.output}")
    if path is not None:
        print(f"trajectory: {path}")
    if picture is not None:
        print(_draw(found, settings, picture))
    if found.reached:
        print(_next(arguments))
    found.require(settings, f"; the structure reached is in {arguments.output}")
    return _INTERRUPTED if found.interrupted and not found.reached else 0


def _engine(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("engine", "threads") if name in arguments}


def _check_trajectory(path: Path | None, arguments: argparse.Namespace) -> None:
    if path is None:
        return
    if path.suffix not in _TRAJECTORIES:
        raise OptionError(
            f"trajectory {path}: its suffix decides the format: allowed are "
            f"{', '.join(_TRAJECTORIES)}"
        )
    check_target(path, arguments.force)
    if path.resolve() == Path(arguments.output).resolve():
        raise OptionError(f"--trajectory and --output are one file: {path}")
    if path.resolve() == Path(arguments.structure).resolve():
        raise OptionError(f"--trajectory {path} is the structure to relax: choose another name")


def _picture_of(output: Path) -> Path:
    """``relaxed.steps.png`` of ``relaxed.extxyz``."""
    return output.with_name(f"{name_without_packing(output).stem}.steps.png")


def _check_picture(path: Path | None, force: bool) -> None:
    if path is not None and path.exists() and not (force and path.is_file()):
        raise OutputExistsError(
            f"{path}, the picture, exists: choose another --output, overwrite both with --force, "
            "or draw nothing (--no-pictures)"
        )


def _draw(found: Any, settings: RelaxSettings, path: Path) -> str:
    """Where the picture is, or why there is none."""
    if not have_matplotlib():
        return NO_MATPLOTLIB
    if not found.steps:
        return "no picture: no step was needed" if found.reached else "no picture: no step was made"
    from nnp.pictures.relax import plot_relaxation

    plot_relaxation(found, settings, path)
    return f"picture: {path}"


def _next(arguments: argparse.Namespace) -> str:
    """Dynamics from the minimum; ``--units`` where its files need them."""
    words = ["nnp", "md", arguments.path, arguments.output]
    if "units" in arguments and (
        Path(arguments.path).is_dir() or is_input_data_name(arguments.output)
    ):
        words += ["--units", arguments.units]
    words += ["--any-geometry"] if arguments.any_geometry else []
    words += ["--temperature", "300"]
    if Path("md.csv").exists():  # of another run
        words += ["--output", f"{_picture_of(Path(arguments.output)).name.split('.')[0]}-md"]
    return next_step(words)


def _table(found: Any) -> str:
    header = ["", "step", "energy eV", "largest force eV/Å", "largest stress bar", "volume Å³"]
    rows = []
    for name, step in (("start", found.first), ("end", found.last)):
        stress = "" if step.largest_stress is None else f"{step.largest_stress:.4g}"
        volume = "" if step.volume != step.volume else f"{step.volume:.4f}"
        rows.append(
            [
                name,
                str(step.step),
                f"{step.energy:.6f}",
                f"{step.largest_force:.4g}",
                stress,
                volume,
            ]
        )
    return text_table(header, rows)


def _cell_lines(before: Any, after: Any) -> list[str]:
    lines = []
    for name, atoms in (("cell before", before), ("cell after", after)):
        a, b, c, alpha, beta, gamma = atoms.cell.cellpar()
        lines.append(f"{name:<12}{a:.5f} {b:.5f} {c:.5f} Å, {alpha:.3f} {beta:.3f} {gamma:.3f}°")
    return lines
