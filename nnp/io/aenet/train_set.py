"""ænet's training sets, ``.train``: what generate.x makes of structures, as records or as text.

They hold no cells: what they are good for is which files were read, with which atomic energies and
set-ups, and to see that the files are still the same. Energies are cohesive, eV.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnp.errors import FileFormatError
from nnp.io.aenet.binary import Records, is_binary
from nnp.io.aenet.fields import Fields, read_setup_fields
from nnp.io.aenet.record import checked_count
from nnp.io.aenet.setup import Setup, read_setup
from nnp.io.aenet.text import TextFields

DERIVATIVES = ".forces"  # ending of the file of derivatives beside a training set
_MOST_TYPES = 118


@dataclass(frozen=True, eq=False)
class Entry:
    """One structure.

    Attributes:
        file: that it was read from, as generate.in names it.
        symbols: of its atoms.
        positions: (n, 3) Å.
        forces: (n, 3) eV/Å.
        energy: cohesive, eV.
    """

    file: str
    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    forces: NDArray[np.float64]
    energy: float


@dataclass(frozen=True, eq=False)
class TrainSet:
    """A training set.

    Attributes:
        path: the file.
        energies: of single atoms by element, in the order of TYPES, eV.
        entries: the structures.
        setups: by element; empty where the file has none.
    """

    path: Path
    energies: dict[str, float]
    entries: tuple[Entry, ...]
    setups: dict[str, Setup]


def looks_like_train_set(path: Path, head: bytes) -> bool:
    """Whether a file is a training set, by its first records or its name and first lines."""
    if path.name.endswith(f".train{DERIVATIVES}"):
        return True
    if head[:4] == struct.pack("<i", 4):
        types = int.from_bytes(head[4:8], "little")
        if not 0 < types <= _MOST_TYPES or len(head) < 40 + 10 * types:
            return False
        # both counts, then names of two characters and as many energies
        lengths = (head[12:16], head[24:28], head[32 + 2 * types : 36 + 2 * types])
        return lengths == tuple(struct.pack("<i", n) for n in (4, 2 * types, 8 * types))
    words = head[:200].split()[:2]
    return ".train" in path.name and len(words) == 2 and all(word.isdigit() for word in words)


def read_train_set(path: str | Path) -> TrainSet:
    """Read a ``.train``, ``.train.scaled``, or what ænet's trainbin2ASCII makes of them.

    Raises:
        FileFormatError: cut, damaged, or something else.
    """
    path = Path(path)
    if path.name.endswith(DERIVATIVES):
        raise FileFormatError(
            f"{path} holds derivatives of fingerprints only: give {path.name[: -len(DERIVATIVES)]}"
        )
    binary = is_binary(path)
    r: Fields = Records(path) if binary else TextFields(path)
    n_types, n_structures = r.integer(), r.integer()
    checked_count(n_types, "the number of elements", path, 1)
    checked_count(n_structures, "the number of structures", path, 1)
    types, energies = r.words(n_types), r.reals(n_types).tolist()
    r.logical()
    scale, shift = r.real(), r.real()
    if not scale > 0:
        raise FileFormatError(f"{path}: the scale of its energies is {scale}")
    setups: dict[str, Setup] = {}
    if not binary:  # where the text has them
        setups = _setups(r, path, n_types)
    entries = tuple(_entry(r, path, types, scale, shift) for _ in range(n_structures))
    if binary:
        setups = _setups(r, path, n_types)
    return TrainSet(path, dict(zip(types, energies, strict=True)), entries, setups)


def setup_in(path: str | Path, symbol: str) -> Setup:
    """An element's set-up from a ``.stp`` or a training set.

    Raises:
        FileFormatError: the file breaks its format, or is a training set without this set-up.
    """
    path = Path(path)
    if ".train" not in path.name:
        return read_setup(path)
    found = read_train_set(path).setups
    if symbol not in found:
        raise FileFormatError(f"{path} has set-ups of {', '.join(found) or 'nothing'}")
    return found[symbol]


def _entry(r: Fields, path: Path, types: tuple[str, ...], scale: float, shift: float) -> Entry:
    r.integer()  # characters of the name
    file = r.text().strip()
    n_atoms = int(r.integers(2)[0])
    checked_count(n_atoms, f"the number of atoms of {file}", path, 1)
    energy = r.real() / scale + n_atoms * shift
    symbols, positions, forces = [], [], []
    for _ in range(n_atoms):
        kind = r.integer()
        if not 1 <= kind <= len(types):
            raise FileFormatError(f"{path}: an atom of {file} has type {kind} of {len(types)}")
        symbols.append(types[kind - 1])
        positions.append(r.reals(3))
        forces.append(r.reals(3) / scale)
        r.reals(checked_count(r.integer(), "the number of functions", path))
    return Entry(file, tuple(symbols), np.array(positions), np.array(forces), energy)


def _setups(r: Fields, path: Path, n_types: int) -> dict[str, Setup]:
    """All that stands behind the structures, or in text before them."""
    r.integer()
    r.reals(3)
    if not r.logical():
        return {}
    found: dict[str, Setup] = {}
    for _ in range(n_types):
        r.integer()  # number of the element
        fields = read_setup_fields(r, path)
        found[fields.central] = Setup(
            path, fields.central, fields.environment, fields.basis.lower(), fields.kinds,
            fields.parameters, fields.neighbors, tuple(fields.description.split("$$")),
            fields.r_min,
        )  # fmt: skip
    return found
