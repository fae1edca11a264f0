"""The units that a potential's files were taken in, said and checked."""

from __future__ import annotations

import warnings
from pathlib import Path

from nnp.io.n2p2 import unit_warning
from nnp.potential import Potential


def say_units(potential: Potential, path: str, told: bool) -> None:
    """Print the units that a potential's files were taken in, and warn where they look wrong.

    Args:
        potential: what was read.
        path: from where.
        told: whether the units were given; where they were not, reading has warned.
    """
    directory = Path(path).is_dir()
    if directory:
        assumed = "" if told else " (assumed: they do not say; --units does)"
        print(f"{path}: files in {potential.units}{assumed}")
    else:
        print(f"{path}: one-file model in Å and eV, from files in {potential.units}")
    converted = potential.provenance.get("source") == "n2p2 directory"
    if not (told if directory else converted):
        return
    if warning := unit_warning(potential, model=not directory):
        warnings.warn(f"{path}: {warning}", stacklevel=3)
