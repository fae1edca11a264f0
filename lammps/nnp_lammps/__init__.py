"""Where LAMMPS finds ``pair_style nnp``: the entry point of group ``lammps.plugins``."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

__version__ = "0.2.0"


def plugin_folder() -> str:
    """The folder of ``nnpplugin.so``; tells it where libnnp of the installed package nnp lies.

    LAMMPS calls it whenever it starts: it imports nothing and fails never. Without nnp the pair
    style says so when it is used.
    """
    spec = importlib.util.find_spec("nnp")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        library = Path(folder) / "lib" / "libnnp.so.3"
        if library.is_file():
            os.environ.setdefault("NNP_LIBRARY", str(library))
    return str(Path(__file__).resolve().parent)
