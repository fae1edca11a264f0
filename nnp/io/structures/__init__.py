"""Structures in and out, as ``ase.Atoms``: one reader and one writer for everything.

- `formats`: the table of what each format means, and how a file is recognised
- `source`, `reading`: options, and the way in; `report`: the line of what was understood
- `xyz`, `comment_cells`, `xsf`, `lammps`, `lammps_dump`, `lammps_data`, `residues`, `ase_db`,
  `frames`: formats that ASE reads only in part
- `names`: elements from names, types, masses; `velocities`: columns without a unit
- `labels`: which energies, forces and stresses are labels, and which predictions
- `plausible`: distances and densities that no matter has
- `writing`, `round_trip`: the way out, and what a format does not hold
"""

from nnp.io.structures.formats import (
    FORMATS,
    Format,
    is_input_data,
    is_input_data_name,
)
from nnp.io.structures.frames import from_frame, to_frame
from nnp.io.structures.labels import LabelKeys, Labels, labels_of, require_keys
from nnp.io.structures.names import ElementNames
from nnp.io.structures.plausible import closest_pair
from nnp.io.structures.reading import Reading, read, read_structures
from nnp.io.structures.source import ReadOptions
from nnp.io.structures.writing import (
    check_target,
    extxyz_bytes,
    is_structure_name,
    write_structures,
)

__all__ = [
    "FORMATS",
    "ElementNames",
    "Format",
    "LabelKeys",
    "Labels",
    "ReadOptions",
    "Reading",
    "check_target",
    "closest_pair",
    "extxyz_bytes",
    "from_frame",
    "is_input_data",
    "is_input_data_name",
    "is_structure_name",
    "labels_of",
    "read",
    "read_structures",
    "require_keys",
    "to_frame",
    "write_structures",
]
