"""``nnp md STAGES.toml``: all stages of a file, one after the other, from wherever it stopped."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nnp.cli.md_options import PLATFORM
from nnp.cli.md_run import INTERRUPTED, check_beforehand, relax_and_say, run_and_say
from nnp.cli.md_summary import next_line
from nnp.cli.start import read_start
from nnp.cli.structures import load_potential_and_units
from nnp.errors import NNPError, OptionError
from nnp.md.relax_settings import RelaxSettings
from nnp.md.settings import MDSettings

if TYPE_CHECKING:
    from nnp.md.outputs import Outputs
    from nnp.md.stages import Plan

# Options that a file of stages says itself; present only where they were given.
_BELONG_INTO_THE_FILE = (
    *MDSettings.__dataclass_fields__,
    *("route", "platform", "engine", "threads", "dtype"),
    *("units", "types", "lammps_units", "velocity_unit", "repeat"),
    *("minimize", "trajectory", "hydrogen_mass"),
)


def run_stages(arguments: argparse.Namespace) -> int:
    """Run what is not complete; the exit code.

    Raises:
        OptionError: options that belong into the file.
        NNPError: see `nnp.md.stages`, and what runs raise.
    """
    from nnp.md.stages import begin_anew, done_until, hand_over, read_plan, require_new

    _require_none_but(arguments)
    plan = read_plan(arguments.path)
    done = done_until(plan) if arguments.resume else 0
    if not arguments.resume:
        require_new(plan, arguments.force)
    said = argparse.Namespace(
        path=plan.potential, structure=plan.structure, any_geometry=arguments.any_geometry
    )
    vars(said).update(plan.reading)
    if plan.hydrogen_mass is not None:
        said.hydrogen_mass = plan.hydrogen_mass
    if plan.repeat is not None:
        said.repeat = list(plan.repeat)
    potential, units, own = load_potential_and_units(said)
    start = atoms = read_start(said, units, own)
    machine = {"platform": PLATFORM} | plan.machine
    _check_all(plan, done, potential, atoms, machine)
    if not arguments.resume:
        begin_anew(plan)
    for stage in plan.stages:
        final = stage.outputs(plan.output, force=False).final
        if stage.number > done:
            print(f"stage {stage.number} of {len(plan.stages)}: {stage.name}", flush=True)
            if _run_stage(stage, plan.output, potential, atoms, machine, arguments):
                print("interrupted: the same command with --resume continues")
                return INTERRUPTED
        else:
            print(f"stage {stage.number} of {len(plan.stages)}: {stage.name} is complete")
            if isinstance(stage.settings, MDSettings) and not arguments.no_pictures:
                outputs = stage.outputs(plan.output, force=False)
                _draw_missing(outputs, stage.settings, bool(start.pbc.all()))
        atoms = hand_over(start, final)
    runs = [stage for stage in plan.stages if isinstance(stage.settings, MDSettings)]
    if runs:
        print(next_line(runs[-1].outputs(plan.output, force=False)))
    return 0


def _check_all(plan: Plan, done: int, potential: Any, atoms: Any, machine: dict[str, Any]) -> None:
    """Refuse what a later stage would refuse, before the first one is run.

    Raises:
        NNPError: names the stage.
    """
    runs = {}
    for stage in plan.stages:
        name = f"stage {stage.number} ({stage.name})"
        try:
            stage.outputs(plan.output, force=False).check_names()
        except NNPError as error:
            raise type(error)(f"{name}: {error}") from None
        if isinstance(stage.settings, MDSettings):
            runs[name] = stage.settings
    if done < len(plan.stages) and runs:
        check_beforehand(potential, atoms, runs, machine)


def _draw_missing(outputs: Outputs, settings: MDSettings, periodic: bool) -> None:
    """Pictures come last: a kill may have prevented them."""
    from nnp.pictures.figure import have_matplotlib
    from nnp.pictures.run import draw, picture_paths

    over_time, distribution = picture_paths(outputs)
    wanted = periodic and outputs.with_everything is not None
    missing = not over_time.exists() or (wanted and not distribution.exists())
    if missing and have_matplotlib():
        print("\n".join(draw(outputs, settings, periodic)))


def _run_stage(
    stage: Any,
    prefix: str,
    potential: Any,
    atoms: Any,
    machine: dict[str, Any],
    arguments: argparse.Namespace,
) -> bool:
    """Whether it was interrupted."""
    from nnp.io.files import replacing
    from nnp.io.structures import extxyz_bytes
    from nnp.md.stages import MINIMISED_TO
    from nnp.md.start import check_start

    restarts = arguments.resume and stage.outputs(prefix, force=False).restart.exists()
    # a stage that was killed before its first restart file has left what is begun anew
    outputs = stage.outputs(prefix, arguments.force or (arguments.resume and not restarts))
    if isinstance(stage.settings, RelaxSettings):
        outputs.check()
        relaxed = relax_and_say(potential, atoms, stage.settings, machine)
        relaxed.arrays.pop("momenta", None)
        relaxed.info[MINIMISED_TO] = stage.settings.force_tolerance
        with replacing(outputs.final, force=True) as scratch:
            scratch.write_bytes(extxyz_bytes(relaxed))
        print(f"last state  {outputs.final}")
        return False
    if not (restarts or arguments.any_geometry):
        check_start(atoms)
    restart = outputs.restart if restarts else None
    pictures = not arguments.no_pictures
    outcome = run_and_say(potential, atoms, stage.settings, outputs, machine, restart, pictures)
    return outcome.interrupted


def _require_none_but(arguments: argparse.Namespace) -> None:
    if arguments.structure is not None:
        raise OptionError(
            f"{arguments.path} is a file of stages, which names its structure: leave "
            f"{arguments.structure} out"
        )
    if arguments.output != "md":
        raise OptionError('--output: a file of stages names it: output = "…"')
    for name in ("log", "restart"):
        if name in arguments:
            raise OptionError(f"--{name}: stages have files of their own; continue with --resume")
    others = [name for name in _BELONG_INTO_THE_FILE if name in arguments]
    for name in others[:1]:
        raise OptionError(
            f"--{name.replace('_', '-')}: the file of stages says what a run does: write "
            f"{name} = … into {arguments.path}, above the stages or in one of them"
        )
