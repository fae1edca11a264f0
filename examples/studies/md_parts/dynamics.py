"""Runs of `nnp.md` with either model, and what `nnp.analysis` reads off them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import ase.io
from ase import Atoms

from md_parts.models import Model
from nnp.analysis import Analysis, AnalysisSettings, Quantity, analyse
from nnp.md import MDSettings, Outputs, Runner

_TIMESTEP = 1.0  # fs; at 3000 K an atom moves a sixtieth of a bond in it
_LONGEST_INTERVAL = 20  # steps between two frames
_FEWEST_FRAMES = 100  # of a run, however short
_EQUILIBRATION = 0.3  # share of a run that is left out


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        analysis: of its trajectory and log, the equilibration left out.
        last: where it ended, with velocities.
        ns_per_day: its speed.
    """

    analysis: Analysis
    last: Atoms
    ns_per_day: float

    def told(self, name: str) -> Quantity | None:
        """A number of the analysis; None where the run is too short for it."""
        return next((one for one in self.analysis.quantities if one.name == name), None)


def run(
    model: Model,
    atoms: Atoms,
    name: str,
    folder: Path,
    steps: int,
    temperature: float | None = None,
    settings: AnalysisSettings | None = None,
) -> Run:
    """Dynamics at constant volume: Langevin at a temperature, or none of it and constant energy.

    Args:
        model: whose forces.
        atoms: where to start; with velocities if it has some.
        name: of the files in ``folder``.
        folder: for log, trajectory and restart.
        steps: of 1 fs.
        temperature: K; None for constant energy.
        settings: of the analysis; what it cuts is ours.
    """
    interval = max(1, min(_LONGEST_INTERVAL, steps // _FEWEST_FRAMES))
    dynamics = MDSettings(
        keep_going=True,  # what a bad potential does is a result here
        ensemble="nve" if temperature is None else "nvt",
        temperature=temperature or 0.0,
        relaxation_time=200.0,
        timestep=_TIMESTEP,
        steps=steps,
        log_interval=interval,
        frame_interval=interval,
        restart_interval=steps,
    )
    prefix = folder / f"{model.name.lower()}-{name}"
    outputs = Outputs.named(prefix, force=True)
    outcome = Runner(model.system(atoms), atoms, dynamics, outputs).run()
    if outcome.interrupted:
        raise SystemExit(f"interrupted: what was written is in {folder}")
    how = replace(settings or AnalysisSettings(), skip=_EQUILIBRATION)
    return Run(
        analysis=analyse(outputs.trajectory, how),
        last=ase.io.read(outputs.final),
        ns_per_day=outcome.ns_per_day,
    )
