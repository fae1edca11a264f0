"""Reading and writing potentials and structures; one format per module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from nnp import registry
from nnp.committee import Committee
from nnp.errors import FileFormatError, OptionError
from nnp.io import aenet, model, n2p2, nep
from nnp.io.bundled import bundled_names, bundled_path
from nnp.io.scratch import put_back
from nnp.potential import Potential
from nnp.units import UnitSystem, unit_system

__all__ = ["aenet", "committee_files", "load", "model", "n2p2", "nep"]

registry.write_model.provide(model.write)

# What ``nnp train --members`` leaves in its output folder.
_MEMBERS = "member_*/best.nnp"


def load(
    path: str | Path | Sequence[str | Path],
    units: str | tuple[str, str] | UnitSystem | None = None,
    baseline: bool | Any = True,
    legacy_angle: bool | None = None,
) -> Potential:
    """Read a potential.

    Args:
        path: a one-file model, an n2p2 or RuNNer directory, a ``nep.txt``, an ænet file (or a
            folder or list of them, one per element), the output folder of ``nnp train --members``,
            or the name of a bundled potential (``silicon_sw``, ``water_rpbe_d3``). Several members
            make a `Committee`.
        units: units of an n2p2 or RuNNer directory, which does not state them, see
            `units.unit_system`; bohr and hartree by default. A one-file model states its own.
        baseline: whether evaluations add the baseline that the model names, if any (an ASE
            calculator such as dftd3); False: the fitted part only; or the calculator itself, if it
            cannot be made from its name.
        legacy_angle: whether ænet 2.0.0 to 2.0.3 trained a Chebyshev potential, with another
            definition of the angle; None: decide by the statistics in the file. See `nnp.io.aenet`.

    Raises:
        FileFormatError: the path is missing, or its content breaks the format.
        OptionError: unknown units, units for a one-file model, or not a path.
        UnavailableError: the baseline needs a package or program that is missing.

    Examples:
        >>> import nnp
        >>> nnp.load("silicon_sw").elements
        ('Si',)
        >>> potential = nnp.load("potential-directory", units="metal")  # doctest: +SKIP
    """
    found = _read(path, units, legacy_angle)
    if baseline is False:
        return replace(found, baseline=())
    if baseline is not True:
        if len(found.baseline) != 1:
            names = ", ".join(map(str, found.baseline)) or "nothing"
            raise OptionError(
                f"baseline is a calculator, but {path} was fitted on top of {names}: leave it out"
            )
        return replace(found, baseline=(replace(found.baseline[0], given=baseline),))
    for part in found.baseline:
        part.calculator()  # what is missing shows now, not in the first evaluation
    return found


def _read(
    path: str | Path | Sequence[str | Path],
    units: str | tuple[str, str] | UnitSystem | None,
    legacy_angle: bool | None = None,
) -> Potential:
    if isinstance(path, list | tuple) and path and all(isinstance(p, str | PathLike) for p in path):
        return _read_aenet([Path(p) for p in path], units, legacy_angle)
    if not isinstance(path, str | PathLike):
        raise OptionError(f"path is a {type(path).__name__}: give the path of a potential")
    path = Path(path)
    try:
        if not path.exists():
            put_back(path)  # killed while it was replaced
        is_directory, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError:  # a NUL in the name
        is_directory = exists = False
    if is_directory and not (path / "input.nn").exists() and (found := aenet.files_in(path)):
        return _read_aenet(found, units, legacy_angle)
    if exists and not is_directory and aenet.is_aenet_name(path):
        return _read_aenet([path], units, legacy_angle)
    if legacy_angle is not None:
        raise OptionError(f"legacy_angle={legacy_angle} for {path}, which is not an ænet potential")
    if is_directory:
        members = committee_files(path)
        if not members:
            return n2p2.read(path, unit_system(units))
        return Committee.of([_read(member, units) for member in members])
    if not exists:
        bundled = bundled_path(str(path))
        if bundled is None:
            raise FileFormatError(
                f"{path} does not exist: give a model file, an n2p2 directory, nep.txt, ænet's "
                f"files, or a name that comes with the package: {', '.join(bundled_names())}"
            )
        path = bundled
    if nep.is_nep_file(path):
        if units is not None:
            raise OptionError(
                f"units={units!r} for {path}: a nep.txt is in angstrom, eV; leave it out"
            )
        return nep.read(path)
    if units is not None:
        raise OptionError(
            f"units={units!r} for {path}: a one-file model carries its own units; leave it out"
        )
    return model.read(path)


def _read_aenet(
    paths: list[Path],
    units: str | tuple[str, str] | UnitSystem | None,
    legacy_angle: bool | None,
) -> Potential:
    if units is not None:
        raise OptionError(
            f"units={units!r} for {paths[0]}: ænet's files are in angstrom, eV; leave it out"
        )
    return aenet.read(paths, legacy_angle)


def committee_files(folder: Path) -> list[Path]:
    """The members' models in the output folder of ``nnp train --members``, in their order."""
    return sorted(folder.glob(_MEMBERS), key=lambda path: (len(path.parent.name), path))
