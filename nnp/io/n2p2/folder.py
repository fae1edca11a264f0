"""What else lies in a potential's directory: weights under other names, files of 4G potentials."""

from __future__ import annotations

import warnings
from pathlib import Path

from nnp.elements import atomic_number
from nnp.errors import FileFormatError
from nnp.io.n2p2.networks import weights_name

# What charges and electrostatics leave in a directory: networks, hardness.
_CHARGES = ("weightse.*.data", "hardness.*.data")


def weights_file(directory: Path, element: str) -> Path:
    """The file of an element's weights.

    RuNNer writes its best ones as ``optweights.ZZZ.out``, to be renamed by hand: they are read
    where nothing has the name, with a warning.

    Raises:
        FileFormatError: it is missing; names what may have been meant.
    """
    path = directory / weights_name(element)
    if path.exists() or path.is_symlink():
        return path
    number = f"{atomic_number(element):03d}"
    best = directory / f"optweights.{number}.out"
    if best.exists():
        warnings.warn(f"{path} is missing: RuNNer's {best.name} is read instead", stacklevel=4)
        return best
    epochs = sorted(
        [*directory.glob(f"weights.{number}.*.out"), *directory.glob(f"*.short.{number}.out")]
    )
    hint = f": copy the epoch that you want, such as {epochs[-1].name}, to it" if epochs else ""
    raise FileFormatError(f"{path} is missing{hint}")


def charges_hint(directory: Path) -> str:
    """Where files of charges lie in the directory: that it may be a 4G potential."""
    found = _charge_files(directory)
    if not found:
        return ""
    return f"; {found[0]} belongs to a 4G potential: is a line nnp_type 4G-HDNNP missing?"


def warn_of_charges(directory: Path) -> None:
    """Say that files of charges are not used, where ``input.nn`` means a short-range network."""
    for name in _charge_files(directory)[:1]:
        warnings.warn(
            f"{directory}: input.nn describes a short-range (2G) potential, so {name} and what "
            "else belongs to charges is not used; is a line nnp_type 4G-HDNNP missing?",
            stacklevel=4,
        )


def _charge_files(directory: Path) -> list[str]:
    return sorted(path.name for pattern in _CHARGES for path in directory.glob(pattern))
