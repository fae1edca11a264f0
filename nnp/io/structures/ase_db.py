"""ASE's databases (db, json): read and written row by row, with what a structure says of itself.

ASE's own ``read`` and ``write`` drop ``atoms.info`` and columns of other names; a row has room for
them in its ``data``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase.db
from ase import Atoms

from nnp.errors import FileFormatError
from nnp.io.structures.labels import PREDICTED_BY, REFERENCE
from nnp.io.structures.source import Source

# Where in a row's ``data`` we keep it.
_OURS = "nnp"


def read(source: Source) -> list[Atoms]:
    """Read every row.

    Raises:
        FileFormatError: it is not a database.
    """
    kind = "json" if source.path.suffix == ".json" else "db"
    frames = []
    try:
        with ase.db.connect(str(source.path), type=kind, use_lock_file=False) as database:  # type: ignore[no-untyped-call]
            for row in database.select():
                atoms = row.toatoms()
                atoms.info.update(row.key_value_pairs)
                atoms.info.update(row.data.get(_OURS, {}))
                frames.append(atoms)
    except Exception as error:
        raise FileFormatError(
            f"{source.path} cannot be read: {type(error).__name__}: {error}"
        ) from error
    return frames


def write(frames: Sequence[Atoms], path: Path, kind: str) -> None:
    """Write one row each, labels beside predictions included."""
    with ase.db.connect(str(path), type=kind, append=False, use_lock_file=False) as database:  # type: ignore[no-untyped-call]
        for atoms in frames:
            database.write(atoms, data={_OURS: marks(atoms)})


def marks(atoms: Any) -> dict[str, Any]:
    """What says which energies are predictions, and the labels beside them."""
    held = {**atoms.arrays, **atoms.info}
    return {
        str(name): value
        for name, value in held.items()
        if name == PREDICTED_BY or str(name).startswith(REFERENCE)
    }


READERS = {"json": read, "db": read}
