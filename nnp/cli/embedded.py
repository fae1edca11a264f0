"""Potentials that come with the package, by name."""

from __future__ import annotations

import warnings
from importlib import resources
from pathlib import Path

from nnp.errors import FileFormatError, UnavailableError
from nnp.io import load
from nnp.io.n2p2 import unit_warning
from nnp.io.scratch import is_put_aside
from nnp.potential import Potential

_SUFFIX = ".nnp"


def embedded_names() -> list[str]:
    """Names that stand for a potential in place of a path, such as ``silicon_sw``."""
    folder = resources.files("nnp").joinpath("data")
    if not folder.is_dir():
        return []
    names = (file.name for file in folder.iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))


def load_embedded(name: str) -> Potential:
    """The potential of this name.

    Raises:
        UnavailableError: it is not in this installation.
    """
    if name not in embedded_names():
        raise UnavailableError(
            f"the potential {name} is not in this installation: reinstall the package"
        )
    with resources.as_file(resources.files("nnp") / "data" / f"{name}{_SUFFIX}") as path:
        return load(path)


def load_path_or_name(path: str, units: str | None = None) -> Potential:
    """The potential at a path; where nothing is, the embedded one of that name.

    Raises:
        FileFormatError: there is neither.
        OptionError: as `nnp.io.load`.
    """
    if Path(path).exists() or is_put_aside(Path(path)) or units is not None:
        return load(path, units)
    if path in embedded_names():
        return load_embedded(path)
    raise FileFormatError(
        f"{path} does not exist: give a model file, an n2p2 directory, or a name that comes with "
        f"the package: {', '.join(embedded_names())}"
    )


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
