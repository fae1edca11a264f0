"""Runs of `nnp.md` with either model, and what is read off them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.md.analysis import DiffusionCoefficient
from ase.units import fs

from md_parts.models import Model
from nnp.md import MDSettings, Outputs, Runner, read_log
from nnp.metrics import block_average

_TIMESTEP = 1.0  # fs; at 3000 K an atom moves a sixtieth of a bond in it
_FRAME_INTERVAL = 20  # steps
_CM2_PER_S = 0.1 * fs  # from Å² per ASE's unit of time


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        log: columns of the log, the equilibration left out.
        frames: trajectory, the equilibration left out.
        last: where it ended, with velocities.
        ns_per_day: its speed.
    """

    log: dict[str, np.ndarray]
    frames: list[Atoms]
    last: Atoms
    ns_per_day: float

    def mean(self, column: str) -> tuple[float, float]:
        """Mean and its standard error from block averages."""
        value, error = block_average(self.log[column])
        return float(value), float(error)


def run(
    model: Model,
    atoms: Atoms,
    name: str,
    folder: Path,
    steps: int,
    temperature: float | None = None,
    discard: float = 0.3,
) -> Run:
    """Dynamics at constant volume: Langevin at a temperature, or none of it and constant energy.

    Args:
        model: whose forces.
        atoms: where to start; with velocities if it has some.
        name: of the files in ``folder``.
        folder: for log, trajectory and restart.
        steps: of 1 fs.
        temperature: K; None for constant energy.
        discard: share of the run that counts as equilibration.
    """
    settings = MDSettings(
        keep_going=True,  # what a bad potential does is a result here
        ensemble="nve" if temperature is None else "nvt",
        temperature=temperature or 0.0,
        relaxation_time=200.0,
        timestep=_TIMESTEP,
        steps=steps,
        log_interval=_FRAME_INTERVAL,
        frame_interval=_FRAME_INTERVAL,
        restart_interval=steps,
    )
    prefix = folder / f"{model.name.lower()}-{name}"
    outputs = Outputs.named(prefix, force=True)
    outcome = Runner(model.system(atoms), atoms, settings, outputs).run()
    if outcome.interrupted:
        raise SystemExit(f"interrupted: what was written is in {folder}")
    log = read_log(outputs.log)
    frames = ase.io.read(outputs.trajectory, ":")
    return Run(
        log={column: values[int(discard * len(values)) :] for column, values in log.items()},
        frames=frames[int(discard * len(frames)) :],
        last=ase.io.read(outputs.final),
        ns_per_day=outcome.ns_per_day,
    )


def diffusion(constant_energy: Run) -> tuple[float, float]:
    """Self-diffusion coefficient and its standard error, 10⁻⁴ cm²/s, by Einstein's relation."""
    analysis = DiffusionCoefficient(constant_energy.frames, _FRAME_INTERVAL * _TIMESTEP * fs)
    segments = 4
    analysis.calculate(ignore_n_images=0, number_of_segments=segments)
    slopes, deviations = analysis.get_diffusion_coefficients()
    scale = _CM2_PER_S / 1e-4
    return float(slopes[0] * scale), float(deviations[0] * scale / segments**0.5)


def drift(constant_energy: Run) -> float:
    """Slope of the total energy over time, eV per atom and ps."""
    log, atoms = constant_energy.log, len(constant_energy.last)
    return float(np.polyfit(log["time_ps"], log["total_energy_eV"], 1)[0] / atoms)
