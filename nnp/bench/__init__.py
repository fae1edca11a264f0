"""Speed in molecular dynamics: the engines, and the same potential in a LAMMPS beside them.

`engines` times evaluations one by one, `beside_lammps` runs the same atoms in LAMMPS; the command
is ``nnp bench``. What fills docs/benchmarks.md (OpenMM's routes and LAMMPS's variants in turn, over
sizes) is in the folder ``benchmarks`` of the repository.
"""

from nnp.bench.engines import measure
from nnp.bench.measurement import Measurement, as_record, from_times, machine
from nnp.bench.structures import default_structure, replicated

__all__ = [
    "Measurement",
    "as_record",
    "default_structure",
    "from_times",
    "machine",
    "measure",
    "replicated",
]
