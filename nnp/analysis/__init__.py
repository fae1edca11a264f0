"""Analysis of molecular dynamics runs, and properties of crystals.

    from nnp.analysis import analyse
    found = analyse("md.extxyz")
    found["diffusion O"], found.curves["rdf"]

- `trajectories`: files frame by frame; `production`, `equilibration`: which frames count
- `analyse`: everything, by `gathering` (one pass) and `parts`; `settings`; `results`, `writing`
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
