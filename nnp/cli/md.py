"""``nnp md``: molecular dynamics with a potential."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnp.cli.md_options import (
    PLATFORM,
    add_bounds,
    add_machinery,
    add_minimize,
    add_outputs,
    add_physics,
    add_selection,
)
from nnp.cli.md_run import INTERRUPTED, check_beforehand, relax_and_say, run_and_say
from nnp.cli.md_stages import run_stages
from nnp.cli.md_summary import next_line
from nnp.cli.options import SubParsers, add_command, add_potential
from nnp.cli.start import add_start, read_start
from nnp.cli.structures import add_structures, load_potential_and_units
from nnp.errors import OptionError
from nnp.md.frame_file import FrameFile
from nnp.md.relax_settings import RelaxSettings
from nnp.md.settings import MDSettings


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "run molecular dynamics in OpenMM, with log, trajectory, restarts and pictures"
    parser = add_command(subparsers, "md", _run, summary)
    add_potential(parser)
    text = (
        "the structure to start from (the last frame of a file, with its velocities if it has "
        "any); not needed where PATH is a file of stages, *.toml"
    )
    add_start(parser, text, nargs="?")
    add_minimize(parser)
    add_physics(parser)
    add_bounds(parser)
    add_selection(parser)
    add_machinery(parser)
    add_outputs(parser)
    add_structures(parser)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.path.endswith(".toml"):
        return run_stages(arguments)
    if arguments.structure is None:
        raise OptionError("STRUCTURE is missing: nnp md PATH STRUCTURE, or nnp md STAGES.toml")
    from nnp.md import Outputs
    from nnp.md.restart import read_restart
    from nnp.md.start import check_start

    given = vars(arguments)
    frames = [FrameFile.parse(words) for words in given.get("trajectory", ())]
    outputs = Outputs.named(arguments.output, given.get("log"), frames, arguments.force)
    restart = given.get("restart")
    if restart is not None and arguments.resume and Path(restart) != outputs.restart:
        raise OptionError(
            f"--resume continues from {outputs.restart}, --restart from {restart}: give one of them"
        )
    if restart is None and arguments.resume and outputs.restart.exists():
        restart = str(outputs.restart)
    elif arguments.resume and outputs.only_begun:
        outputs = replace(outputs, force=True)
    before = None if restart is None else read_restart(restart)
    settings = _settings(given, None if before is None else before.settings)
    if before is None:
        outputs.check_inputs([arguments.structure, arguments.path])
    potential, units, own = load_potential_and_units(arguments)
    atoms = read_start(arguments, units, own)
    machine = _machine(given, {} if before is None else before.machine)
    if before is None:
        if "minimize" in given:
            outputs.check_targets()
            check_beforehand(potential, atoms, {"": settings}, machine)
            atoms = relax_and_say(
                potential, atoms, RelaxSettings(force_tolerance=given["minimize"]), given
            )
        if not arguments.any_geometry:
            check_start(atoms)
    outcome = run_and_say(
        potential, atoms, settings, outputs, machine, restart, not arguments.no_pictures
    )
    if outcome.interrupted:
        print(f"interrupted: the same command with --restart {outputs.restart} continues")
        return INTERRUPTED
    if outcome.step:
        print(next_line(outputs))
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


def _machine(given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """How the forces are computed; likewise."""
    names = ("route", "engine", "platform", "threads", "dtype")
    chosen = {"platform": PLATFORM} | before | given
    return {name: chosen[name] for name in names if name in chosen}
