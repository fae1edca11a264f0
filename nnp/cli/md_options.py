"""Options of ``nnp md``."""

from __future__ import annotations

import argparse
from typing import Any

from nnp.cli.options import add_force, at_least_one, count, finite, positive
from nnp.engines import DEFAULT_ENGINE, engine_names
from nnp.md.frame_file import SUFFIXES
from nnp.md.relax_settings import RelaxSettings
from nnp.md.settings import BAROSTATS, ENSEMBLES, THERMOSTATS, MDSettings

PLATFORM = "CPU"


def add_physics(parser: argparse.ArgumentParser) -> None:
    """Ensemble, numbers, ramps."""
    group = parser.add_argument_group(
        "dynamics", "With --restart, what is not given is as it was; what is begins a new segment."
    )
    default = MDSettings()
    add = _Adder(group)
    add("ensemble", default.ensemble, "what is kept constant", choices=ENSEMBLES)
    add("thermostat", default.thermostat, "of nvt and npt", choices=THERMOSTATS)
    add("barostat", default.barostat, "of npt: what of the box may change", choices=BAROSTATS)
    add("temperature", default.temperature, "K", type=finite)
    ramp = "where a ramp ends, which begins at --{0}"
    add("temperature-end", "no ramp", f"K; {ramp.format('temperature')}", type=finite)
    add("pressure", default.pressure, "bar; of npt", type=finite)
    add("pressure-end", "no ramp", f"bar; {ramp.format('pressure')}", type=finite)
    add("ramp-steps", "all of --steps", "in which a ramp is done", type=at_least_one)
    add("surface-tension", default.surface_tension, "bar nm; of membrane", type=finite)
    add("barostat-interval", default.barostat_interval, "steps", type=at_least_one)
    add("timestep", default.timestep, "fs", type=finite)
    text = "u; taken from the atom that each is bound to, for longer time steps"
    add("hydrogen-mass", "as the structure has it", text, type=positive)
    text = "steps of the whole run, those before a --restart included"
    add("steps", default.steps, text, type=count)
    add("seed", default.seed, "of velocities and thermostat", type=count)
    times = "1000 for langevin and andersen, 100 for nose-hoover"
    add("relaxation-time", times, "of the thermostat, fs", type=finite)


def add_bounds(parser: argparse.ArgumentParser) -> None:
    """When a run stops."""
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


def add_selection(parser: argparse.ArgumentParser) -> None:
    """What is written for the next training."""
    text = "PREFIX.selected.extxyz and POSCARs in PREFIX.selected/: structures worth a label."
    group = parser.add_argument_group("selection", text)
    default = MDSettings()
    group.add_argument(
        "--select-every",
        dest="select_interval",
        type=at_least_one,
        metavar="STEPS",
        default=argparse.SUPPRESS,
        help="how often to look whether atoms extrapolate or a committee disagrees, in steps "
        "(default: never)",
    )
    add = _Adder(group)
    text = "spread from which on a structure is selected, eV/Å"
    add("select-above", default.select_above, text, type=positive)
    add("select-most", default.select_most, "structures at most", type=at_least_one)
    text = "of a committee's forces on an atom, eV/Å: beyond it the run stops"
    add("stop-on-spread", "never", text, type=positive)


def add_machinery(parser: argparse.ArgumentParser) -> None:
    """What computes the forces."""
    add = _Adder(parser.add_argument_group("machinery", "With --restart as it was, unless given."))
    add("route", "auto", "how OpenMM calls the potential: auto, python, torch, native")
    add("platform", PLATFORM, "of OpenMM: CPU, Reference, CUDA, OpenCL, HIP")
    names = ", ".join(engine_names())
    add("engine", DEFAULT_ENGINE, f"what evaluates: {names}, or auto: gpu, else cpu")
    add("threads", 1, "of the engine cpu", type=at_least_one)
    add("dtype", "float64", "of the engine cpu: float64 or float32")


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Files and their intervals."""
    group = parser.add_argument_group("files")
    default = MDSettings()
    add = _Adder(group)
    group.add_argument(
        "--output", metavar="PREFIX", default="md", help="folder and beginning of all names"
    )
    add("log", "PREFIX.csv", "CSV")
    group.add_argument(
        "--trajectory",
        nargs="+",
        action="append",
        default=argparse.SUPPRESS,
        metavar=("FILE", "OPTION"),
        help=f"{', '.join(SUFFIXES)} decides the format; then any of every=STEPS, wrapped, "
        "no-forces, no-velocities; may be given several times (default: PREFIX.extxyz)",
    )
    group.add_argument(
        "--restart",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="continue from this restart file; PREFIX.restart also continues log and trajectory, "
        "and at the end of its steps writes the final state",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on from PREFIX.restart, or with a file of stages where it stopped; begin where "
        "nothing is there",
    )
    for name in ("log", "frame", "restart"):
        interval = getattr(default, f"{name}_interval")
        add(f"{name}-interval", interval, "steps", type=at_least_one)
    group.add_argument("--no-pictures", action="store_true", help="draw nothing")
    add_force(parser)


def add_minimize(parser: argparse.ArgumentParser) -> None:
    """--minimize, before the run."""
    parser.add_argument(
        "--minimize",
        nargs="?",
        type=positive,
        const=RelaxSettings().force_tolerance,
        default=argparse.SUPPRESS,
        metavar="TOLERANCE",
        help="first relax the positions, until no force is larger, eV/Å "
        f"({RelaxSettings().force_tolerance:g} where no number is given)",
    )


class _Adder:
    """Adds options that stand in the namespace only when given, with a default for people."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __call__(self, name: str, default: object, text: str, **options: Any) -> None:
        self._group.add_argument(
            f"--{name}", default=argparse.SUPPRESS, help=f"{text} (default: {default})", **options
        )
