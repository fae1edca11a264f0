"""The units that a potential's files were taken in, said and checked."""

from __future__ import annotations

import warnings
from pathlib import Path
from zipfile import is_zipfile

from nnp.io.n2p2 import unit_warning
from nnp.potential import Potential
from nnp.units import METAL

_N2P2 = "n2p2 directory"
UNKNOWN_RANGES = "whether atoms extrapolate is not known: the potential states no training ranges"


def say_units(potential: Potential, path: str, told: bool) -> None:
    """Print the units that a potential's files were taken in, and warn where they look wrong.

    Args:
        potential: what was read.
        path: from where.
        told: whether the units were given; where they were not, reading has warned.
    """
    source = potential.provenance.get("source")
    directory = Path(path).is_dir() and source == _N2P2
    if directory:
        assumed = "" if told else " (assumed: they do not state their units; --units does)"
        print(f"{path}: files in {potential.units}{assumed}")
    else:
        kind = _kind(potential, Path(path))
        origin = "" if potential.units == METAL else f", from files in {potential.units}"
        print(f"{path}: {kind} in Å and eV{origin}")
    if not (told if directory else source == _N2P2):
        return
    if warning := unit_warning(potential, model=not directory):
        warnings.warn(f"{path}: {warning}", stacklevel=3)


def _kind(potential: Potential, path: Path) -> str:
    """What the file is; of NEP and ænet, which have one unit only, their names."""
    if path.suffix == ".txt":
        return str(potential.provenance.get("format"))
    of_aenet = potential.provenance.get("source") == "aenet"
    if of_aenet and (path.is_dir() or (path.is_file() and not is_zipfile(path))):
        return "ænet files"
    return "one-file model"
