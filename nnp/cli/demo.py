"""``nnp demo``: silicon with the bundled potential, beside the potential's teacher."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ase import Atoms
from ase.build import bulk

from nnp.cli.options import SubParsers, add_command, add_engine, add_force, at_least_one
from nnp.io import load
from nnp.md.settings import MDSettings

if TYPE_CHECKING:
    import openmm

    from nnp.analysis import Analysis
    from nnp.analysis.rdf import RadialDistribution
    from nnp.md import Outcome, Outputs, Runner

_POTENTIAL = "silicon_sw"
_LATTICE_CONSTANT = 5.431  # Å
_LONGEST = 10_000  # steps
_SHORTEST = 100
_SECONDS_PER_RUN = 30.0  # two runs, and pictures, in less than two minutes
_FRAMES = 200
_R_MAX, _BIN_WIDTH = 8.0, 0.04  # Å
_NEXT = f"""next:
  nnp info {_POTENTIAL}        what the potential is made of
  nnp md YOURS START.xyz      a potential of yours: n2p2, RuNNer, NEP, ænet
  nnp train FOLDER            a potential from your DFT calculations"""

# Langevin with a short relaxation time: the atoms begin on their lattice sites.
_SETTINGS = MDSettings(
    ensemble="nvt", temperature=300.0, timestep=2.0, relaxation_time=200.0, seed=1
)


def add_parser(subparsers: SubParsers) -> None:
    """Register the command."""
    summary = (
        "run silicon (216 atoms, 300 K) with a bundled potential and with Stillinger-Weber, to "
        "which it was fitted, and compare them"
    )
    parser = add_command(subparsers, "demo", _run, summary)
    parser.add_argument("--output", metavar="DIR", default="nnp-demo", help="folder for all files")
    parser.add_argument(
        "--steps",
        type=at_least_one,
        metavar="N",
        default=argparse.SUPPRESS,
        help=f"steps of each run (default: as many as fit into two minutes, at most {_LONGEST})",
    )
    parser.add_argument(
        "--platform",
        metavar="NAME",
        default="CPU",
        help="OpenMM's platform: CPU, Reference, CUDA, …",
    )
    add_engine(parser)
    add_force(parser)


@dataclass(frozen=True, eq=False)
class _Run:
    """One finished run."""

    name: str
    outputs: Outputs
    outcome: Outcome
    analysis: Analysis


def _run(arguments: argparse.Namespace) -> int:
    from nnp.openmm import create_system

    began = time.perf_counter()
    atoms = bulk("Si", a=_LATTICE_CONSTANT, cubic=True) * (3, 3, 3)
    systems = {
        "neural network": create_system(
            load(_POTENTIAL), atoms, engine=arguments.engine, platform=arguments.platform
        ),
        "Stillinger-Weber": _teacher(atoms),
    }
    steps = getattr(arguments, "steps", None) or _affordable_steps(systems, atoms, arguments)
    interval = max(1, steps // _FRAMES)
    settings = replace(_SETTINGS, steps=steps, log_interval=interval, frame_interval=interval)
    folder = Path(arguments.output)
    runners = _runners(systems, atoms, settings, arguments)
    print(f"{len(atoms)} silicon atoms, {settings.description}")
    runs = []
    for name, (runner, outputs) in runners.items():
        print(f"running {name}", flush=True)
        outcome = runner.run(show_progress=True)
        if outcome.interrupted:
            print(f"interrupted: what was written is in {folder}")
            return 130
        runs.append(_analyse(name, outputs, outcome))
    print("\n".join([*_summary(runs), *_pictures(runs, folder, settings)]))
    print(f"{time.perf_counter() - began:.0f} s in all")
    print(_NEXT)
    return 0


def _teacher(atoms: Atoms) -> openmm.System:
    """Stillinger-Weber silicon."""
    from nnp.openmm import create_calculator_force, create_empty_system
    from nnp.teachers.ase import StillingerWeber

    system = create_empty_system(atoms)
    system.addForce(create_calculator_force(atoms, StillingerWeber))
    return system


def _affordable_steps(
    systems: dict[str, openmm.System], atoms: Atoms, arguments: argparse.Namespace
) -> int:
    """As many steps as the slower of the two makes in its share of the time."""
    slowest = max(_seconds_per_step(s, atoms, arguments.platform) for s in systems.values())
    fitting = int(_SECONDS_PER_RUN / slowest) // _SHORTEST * _SHORTEST
    return min(max(fitting, _SHORTEST), _LONGEST)


def _seconds_per_step(system: openmm.System, atoms: Atoms, platform: str) -> float:
    """Time of some evaluations, the first one (which builds and warms) left out."""
    import openmm

    from nnp.openmm import check_platform, to_openmm

    integrator = openmm.VerletIntegrator(0.001)
    context = openmm.Context(system, integrator, check_platform(system, platform))
    context.setPositions(to_openmm(atoms).positions_nm)
    context.getState(forces=True)
    began, repeats = time.perf_counter(), 0
    while repeats < 3 or (time.perf_counter() - began < 0.5 and repeats < 100):
        context.getState(forces=True)
        repeats += 1
    return (time.perf_counter() - began) / repeats


def _runners(
    systems: dict[str, openmm.System],
    atoms: Atoms,
    settings: MDSettings,
    arguments: argparse.Namespace,
) -> dict[str, tuple[Runner, Outputs]]:
    """Equal runs but for the seed: what they differ by beyond chance is the forces' doing."""
    from nnp.md import Outputs, Runner

    runners = {}
    for seed, (name, system) in enumerate(systems.items(), start=1):
        prefix = Path(arguments.output) / name.lower().replace(" ", "-")
        outputs = Outputs.named(prefix, force=arguments.force)
        own = replace(settings, seed=seed)
        runners[name] = Runner(system, atoms, own, outputs, arguments.platform), outputs
    return runners


def _analyse(name: str, outputs: Outputs, outcome: Outcome) -> _Run:
    """The second half of a run: the first one is left to the thermostat."""
    from nnp.analysis import AnalysisSettings, analyse, open_trajectory

    settings = AnalysisSettings(skip=0.5, r_max=_R_MAX, bin_width=_BIN_WIDTH)
    trajectory = open_trajectory(outputs.trajectory, say=False)
    return _Run(name, outputs, outcome, analyse(trajectory, settings, outputs.log, name=name))


def _total_distribution(found: Analysis) -> RadialDistribution:
    """g(r) of all atoms, as it is drawn."""
    from nnp.analysis.rdf import TOTAL, RadialDistribution

    curve, frames = found.curves["rdf"], int(found.about["frames taken for structure"])
    return RadialDistribution(curve.x, curve.values[TOTAL], curve.errors[TOTAL], frames)


def _pictures(runs: list[_Run], folder: Path, settings: MDSettings) -> list[str]:
    from nnp.md import read_log
    from nnp.pictures.analysis import plot_analyses
    from nnp.pictures.figure import NO_MATPLOTLIB, have_matplotlib
    from nnp.pictures.run import plot_rdf, plot_run

    if not have_matplotlib():
        return [NO_MATPLOTLIB]
    over_time, distribution = folder / "temperature-and-energies.png", folder / "rdf.png"
    plot_run(read_log(runs[0].outputs.log), over_time, settings.temperature)
    plot_rdf({run.name: _total_distribution(run.analysis) for run in runs}, distribution)
    plot_analyses([run.analysis for run in runs], folder / "analysis.png")
    names = (distribution, over_time, folder / "analysis.png")
    return [f"{'' if k else 'pictures':<12}{name}" for k, name in enumerate(names)]


def _summary(runs: list[_Run]) -> list[str]:
    from nnp.analysis.compare import differences

    lines = []
    for run in runs:
        temperature = run.analysis["mean temperature"]
        lines.append(
            f"{run.name:<18}{run.outcome.ns_per_day:8.3g} ns/day  temperature "
            f"{temperature.value:.1f} ± {temperature.error:.1f} K"
        )
    first, second = (run.analysis for run in runs)
    apart = next(d for d in differences(first, second) if d.curve == "rdf")
    lines.append(
        f"g(r) up to {_R_MAX:g} Å, second halves of both runs: they differ by "
        f"{apart.found:.3f} (rms);"
    )
    lines.append(f"{'':<12}sampling alone would give {apart.expected:.3f}")
    lines.append(f"trajectories {', '.join(str(run.outputs.trajectory) for run in runs)}")
    return lines
