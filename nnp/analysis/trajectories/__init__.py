"""Trajectories of any format, frame by frame, so that memory does not grow with their length.

- `base`: what a frame and a trajectory are
- `extxyz`, `lammps`, `ase_files`, `mdanalysis`: the formats
- `opening`: which file is of which
"""

from nnp.analysis.trajectories.ase_files import AtomsList
from nnp.analysis.trajectories.base import Frame, Outline, Trajectory
from nnp.analysis.trajectories.opening import open_trajectory

__all__ = ["AtomsList", "Frame", "Outline", "Trajectory", "open_trajectory"]
