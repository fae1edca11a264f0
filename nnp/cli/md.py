"""``nnp md``: molecular dynamics with a potential."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from nnp.cli.md_options import (
    PLATFORM,
    add_bounds,
    add_machinery,
    add_minimize,
    add_outputs,
    add_physics,
)
from nnp.cli.md_summary import closing_lines
from nnp.cli.options import SubParsers, add_command, add_potential
from nnp.cli.start import add_start, read_start
from nnp.cli.structures import add_structures, load_potential_and_units
from nnp.md.frame_file import FrameFile
from nnp.md.settings import MDSettings
from nnp.values import counted

_INTERRUPTED = 130


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "run molecular dynamics in OpenMM; writes log, trajectory, restart and pictures"
    parser = add_command(subparsers, "md", _run, summary)
    add_potential(parser)
    text = "where the run begins (the last frame); its velocities, if it has any, are taken"
    add_start(parser, text)
    add_minimize(parser)
    add_physics(parser)
    add_bounds(parser)
    add_machinery(parser)
    add_outputs(parser)
    add_structures(parser)


def _run(arguments: argparse.Namespace) -> int:
    from nnp.md import Outputs, Runner
    from nnp.md.restart import read_restart
    from nnp.md.start import check_start
    from nnp.openmm import create_system, to_openmm
    from nnp.pictures.run import draw

    given = vars(arguments)
    restart = given.get("restart")
    before = None if restart is None else read_restart(restart)
    settings = _settings(given, None if before is None else before.settings)
    frames = [FrameFile.parse(words) for words in given.get("trajectory", ())]
    outputs = Outputs.named(arguments.output, given.get("log"), frames, arguments.force)
    potential, units, own = load_potential_and_units(arguments)
    atoms = read_start(arguments, units, own)
    if before is None:
        atoms = _relaxed(given, potential, atoms)
        if not arguments.any_geometry:
            check_start(atoms)
    options = _machine(given, {} if before is None else before.machine)
    system = create_system(potential, to_openmm(atoms), **options)
    runner = Runner(
        system, atoms, settings, outputs, options["platform"], restart, options, potential
    )
    print(f"{counted(len(atoms), 'atom')}, {settings.description}")
    if before is not None:
        fresh = "" if runner.seamless else ", with fresh random numbers"
        print(f"continuing {restart}{fresh}")
        if runner.changes:
            print(f"segment {runner.segment} begins: {', '.join(runner.changes)}")
        if before.step == settings.steps:
            print(f"all {settings.steps} steps were made: only the final state is written")
    elif "momenta" not in atoms.arrays:
        print(f"velocities are drawn at {settings.temperature:g} K")
    outcome = runner.run(show_progress=True)
    print(f"step {outcome.step}, {outcome.ns_per_day:.3g} ns/day")
    print("\n".join(closing_lines(potential, atoms, outputs, outcome)))
    if not arguments.no_pictures:
        print("\n".join(draw(outputs, settings, bool(atoms.pbc.all()))))
    if outcome.interrupted:
        print(f"interrupted: the same command with --restart {outputs.restart} goes on")
        return _INTERRUPTED
    return 0


def _settings(given: dict[str, Any], before: MDSettings | None) -> MDSettings:
    """The given ones; the others as they were, or by default.

    Raises:
        OptionError: a value that is not allowed, or one that nothing uses.
    """
    names = MDSettings.__dataclass_fields__
    found = replace(
        before or MDSettings(), **{name: given[name] for name in names if name in given}
    )
    found.require_use_of(name for name in names if name in given)
    return found


def _relaxed(given: dict[str, Any], potential: Any, atoms: Any) -> Any:
    """The structure after --minimize, with the velocities that it had."""
    if "minimize" not in given:
        return atoms
    from nnp.md import RelaxSettings, relax

    settings = RelaxSettings(force_tolerance=given["minimize"])
    engine = {name: given[name] for name in ("engine", "threads") if name in given}
    found = relax(potential, atoms, settings, **engine)
    print(
        f"minimised in {counted(found.steps, 'step')}: largest force "
        f"{found.first.largest_force:.4g} → {found.largest_force:.4g} eV/Å, "
        f"{found.first.energy:.4f} → {found.last.energy:.4f} eV"
    )
    found.require(settings, ": nnp relax shows its steps")
    moved = atoms.copy()
    moved.positions = found.atoms.positions
    return moved


def _machine(given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """How the forces are computed; likewise."""
    names = ("route", "engine", "platform", "threads", "dtype")
    chosen = {"platform": PLATFORM} | before | given
    return {name: chosen[name] for name in names if name in chosen}
