"""What a run of molecular dynamics tells, and what a potential says of a crystal.

    from nnp.analysis import analyse
    found = analyse("md.extxyz")
    found["diffusion O"], found.curves["rdf"]

- `trajectories`: files frame by frame; `production`, `equilibration`: which frames count
- `analyse`: all of it, by `gathering` (the one pass) and `parts`; `settings`; `results`, `writing`
- `rdf`, `structure_factor`, `angles`: structure
- `unwrap`, `spool`, `correlation`, `diffusion`, `vibrations`: motion
- `thermodynamics`, `blocks`: averages, fluctuations, errors
- `eos`: energy over volume, elastic constants, phonons
"""

from nnp.analysis.analyse import analyse
from nnp.analysis.results import Analysis, Curve, Quantity
from nnp.analysis.settings import AnalysisSettings
from nnp.analysis.trajectories import AtomsList, Trajectory, open_trajectory
from nnp.analysis.writing import read_analysis, write_analysis

__all__ = [
    "Analysis",
    "AnalysisSettings",
    "AtomsList",
    "Curve",
    "Quantity",
    "Trajectory",
    "analyse",
    "open_trajectory",
    "read_analysis",
    "write_analysis",
]
