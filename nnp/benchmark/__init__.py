"""Speed in molecular dynamics: the engines alone, OpenMM with a potential, LAMMPS beside it.

`engines` times an engine's evaluations one by one. `comparison` runs the same system in OpenMM and
in any LAMMPS, in turn, over several sizes; ``nnp bench`` is its command.
"""

from nnp.benchmark.engines import measure
from nnp.benchmark.measurement import Measurement, as_record, from_times, machine
from nnp.benchmark.pictures import draw
from nnp.benchmark.structures import default_structure, replicated

__all__ = [
    "Measurement",
    "as_record",
    "default_structure",
    "draw",
    "from_times",
    "machine",
    "measure",
    "replicated",
]
