"""The units that a potential's files were taken in, said and checked."""

from __future__ import annotations

import warnings
from pathlib import Path

from nnp.io.n2p2 import unit_warning
from nnp.potential import Potential
from nnp.units import METAL

UNKNOWN_RANGES = "whether atoms extrapolate is not known: the potential states no training ranges"


def say_units(potential: Potential, path: str, told: bool) -> None:
    """Print the units that a potential's files were taken in, and warn where they look wrong.

    Args:
        potential: what was read.
        path: from where.
        told: whether the units were given; where they were not, reading has warned.
    """
    directory = Path(path).is_dir()
    if directory:
        assumed = "" if told else " (assumed: they do not state their units; --units does)"
        print(f"{path}: files in {potential.units}{assumed}")
    else:
        kind = potential.provenance.get("format") if path.endswith(".txt") else "one-file model"
        origin = "" if potential.units == METAL else f", from files in {potential.units}"
        print(f"{path}: {kind} in Å and eV{origin}")
    converted = potential.provenance.get("source") == "n2p2 directory"
    if not (told if directory else converted):
        return
    if warning := unit_warning(potential, model=not directory):
        warnings.warn(f"{path}: {warning}", stacklevel=3)
