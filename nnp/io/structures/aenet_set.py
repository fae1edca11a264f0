"""ænet's ``.train`` as structures: those of the files it names, for it holds no cells itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms

from nnp.errors import FileFormatError
from nnp.io.aenet.train_set import Entry, read_train_set
from nnp.io.structures import xsf
from nnp.io.structures.source import Source

_SAME_POSITION = 1e-6  # Å
_SAME_ENERGY = 1e-6  # eV per atom


def read(source: Source) -> list[Atoms]:
    """Read the files that a training set names, and see that they still are what it was made of.

    Names are looked for from the folder of the training set on, then as they stand, then beside it.

    Raises:
        FileFormatError: a file that is not there, or that has changed.
    """
    found = read_train_set(source.path)
    frames = [_structure(entry, source, found.energies) for entry in found.entries]
    source.note("structures and labels are those of the files that it names: it holds no cells")
    return frames


def file_of(entry: Entry, folder: Path) -> Path:
    """Where the file of an entry is.

    Raises:
        FileFormatError: nowhere.
    """
    name = Path(entry.file)
    for path in (folder / name, name, folder / name.name):
        if path.is_file():
            return path
    raise FileFormatError(
        f"{entry.file} does not exist, and a training set of ænet holds no cells: put the files "
        f"that generate.x read beside it, under the names they had, or give them instead"
    )


def _structure(entry: Entry, source: Source, energies: dict[str, float]) -> Atoms:
    try:
        path = file_of(entry, source.path.parent)
    except FileFormatError as error:
        raise FileFormatError(f"{source.path}: {error}") from None
    frames = xsf.read(Source(path, source.options))
    if len(frames) != 1 or (what := _difference(frames[0], entry, energies)):
        what = f"{len(frames)} structures" if len(frames) != 1 else what
        raise FileFormatError(
            f"{source.path}: {path} has {what} than when the set was made: create it again with "
            "generate.x, or give the files instead"
        )
    return frames[0]


def _difference(atoms: Atoms, entry: Entry, energies: dict[str, float]) -> str:
    """What is not as in the set; nothing where all is."""
    if tuple(atoms.symbols) != entry.symbols:
        return "other atoms"
    apart = entry.positions - atoms.positions
    if atoms.cell.rank == 3:  # ænet moves atoms by whole vectors
        apart -= np.round(apart @ np.linalg.inv(atoms.cell.array)) @ atoms.cell.array
    else:  # ænet puts what has no cell into one, wherever that is
        apart -= apart[0]
    if np.abs(apart).max() > _SAME_POSITION:
        return "other positions"
    energy = None if atoms.calc is None else atoms.calc.results.get("energy")
    if energy is None:
        return "another energy"
    off = sum(energies[symbol] for symbol in entry.symbols)
    bound = _SAME_ENERGY * len(atoms)
    if min(abs(energy - off - entry.energy), abs(energy - entry.energy)) > bound:
        return "another energy"
    return ""
