"""Where ``pair_style nnp`` is, which comes with the distribution nnp-lammps (folder ``lammps``)."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

_GROUP, _NAME, _FILE = "lammps.plugins", "nnp", "nnpplugin.so"
_PATH = "LAMMPS_PLUGIN_PATH"


def find_plugin() -> Path | None:
    """The plugin's file: from ``LAMMPS_PLUGIN_PATH``, as LAMMPS looks first, else as installed.

    None where there is none.
    """
    for folder in filter(None, os.environ.get(_PATH, "").split(":")):
        if (named := Path(folder) / _FILE).is_file():
            return named
    for entry in metadata.entry_points(group=_GROUP):
        if entry.name == _NAME:
            plugin = Path(entry.load()()) / _FILE
            return plugin if plugin.is_file() else None
    return None


def plugin_environment() -> dict[str, str]:
    """What a LAMMPS that is started without its ``lmp`` of Python has to know of the plugin."""
    plugin = find_plugin()  # tells NNP_LIBRARY too
    if plugin is None:
        return {}
    paths = [str(plugin.parent), os.environ.get(_PATH, "")]
    return {_PATH: ":".join(filter(None, paths))}
