"""Committees of n2p2: one directory, and the other members' weights in numbered folders of it.

``committee_mode prediction`` and ``committee_data PREFIX N`` mean N networks: the directory's own,
and N - 1 in PREFIX-1, PREFIX-2, .... Functions and scaling are the directory's for all. Others keep
all N in folders, and the directory has no weights.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnp.errors import FileFormatError
from nnp.io.n2p2.settings import Entry, Settings
from nnp.potential import Potential

_MODES = ("disabled", "validation", "prediction")
_FOLDER = re.compile(r"nnp-data-(\d+)")


def numbered_folders(directory: Path) -> list[Path]:
    """Folders nnp-data-1, nnp-data-2, … in their order."""
    found = [(int(m[1]), p) for p in directory.iterdir() if (m := _FOLDER.fullmatch(p.name))]
    return [path for _, path in sorted(found) if path.is_dir()]


def member_folders(settings: Settings) -> list[Path]:
    """Where the members' weights are; the directory alone where there is no committee.

    Raises:
        FileFormatError: an unknown mode, no or a wrong ``committee_data``, folders missing.
    """
    directory = settings.path.parent
    mode = _mode(settings)
    data = settings.one("committee_data") or settings.one("committee_dir_prefix")
    if mode is None or mode.arguments[0].lower() == "disabled":
        if data is not None:
            warnings.warn(
                f"{data.where}: without committee_mode prediction {data.keyword} is not used: "
                "the directory's own network predicts",
                stacklevel=4,
            )
        return [directory]
    if data is None:
        raise mode.error(
            f"{mode.arguments[0]} needs committee_data with the folders' prefix and the number of "
            "networks, such as committee_data nnp-data 8"
        )
    folders = _folders(data, directory)
    if mode.arguments[0].lower() == "validation":
        warnings.warn(
            f"{mode.where}: committee_mode validation: {folders[0].name or folders[0]} alone "
            "predicts; for the mean of all and their spread write committee_mode prediction",
            stacklevel=4,
        )
        return folders[:1]
    return folders


def check_alike(members: Sequence[Potential], folders: Sequence[Path]) -> None:
    """Refuse members whose own files contradict the directory's.

    n2p2 reads functions, scaling and normalisation of the directory for all members: where a
    folder's own differ, one of both is wrong.

    Raises:
        FileFormatError: they differ; the message names folder and element.
    """
    first = members[0]
    for member, folder in zip(members[1:], folders[1:], strict=True):
        what = _difference(first, member)
        if what:
            raise FileFormatError(
                f"{folder} and {folders[0]} differ in {what}, and n2p2 would use the latter's "
                "for all members: make them the same, or make a committee of the members' own "
                "directories (nnp.Committee.of)"
            )


def _difference(first: Potential, other: Potential) -> str:
    if first.elements != other.elements:
        return "the elements"
    if first.energy_scale != other.energy_scale:
        return "the normalisation"
    for ours, theirs in zip(first.models, other.models, strict=True):
        if ours.functions != theirs.functions:
            return f"the symmetry functions of {ours.symbol}"
        if ours.energy_offset != theirs.energy_offset:
            return f"the energy per atom of {ours.symbol}"
        if not np.array_equal(ours.scaling.factor, theirs.scaling.factor) or not np.array_equal(
            ours.scaling.offset, theirs.scaling.offset
        ):
            return f"the scaling of {ours.symbol}"
    return ""


def _mode(settings: Settings) -> Entry | None:
    entry = settings.one("committee_mode")
    if entry is not None:
        entry.expect(1)
        if entry.arguments[0].lower() not in _MODES:
            raise entry.error(f"is {entry.arguments[0]!r}: allowed are {', '.join(_MODES)}")
    return entry


def _folders(data: Entry, directory: Path) -> list[Path]:
    """Of the members, by ``committee_data PREFIX N``."""
    data.expect(2)
    data = data if data.arguments[1].isdigit() else _swapped(data)
    prefix, size = data.arguments[0], data.integer(1)
    if size < 2:
        raise data.error(f"gives {size} networks: a committee has two or more")
    stem = prefix.removesuffix("-")
    own = any(directory.glob("weights.*.data")) or any(directory.glob("optweights.*.out"))
    numbers = range(1, size) if own else range(1, size + 1)
    folders = [directory / f"{stem}-{number}" for number in numbers]
    missing = [folder.name for folder in folders if not folder.is_dir()]
    if missing:
        there = f"{directory.name}'s own and " if own else ""
        raise data.error(
            f"{' '.join(data.arguments)}: there is no folder {', '.join(missing[:3])}; expected "
            f"are {there}{folders[0].name} to {folders[-1].name}"
        )
    further = directory / f"{stem}-{size}"
    if own and further.is_dir():
        warnings.warn(
            f"{data.where}: the {size} networks are the directory's own and those of "
            f"{folders[0].name} to {folders[-1].name}, as n2p2 counts: {further.name} is not read",
            stacklevel=5,
        )
    return [directory, *folders] if own else folders


def _swapped(data: Entry) -> Entry:
    """The number may stand first."""
    return replace(data, arguments=data.arguments[::-1])
