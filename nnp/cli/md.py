"""``nnp md``: molecular dynamics with a potential."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any

from nnp.cli.options import (
    SubParsers,
    add_command,
    add_engine,
    add_force,
    add_potential,
    at_least_one,
    count,
    finite,
)
from nnp.cli.structures import (
    add_structures,
    load_potential_and_units,
    read_and_say,
    read_options,
)
from nnp.md.settings import BAROSTATS, ENSEMBLES, THERMOSTATS, MDSettings
from nnp.symmetry_functions import describe
from nnp.values import counted

_INTERRUPTED = 130


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = "run molecular dynamics in OpenMM; writes log, trajectory, restart and pictures"
    parser = add_command(subparsers, "md", _run, summary)
    add_potential(parser)
    parser.add_argument(
        "structure",
        metavar="STRUCTURE",
        help="where the run begins: extxyz, input.data, or what ASE reads (the last frame); its "
        "velocities, if it has any, are taken",
    )
    _add_physics(parser)
    _add_machinery(parser)
    _add_outputs(parser)
    add_structures(parser)


def _add_physics(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("dynamics")
    default = MDSettings()
    _choice(group, "ensemble", ENSEMBLES, default.ensemble, "what is kept constant")
    _choice(group, "thermostat", THERMOSTATS, default.thermostat, "of nvt and npt")
    _choice(group, "barostat", BAROSTATS, default.barostat, "of npt: what of the box may change")
    add = group.add_argument
    add("--temperature", type=finite, default=default.temperature, help="K")
    add("--pressure", type=finite, default=default.pressure, help="bar")
    add("--timestep", type=finite, default=default.timestep, help="fs")
    add(
        "--steps",
        type=count,
        default=default.steps,
        help="steps of the whole run, those before a --restart included",
    )
    add("--seed", type=count, default=default.seed, help="of velocities and thermostat")
    add(
        "--relaxation-time",
        type=finite,
        default=argparse.SUPPRESS,
        help="of the thermostat, fs (default: 1000 for langevin, 100 for nose-hoover)",
    )
    add(
        "--max-extrapolations",
        type=count,
        metavar="ATOMS",
        default=argparse.SUPPRESS,
        help="stop when more atoms than these are outside the training range at once, looked at "
        "with each row of the log (default: no limit)",
    )


def _add_machinery(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("machinery")
    add = group.add_argument
    add(
        "--route",
        default="auto",
        help="how OpenMM calls the potential: auto, python, torch, native",
    )
    add("--platform", default="CPU", help="of OpenMM: CPU, Reference, CUDA, OpenCL, HIP")
    add_engine(parser)
    add("--threads", type=at_least_one, default=argparse.SUPPRESS, help="of the engine cpu")
    add("--dtype", default=argparse.SUPPRESS, help="of the engine cpu: float64 or float32")


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    default = MDSettings()
    add = group.add_argument
    add("--output", metavar="PREFIX", default="md", help="folder and beginning of all names")
    add("--log", default=argparse.SUPPRESS, help="CSV (default: PREFIX.csv)")
    add(
        "--trajectory",
        default=argparse.SUPPRESS,
        help=".extxyz or .dcd decides the format (default: PREFIX.extxyz)",
    )
    add(
        "--restart",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="continue from this restart file; PREFIX.restart also continues log and trajectory",
    )
    add("--log-interval", type=at_least_one, default=default.log_interval, help="steps")
    add("--frame-interval", type=at_least_one, default=default.frame_interval, help="steps")
    add("--restart-interval", type=at_least_one, default=default.restart_interval, help="steps")
    add("--no-pictures", action="store_true", help="draw nothing")
    add_force(parser)


def _choice(group: Any, name: str, allowed: Sequence[str], default: str, text: str) -> None:
    group.add_argument(f"--{name}", choices=allowed, default=default, help=text)


def _run(arguments: argparse.Namespace) -> int:
    from nnp.md import Outputs, Runner
    from nnp.openmm import create_system, to_openmm
    from nnp.pictures.run import draw

    given = vars(arguments)
    settings = _settings(given)
    outputs = Outputs.named(
        arguments.output, given.get("log"), given.get("trajectory"), arguments.force
    )
    potential, units, own = load_potential_and_units(arguments)
    atoms = read_and_say(arguments.structure, read_options(arguments, units), -1, own).frames[0]
    names = ("route", "engine", "platform", "threads", "dtype")
    options = {name: given[name] for name in names if name in given}
    system = create_system(potential, to_openmm(atoms), **options)
    restart = given.get("restart")
    runner = Runner(system, atoms, settings, outputs, arguments.platform, restart)
    print(f"{counted(len(atoms), 'atom')}, {settings.description}")
    if restart:
        fresh = "" if runner.seamless else ", with fresh random numbers"
        print(f"continuing {restart}{fresh}")
    outcome = runner.run(show_progress=True)
    print(f"step {outcome.step}, {outcome.ns_per_day:.3g} ns/day")
    print("\n".join(_closing_lines(potential, atoms, outputs)))
    if not arguments.no_pictures:
        print("\n".join(draw(outputs, settings, bool(atoms.pbc.all()))))
    if outcome.interrupted:
        print(f"interrupted: the same command with --restart {outputs.restart} goes on")
        return _INTERRUPTED
    return 0


def _settings(given: dict[str, Any]) -> MDSettings:
    names = MDSettings.__dataclass_fields__
    return MDSettings(**{name: given[name] for name in names if name in given})


def _closing_lines(potential: Any, atoms: Any, outputs: Any) -> list[str]:
    """Mean temperature, extrapolations, and where the files are."""
    from nnp.md import read_log
    from nnp.metrics import block_average

    columns = read_log(outputs.log)
    temperatures = columns["temperature_K"]
    mean, error = block_average(temperatures[len(temperatures) // 2 :])
    spread = "" if math.isnan(error) else f" ± {error:.1f}"
    return [
        f"mean temperature of the second half: {mean:.1f}{spread} K",
        _extrapolations(potential, atoms, columns),
        f"log         {outputs.log}",
        f"trajectory  {outputs.trajectory}",
        f"last state  {outputs.final}",
        f"restart     {outputs.restart}",
    ]


def _extrapolations(potential: Any, atoms: Any, columns: dict[str, Any]) -> str:
    """What the rows of the log say about atoms outside the training range."""
    import numpy as np

    counts = columns["extrapolating_atoms"]
    rows = np.flatnonzero(np.nan_to_num(counts))
    if len(rows) == 0:
        return "no atom extrapolates in any row of the log"
    worst = rows[np.nanargmax(np.abs(columns["worst_excess_percent"][rows]))]
    atom, number = (int(columns[name][worst]) for name in ("worst_atom", "worst_function"))
    symbol = atoms.symbols[atom]
    model = next(model for model in potential.models if model.symbol == symbol)
    return (
        f"extrapolating in {len(rows)} of {len(counts)} rows, up to {np.nanmax(counts):.0f} atoms; "
        f"worst: step {int(columns['step'][worst])}, atom {atom} ({symbol}), function {number} "
        f"({describe(model.functions[number - 1])}) by "
        f"{columns['worst_excess_percent'][worst]:+.1f} % of its training range"
    )
