"""``nnp md``: molecular dynamics with a potential."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from typing import Any

from nnp.cli.options import (
    SubParsers,
    add_command,
    add_force,
    add_potential,
    at_least_one,
    count,
    finite,
    positive,
)
from nnp.cli.structures import (
    add_structures,
    load_potential_and_units,
    read_and_say,
    read_options,
)
from nnp.engines import DEFAULT_ENGINE, engine_names
from nnp.functions import describe
from nnp.md.settings import BAROSTATS, ENSEMBLES, THERMOSTATS, MDSettings
from nnp.values import counted

_INTERRUPTED = 130
_PLATFORM = "CPU"


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
    _add_bounds(parser)
    _add_machinery(parser)
    _add_outputs(parser)
    add_structures(parser)


def _add_physics(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "dynamics", "With --restart, what is not given is as it was; what is begins a new segment."
    )
    default = MDSettings()
    add = _Adder(group)
    add("ensemble", default.ensemble, "what is kept constant", choices=ENSEMBLES)
    add("thermostat", default.thermostat, "of nvt and npt", choices=THERMOSTATS)
    add("barostat", default.barostat, "of npt: what of the box may change", choices=BAROSTATS)
    add("temperature", default.temperature, "K", type=finite)
    add("pressure", default.pressure, "bar", type=finite)
    add("timestep", default.timestep, "fs", type=finite)
    text = "steps of the whole run, those before a --restart included"
    add("steps", default.steps, text, type=count)
    add("seed", default.seed, "of velocities and thermostat", type=count)
    times = "1000 for langevin, 100 for nose-hoover"
    add("relaxation-time", times, "of the thermostat, fs", type=finite)


def _add_bounds(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("bounds", "Beyond one the run stops, with exit code 1.")
    add = _Adder(group)
    add(
        "max-extrapolations",
        "half of the atoms, at least 10",
        "atoms outside the training range at once, looked at with each row of the log",
        type=count,
        metavar="ATOMS",
    )
    heat = "ten times the run's own or 1000 K, more for few atoms"
    add("max-temperature", heat, "K", type=positive, metavar="K")
    add("max-speed", "half an Å in a step", "of an atom, Å/fs", type=positive, metavar="SPEED")
    drift = MDSettings().max_energy_drift
    add("max-energy-drift", drift, "of nve, eV per atom", type=positive, metavar="ENERGY")
    group.add_argument(
        "--keep-going",
        action="store_true",
        default=argparse.SUPPRESS,
        help="warn and go on beyond them; what is not finite always stops",
    )


def _add_machinery(parser: argparse.ArgumentParser) -> None:
    add = _Adder(parser.add_argument_group("machinery", "With --restart as it was, unless given."))
    add("route", "auto", "how OpenMM calls the potential: auto, python, torch, native")
    add("platform", _PLATFORM, "of OpenMM: CPU, Reference, CUDA, OpenCL, HIP")
    names = ", ".join(engine_names())
    add("engine", DEFAULT_ENGINE, f"what evaluates: {names}, or auto: gpu, else cpu")
    add("threads", 1, "of the engine cpu", type=at_least_one)
    add("dtype", "float64", "of the engine cpu: float64 or float32")


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    default = MDSettings()
    add = _Adder(group)
    group.add_argument(
        "--output", metavar="PREFIX", default="md", help="folder and beginning of all names"
    )
    add("log", "PREFIX.csv", "CSV")
    add("trajectory", "PREFIX.extxyz", ".extxyz or .dcd decides the format")
    group.add_argument(
        "--restart",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="continue from this restart file; PREFIX.restart also continues log and trajectory, "
        "and at the end of its steps writes the final state",
    )
    for name in ("log", "frame", "restart"):
        interval = getattr(default, f"{name}_interval")
        add(f"{name}-interval", interval, "steps", type=at_least_one)
    group.add_argument("--no-pictures", action="store_true", help="draw nothing")
    add_force(parser)


class _Adder:
    """Adds options that stand in the namespace only when given, with a default for people."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __call__(self, name: str, default: object, text: str, **options: Any) -> None:
        self._group.add_argument(
            f"--{name}", default=argparse.SUPPRESS, help=f"{text} (default: {default})", **options
        )


def _run(arguments: argparse.Namespace) -> int:
    from nnp.md import Outputs, Runner
    from nnp.md.restart import read_restart
    from nnp.openmm import create_system, to_openmm
    from nnp.pictures.run import draw

    given = vars(arguments)
    restart = given.get("restart")
    before = None if restart is None else read_restart(restart)
    settings = _settings(given, None if before is None else before.settings)
    outputs = Outputs.named(
        arguments.output, given.get("log"), given.get("trajectory"), arguments.force
    )
    potential, units, own = load_potential_and_units(arguments)
    atoms = read_and_say(arguments.structure, read_options(arguments, units), -1, own).frames[0]
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
    print("\n".join(_closing_lines(potential, atoms, outputs)))
    if not arguments.no_pictures:
        print("\n".join(draw(outputs, settings, bool(atoms.pbc.all()))))
    if outcome.interrupted:
        print(f"interrupted: the same command with --restart {outputs.restart} goes on")
        return _INTERRUPTED
    return 0


def _settings(given: dict[str, Any], before: MDSettings | None) -> MDSettings:
    """The given ones; the others as they were, or by default."""
    names = MDSettings.__dataclass_fields__
    return replace(before or MDSettings(), **{name: given[name] for name in names if name in given})


def _machine(given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """How the forces are computed; likewise."""
    names = ("route", "engine", "platform", "threads", "dtype")
    chosen = {"platform": _PLATFORM} | before | given
    return {name: chosen[name] for name in names if name in chosen}


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
