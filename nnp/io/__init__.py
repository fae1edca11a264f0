"""Reading and writing potentials and structures; one format per module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnp.errors import FileFormatError, OptionError
from nnp.io import model, n2p2
from nnp.units import UnitSystem, unit_system

if TYPE_CHECKING:
    from nnp.potential import Potential

__all__ = ["load", "model", "n2p2"]


def load(path: str | Path, units: str | tuple[str, str] | UnitSystem | None = None) -> Potential:
    """Read a potential.

    Args:
        path: a one-file model, or the directory of an n2p2 or RuNNer potential.
        units: the units of a directory's files, see `units.unit_system`; bohr and hartree unless
            told, for the files do not say. A one-file model carries its own.

    Raises:
        FileFormatError: the path is missing, or its content breaks the format.
        OptionError: unknown units, or units for a one-file model.

    >>> import nnp
    >>> potential = nnp.load("potential-directory", units="metal")  # doctest: +SKIP
    """
    path = Path(path)
    try:
        is_directory, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None
    if is_directory:
        return n2p2.read(path, unit_system(units))
    if not exists:
        raise FileFormatError(f"{path} does not exist: give a model file or an n2p2 directory")
    if units is not None:
        raise OptionError(
            f"units={units!r} for {path}: a one-file model carries its own units; leave it out"
        )
    return model.read(path)
