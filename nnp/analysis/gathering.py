"""The one pass over a trajectory: structure from some frames, paths and scalars from all."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnp.analysis.rdf import PairCounts
from nnp.analysis.settings import AnalysisSettings
from nnp.analysis.spool import Spool
from nnp.analysis.trajectories import Frame, Trajectory
from nnp.analysis.unwrap import Unwrapper
from nnp.errors import NNPError, StructureError
from nnp.structure import Structure
from nnp.terminal import progress_bar
from nnp.units import BAR, BOLTZMANN, EV_PER_U_A2_FS2, FS_PER_PS, U_PER_A3_IN_G_CM3

Floats = NDArray[np.float64]

# Frames that are kept for angles: bonds are known when all distances are.
_KEPT_FRAMES, _KEPT_BYTES = 100, 32 * 2**20


@dataclass(eq=False)
class Gathered:
    """What a pass has brought together.

    Attributes:
        pairs: counted distances; None without a cell.
        kept: structures for angles with their blocks.
        paths: unwrapped displacements (t, 3 n), Å; None where not wanted.
        velocities: (t, 3 n), Å/fs; None where the file has none.
        columns: scalars of each frame, as columns of a log.
        frames: how many were taken, for everything and for structure.
        unwrapper: which followed the atoms.
    """

    pairs: PairCounts | None
    paths: Spool | None
    velocities: Spool | None
    unwrapper: Unwrapper
    kept: list[tuple[Structure, int]] = field(default_factory=list)
    columns: dict[str, list[float]] = field(default_factory=dict)
    frames: int = 0
    structures: int = 0

    def close(self) -> None:
        """Give the disk back."""
        for spool in (self.paths, self.velocities):
            if spool is not None:
                spool.close()


def gather(
    trajectory: Trajectory,
    wanted: range,
    settings: AnalysisSettings,
    dynamics: bool,
    quiet: bool = True,
) -> Gathered:
    """Read the frames once.

    Args:
        trajectory: what is read.
        wanted: numbers of the frames.
        settings: see there.
        dynamics: whether paths and velocities are kept.
        quiet: without a progress bar.

    Raises:
        NNPError: a frame is broken, has other atoms or no usable cell; names it.
    """
    n, numbers = len(trajectory), trajectory.numbers
    stride = max(1, -(-len(wanted) // settings.structure_frames))
    structures = -(-len(wanted) // stride)
    pairs = None
    if trajectory.periodic:
        pairs = PairCounts(numbers, structures, settings.r_max, settings.bins, settings.blocks)
    paths = Spool(3 * n, len(wanted)) if dynamics else None
    found = Gathered(pairs, paths, None, Unwrapper(trajectory.masses, trajectory.pbc))
    most = max(1, min(_KEPT_FRAMES, _KEPT_BYTES // (24 * n)))
    keep = max(1, -(-structures // most))
    frames = trajectory.frames(wanted.start, wanted.stop, wanted.step)
    bar = progress_bar(frames, total=len(wanted), unit="frame", disable=True if quiet else None)
    try:
        for frame, number in zip(bar, wanted, strict=False):  # the bar counts to its end
            _check(frame, trajectory, number)
            _follow(found, frame, trajectory, len(wanted))
            _scalars(found, frame, trajectory)
            if found.frames % stride == 0 and pairs is not None:
                structure = Structure(frame.positions, numbers, frame.cell, trajectory.pbc)
                _count(pairs, structure, trajectory, number)
                if found.structures % keep == 0:
                    block = found.structures * settings.blocks // structures
                    found.kept.append((structure, block))
                found.structures += 1
            found.frames += 1
    except BaseException:
        found.close()
        raise
    return found


def _check(frame: Frame, trajectory: Trajectory, number: int) -> None:
    if not np.isfinite(frame.positions).all():
        raise StructureError(f"{trajectory.path}, frame {number}: a position is not finite")
    if trajectory.periodic and abs(np.linalg.det(frame.cell)) < 1e-6:
        raise StructureError(
            f"{trajectory.path}, frame {number} has no cell, but the first one has one: give a "
            "trajectory with a cell in every frame"
        )


def _count(pairs: PairCounts, structure: Structure, trajectory: Trajectory, number: int) -> None:
    try:
        pairs.add(structure)
    except NNPError as error:
        raise StructureError(f"{trajectory.path}, frame {number}: {error}") from None


def _follow(found: Gathered, frame: Frame, trajectory: Trajectory, count: int) -> None:
    if found.paths is None:
        return
    found.paths.add(found.unwrapper.follow(frame.positions, frame.cell).ravel())
    if frame.velocities is None:
        return
    if found.velocities is None:
        if found.frames:  # not in all frames
            return
        found.velocities = Spool(3 * len(trajectory), count)
    weights = trajectory.masses / trajectory.masses.sum()
    found.velocities.add((frame.velocities - weights @ frame.velocities).ravel())


def _scalars(found: Gathered, frame: Frame, trajectory: Trajectory) -> None:
    kinetic = temperature = volume = density = pressure = np.nan
    masses = trajectory.masses
    if trajectory.periodic:
        volume = float(abs(np.linalg.det(frame.cell)))
        density = float(masses.sum()) / volume * U_PER_A3_IN_G_CM3
    if frame.velocities is not None:
        kinetic = 0.5 * float(masses @ (frame.velocities**2).sum(axis=1)) * EV_PER_U_A2_FS2
        temperature = 2 * kinetic / (3 * len(masses) * BOLTZMANN)
        if frame.stress is not None and trajectory.periodic:
            pressure = (2 * kinetic / (3 * volume) - np.trace(frame.stress) / 3) / BAR
    values = {
        "time_ps": frame.time_fs / FS_PER_PS,
        "potential_energy_eV": frame.energy,
        "kinetic_energy_eV": kinetic,
        "total_energy_eV": frame.energy + kinetic,
        "temperature_K": temperature,
        "volume_A3": volume,
        "density_g_cm3": density,
        "pressure_bar": pressure,
    }
    for name, value in values.items():
        found.columns.setdefault(name, []).append(value)
