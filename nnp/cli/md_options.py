"""Options of ``nnp md``."""

from __future__ import annotations

import argparse
from typing import Any

from nnp.cli.help import as_typed
from nnp.cli.options import ENGINE_HELP, add_force, at_least_one, count, finite, positive
from nnp.engines import DEFAULT_ENGINE
from nnp.md.frame_file import SUFFIXES
from nnp.md.relax_settings import RelaxSettings
from nnp.md.settings import BAROSTATS, ENSEMBLES, THERMOSTATS, MDSettings

PLATFORM = "CPU"


def add_physics(parser: argparse.ArgumentParser) -> None:
    """Ensemble, numbers, ramps."""
    group = parser.add_argument_group(
        "dynamics", "With --restart: as before, unless given; what is given begins a new segment."
    )
    default = MDSettings()
    add = _Adder(group)
    add("ensemble", default.ensemble, "nve, nvt or npt", choices=ENSEMBLES)
    add("thermostat", default.thermostat, "thermostat of nvt and npt", choices=THERMOSTATS)
    add("barostat", default.barostat, "barostat of npt: how the box may change", choices=BAROSTATS)
    add("temperature", default.temperature, "temperature, K", type=finite, metavar="K")
    ramp = "{0} at the end of a ramp from --{0}, {1}"
    text = ramp.format("temperature", "K")
    add("temperature-end", "no ramp", text, type=finite, metavar="K")
    add("pressure", default.pressure, "pressure of npt, bar", type=finite, metavar="BAR")
    text = ramp.format("pressure", "bar")
    add("pressure-end", "no ramp", text, type=finite, metavar="BAR")
    add("ramp-steps", "all of --steps", "length of the ramp, steps", type=at_least_one, metavar="N")
    text = "surface tension of the membrane barostat, bar nm"
    add("surface-tension", default.surface_tension, text, type=finite, metavar="BAR_NM")
    text = "steps between two moves of the barostat"
    add("barostat-interval", default.barostat_interval, text, type=at_least_one, metavar="N")
    add("timestep", default.timestep, "time step, fs", type=finite, metavar="FS")
    text = "mass of hydrogen atoms, u, taken from the atom each is bound to; for longer time steps"
    add("hydrogen-mass", "as the structure has it", text, type=positive, metavar="U")
    text = "steps of the whole run, those before a --restart included"
    add("steps", default.steps, text, type=count, metavar="N")
    text = "seed of velocities and thermostat"
    add("seed", default.seed, text, type=count, metavar="N")
    times = "1000 for langevin and andersen, 100 for nose-hoover"
    text = "relaxation time of the thermostat, fs"
    add("relaxation-time", times, text, type=finite, metavar="FS")


def add_bounds(parser: argparse.ArgumentParser) -> None:
    """When a run stops."""
    group = parser.add_argument_group(
        "limits", "Beyond one of them the run stops with exit code 1."
    )
    add = _Adder(group)
    add(
        "max-extrapolations",
        "half of the atoms, at least 10",
        "most atoms outside the training range at once, checked with each row of the log",
        type=count,
        metavar="ATOMS",
    )
    heat = "ten times the run's own or 1000 K, more for few atoms"
    add("max-temperature", heat, "highest temperature, K", type=positive, metavar="K")
    text = "highest speed of an atom, Å/fs"
    add("max-speed", "half an Å in a step", text, type=positive, metavar="SPEED")
    drift = MDSettings().max_energy_drift
    text = "largest drift of the total energy in nve, eV/atom"
    add("max-energy-drift", drift, text, type=positive, metavar="ENERGY")
    group.add_argument(
        "--keep-going",
        action="store_true",
        default=argparse.SUPPRESS,
        help="warn and continue instead; energies that are not finite always stop the run",
    )


def add_selection(parser: argparse.ArgumentParser) -> None:
    """What is written for the next training."""
    text = "Structures worth a label: PREFIX.selected.extxyz, and POSCARs in PREFIX.selected/."
    group = parser.add_argument_group("selection", text)
    default = MDSettings()
    group.add_argument(
        "--select-every",
        dest="select_interval",
        type=at_least_one,
        metavar="STEPS",
        default=argparse.SUPPRESS,
        help="steps between two checks for atoms outside the training range and for a committee "
        "that disagrees (default: never)",
    )
    add = _Adder(group)
    text = "least spread of a committee's forces on an atom, eV/Å, for a selection"
    add("select-above", default.select_above, text, type=positive, metavar="SPREAD")
    text = "at most so many structures"
    add("select-most", default.select_most, text, type=at_least_one, metavar="N")
    text = "stop the run beyond this spread, eV/Å"
    add("stop-on-spread", "never", text, type=positive, metavar="SPREAD")


def add_machinery(parser: argparse.ArgumentParser) -> None:
    """What computes the forces."""
    add = _Adder(parser.add_argument_group("hardware", "With --restart: as before, unless given."))
    add(
        "route",
        "auto",
        "how OpenMM calls the potential: auto, native, python, torch",
        metavar="NAME",
    )
    text = "platform of OpenMM: CPU, Reference, CUDA, OpenCL, HIP"
    add("platform", PLATFORM, text, metavar="NAME")
    add("engine", DEFAULT_ENGINE, ENGINE_HELP, metavar="ENGINE")
    add("threads", 1, "threads of the engine cpu", type=at_least_one, metavar="N")
    add("dtype", "float64", "precision of the engine cpu: float64, float32", metavar="TYPE")


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Files and their intervals."""
    group = parser.add_argument_group("files")
    default = MDSettings()
    add = _Adder(group)
    group.add_argument(
        "--output", metavar="PREFIX", default="md", help="folder and beginning of the files' names"
    )
    add("log", "PREFIX.csv", "the log", metavar="CSV")
    group.add_argument(
        "--trajectory",
        nargs="+",
        action="append",
        default=argparse.SUPPRESS,
        metavar=("FILE", "OPTION"),
        help=f"the trajectory, in the format of the suffix: {', '.join(SUFFIXES)}; then any of "
        "every=STEPS, wrapped, no-forces, no-velocities; may be given several times "
        "(default: PREFIX.extxyz)",
    )
    group.add_argument(
        "--restart",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="continue from this restart file; with PREFIX.restart log and trajectory are "
        "continued too",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="continue from PREFIX.restart, or a file of stages where it stopped; begin where "
        "there is nothing to continue",
    )
    written = {"log": "rows of the log", "frame": "frames", "restart": "restart files"}
    for name, what in written.items():
        interval = getattr(default, f"{name}_interval")
        text = f"steps between two {what}"
        add(f"{name}-interval", interval, text, type=at_least_one, metavar="N")
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
        help="relax the positions first, until no force is larger, eV/Å "
        f"({RelaxSettings().force_tolerance:g} if no number is given)",
    )


class _Adder:
    """Adds options that stand in the namespace only when given, with a default for people."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __call__(self, name: str, default: object, text: str, **options: Any) -> None:
        said = as_typed(default)
        self._group.add_argument(
            f"--{name}", default=argparse.SUPPRESS, help=f"{text} (default: {said})", **options
        )
