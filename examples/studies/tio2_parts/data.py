"""The 1,000 structures of TiO2 with forces that aenet-PyTorch comes with, in its own split."""

from __future__ import annotations

import json
import os
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.io.structures import read

# eV; the labels are total energies.
ATOMIC = {"Ti": -1604.604515075, "O": -432.503149303}
# Errors over the test set: Chebyshev 6.5 Å/20, 5.0 Å/6, 5-5 neurons, 9,900 epochs of AdamW.
PUBLISHED = {
    "energy MAE / meV/atom": 5.42,
    "energy RMSE / meV/atom": 7.74,
    "force MAE / eV/Å": 0.152,
    "force RMSE / eV/Å": 0.224,
}
# The perfect crystals among them, by space group: 136, 141 and 61.
GROUPS = {"rutile": 136, "anatase": 141, "brookite": 61}
_SAME_SHAPE = 0.02  # of the ratios of edges: brookite's curve at one shape of the cell


@dataclass(frozen=True)
class Data:
    """Structures by file name, each with its labels."""

    train: dict[str, Atoms]
    test: dict[str, Atoms]

    @property
    def all(self) -> dict[str, Atoms]:
        """Both sets."""
        return {**self.train, **self.test}


def read_data(folder: Path, most: int | None = None) -> Data:
    """Unpack and read.

    Args:
        folder: for the files.
        most: of training structures; a quarter as many for testing; None: all.
    """
    place = os.environ.get("NNP_REFERENCE_DATA")
    source = Path(place or "") / "tio2"
    if place is None or not source.is_dir():
        sys.exit("tio2: the data are not at hand: set NNP_REFERENCE_DATA to the folder of tio2/")
    if not (folder / "dir_xsf").is_dir():
        with tarfile.open(source / "dir_xsf.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    split = json.loads((source / "split.json").read_text(encoding="utf-8"))
    names = {"train": split["train"][:most], "test": split["test"][: most and most // 4]}
    return Data(*({n: _labelled(folder / "dir_xsf" / n) for n in names[part]} for part in names))


def _labelled(path: Path) -> Atoms:
    reading = read(path)
    atoms: Atoms = reading.frames[0]
    atoms.calc = SinglePointCalculator(atoms, **reading.labels[0].results())
    return atoms


def cohesive(atoms: Atoms, energy: float) -> float:
    """EV per TiO2."""
    off = sum(ATOMIC[symbol] for symbol in atoms.symbols)
    return 3 * (energy - off) / len(atoms)


def crystals(frames: dict[str, Atoms]) -> dict[str, list[tuple[str, Atoms]]]:
    """Name and structure of the perfect crystals of each phase, by volume."""
    import spglib

    found: dict[str, list[tuple[str, Atoms]]] = {phase: [] for phase in GROUPS}
    for name, atoms in frames.items():
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        symmetry = spglib.get_symmetry_dataset(cell, symprec=0.1)
        for phase, number in GROUPS.items():
            if symmetry is not None and symmetry.number == number:
                found[phase].append((name, atoms))
    found["brookite"] = _of_one_shape(found["brookite"])
    for own in found.values():
        own.sort(key=lambda pair: pair[1].get_volume() / len(pair[1]))
    return found


def _of_one_shape(own: list[tuple[str, Atoms]]) -> list[tuple[str, Atoms]]:
    def shape(atoms: Atoms) -> list[float]:
        edges = sorted(atoms.cell.lengths())
        return [edges[0] / edges[2], edges[1] / edges[2]]

    if not own:
        return own
    _, best = min(own, key=lambda pair: pair[1].get_potential_energy() / len(pair[1]))
    wanted = shape(best)
    return [
        (name, atoms)
        for name, atoms in own
        if all(abs(a / b - 1) < _SAME_SHAPE for a, b in zip(shape(atoms), wanted, strict=True))
    ]
