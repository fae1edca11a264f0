"""``nnp predict predict.in``: ænet's input file instead of potential and structures."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from nnp.errors import OptionError
from nnp.io import load
from nnp.io.aenet.keywords import read_predict
from nnp.io.structures import read


def is_predict_in(path: str) -> bool:
    """Whether a path is that of an input file, by its name; a potential may be a folder."""
    return path.endswith(".in") and Path(path).is_file()


def predict_in(arguments: argparse.Namespace) -> None:
    """Print what ænet's predict.x does: cohesive and total energies, and forces where asked.

    A file of structures on the command line replaces FILES.

    Raises:
        OptionError: PATH is no ``predict.in``, so that structures are missing.
    """
    path = Path(arguments.path)
    if path.suffix != ".in":
        raise OptionError(f"STRUCTURES are missing: nnp predict {path} FILE")
    said = read_predict(path)
    potential = load([path.parent / said.networks[symbol] for symbol in said.types])
    names = {name: path.parent / name for name in said.files}
    if arguments.structures is not None:
        names = {arguments.structures: Path(arguments.structures)}
    if not names:
        raise OptionError(f"{path}: FILES names no structure: nnp predict {path} FILE")
    files = potential.provenance["files"]
    atomic = {symbol: float(own["atomic_energy"]) for symbol, own in files.items()}
    for name, place in names.items():
        for atoms in read(place).frames:
            found = potential.evaluate(atoms, arguments.engine, forces=said.forces)
            cohesive = found.energy - sum(atomic[symbol] for symbol in atoms.symbols)
            print(
                f"{name}: {len(atoms)} atoms, cohesive energy {cohesive:.8f} eV, "
                f"total energy {found.energy:.8f} eV"
            )
            columns = []
            if said.atomic_energies:
                columns.append(np.asarray(found.energies)[:, None])
            if found.forces is not None and said.forces:
                columns.append(found.forces)
            for symbol, row in zip(
                atoms.symbols, np.hstack(columns) if columns else [], strict=False
            ):
                print(f"  {symbol:<2}", *(f"{value:14.8f}" for value in row))
