"""One run or minimisation of ``nnp md``, with what it says to people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnp.cli.md_summary import closing_lines
from nnp.errors import NNPError, OptionError
from nnp.values import counted

if TYPE_CHECKING:
    from nnp.md import MDSettings, Outcome, Outputs, RelaxSettings

INTERRUPTED = 130


def run_and_say(
    potential: Any,
    atoms: Any,
    settings: MDSettings,
    outputs: Outputs,
    machine: dict[str, Any],
    restart: str | Path | None,
    pictures: bool,
) -> Outcome:
    """Make all steps of a run.

    Args:
        potential: moves the atoms.
        atoms: where the run begins.
        settings: of the run.
        outputs: its files.
        machine: route, platform, engine and its options.
        restart: what is continued, or None.
        pictures: whether they are drawn.
    """
    from nnp.md import Runner
    from nnp.md.restart import read_restart
    from nnp.openmm import create_system, to_openmm
    from nnp.pictures.run import draw

    system = create_system(potential, to_openmm(atoms), **machine)
    runner = Runner(
        system, atoms, settings, outputs, machine["platform"], restart, machine, potential
    )
    print(f"{counted(len(atoms), 'atom')}, {settings.description}")
    if restart is not None:
        fresh = "" if runner.seamless else ", with fresh random numbers"
        print(f"continuing {restart}{fresh}")
        if runner.changes:
            print(f"segment {runner.segment} begins: {', '.join(runner.changes)}")
        if read_restart(restart).step == settings.steps:
            print(f"all {settings.steps} steps were made: only the final state is written")
    elif "momenta" not in atoms.arrays:
        print(f"velocities are drawn at {settings.temperature:g} K")
    outcome = runner.run(show_progress=True)
    print(f"step {outcome.step}, {outcome.ns_per_day:.3g} ns/day")
    print("\n".join(closing_lines(potential, atoms, outputs, outcome)))
    if pictures:
        print("\n".join(draw(outputs, settings, bool(atoms.pbc.all()))))
    return outcome


def check_beforehand(
    potential: Any, atoms: Any, runs: Mapping[str, MDSettings], machine: dict[str, Any]
) -> None:
    """Refuse what a run would refuse when it begins, before anything is computed for its start.

    Args:
        potential: moves the atoms.
        atoms: where the first run begins.
        runs: one after the other, by what messages call them.
        machine: route, platform, engine and its options.

    Raises:
        NNPError: a platform, an engine, a barostat, a bound that cannot be.
    """
    from nnp.md.ensembles import RECTANGULAR, check_box
    from nnp.md.runner import check_spread
    from nnp.openmm import check_platform, create_system, to_openmm

    start = to_openmm(atoms)
    check_platform(create_system(potential, start, **machine), machine["platform"])
    fixed = bool(len(start.constraints.fixed)) or not start.masses.all()
    sheared = ""
    for name, settings in runs.items():
        try:
            check_box(start, settings, fixed)
            check_spread(settings, bool(getattr(potential, "members", ())))
            npt = settings.ensemble == "npt"
            if sheared and npt and settings.barostat in RECTANGULAR:
                raise OptionError(
                    f"barostat={settings.barostat!r} needs a rectangular box, and 'flexible' of "
                    f"{sheared} changes its angles: use 'flexible' or 'isotropic'"
                )
        except NNPError as error:
            raise type(error)(f"{name}: {error}" if name else str(error)) from None
        if npt and settings.barostat == "flexible":
            sheared = name


def relax_and_say(
    potential: Any, atoms: Any, settings: RelaxSettings, machine: Mapping[str, Any]
) -> Any:
    """The structure at its minimum, with the velocities that it had.

    Args:
        potential: whose minimum.
        atoms: where it begins.
        settings: of the minimisation.
        machine: ``engine`` and ``threads``, where they are said.

    Raises:
        NumericalError: the tolerance is not reached.
    """
    from nnp.md import relax

    engine = {name: machine[name] for name in ("engine", "threads") if name in machine}
    found = relax(potential, atoms, settings, **engine)
    print(
        f"minimised in {counted(found.steps, 'step')}: largest force "
        f"{found.first.largest_force:.4g} → {found.largest_force:.4g} eV/Å,\n"
        f"  energy {found.first.energy:.4f} → {found.last.energy:.4f} eV"
    )
    found.require(settings, ": nnp relax shows its steps")
    moved = atoms.copy()
    moved.positions = found.atoms.positions
    return moved
