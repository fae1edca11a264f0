"""Which run it is: settings as they stand in a model, and what a resumed run must share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nnp.train.fit.settings import TrainingSettings, to_table
from nnp.train.fit.task import Task


def fingerprint(settings: TrainingSettings, task: Task) -> str:
    """Hash of what a resumed run must share with the interrupted one."""
    digest = hashlib.sha256(json.dumps(_shared(settings), sort_keys=True).encode())
    digest.update(task.theta.cpu().numpy().tobytes())
    for frame in task.frames:
        for label in (frame.structure.positions, frame.energy, frame.forces, frame.stress):
            digest.update(np.asarray(label if label is not None else np.nan).tobytes())
    return digest.hexdigest()


def particulars(settings: TrainingSettings, task: Task) -> dict[str, Any]:
    """The same in parts, for a checkpoint: the settings, and a hash of the structures.

    The hash is of all that `fingerprint` leaves out, too: cells, elements, weights.
    """
    digest = hashlib.sha256()
    for frame in task.frames:
        s = frame.structure
        labels = (frame.energy, frame.forces, frame.stress, frame.weight)
        for part in (s.positions, s.cell, s.pbc, s.atomic_numbers, *labels):
            digest.update(np.asarray(part if part is not None else np.nan).tobytes())
    return {"settings": _shared(settings), "structures": digest.hexdigest()}


def differences(known: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """In which of their `particulars` two runs differ.

    >>> first = {"settings": {"run": {"seed": 1}, "loss": {"l2": 0.0}}, "structures": "a"}
    >>> differences(first, {"settings": {"run": {"seed": 2}, "loss": {}}, "structures": "b"})
    ['loss.l2 was 0.0', 'run.seed was 1, is 2', 'other structures, labels or weights']
    """
    before, now = (dict(_flat(part["settings"])) for part in (known, own))
    found = []
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            was = f"was {before[key]!r}" if key in before else "was not set"
            found.append(f"{key} {was}" + (f", is {now[key]!r}" if key in now else ""))
    if known["structures"] != own["structures"]:
        found.append("other structures, labels or weights")
    return found


def _flat(table: dict[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        path = f"{where}.{key}" if where else key
        if isinstance(value, dict):
            yield from _flat(value, path)
        else:
            yield path, value


def _shared(settings: TrainingSettings) -> dict[str, dict[str, object]]:
    """Settings that a resumed run must share."""
    table = portable(settings)
    for name in ("epochs", "patience", "target", "train_judged"):
        table["run"].pop(name, None)
    return table


def portable(settings: TrainingSettings) -> dict[str, dict[str, object]]:
    """Settings without paths, devices and the time there is: they belong to one machine."""
    table: dict[str, dict[str, object]] = to_table(settings)
    for name in ("train", "validation"):
        table["data"][name] = [Path(p).name for p in table["data"][name]]  # type: ignore[attr-defined]
    file = settings.functions.file
    table["functions"]["file"] = None if file is None else Path(file).name
    if settings.baseline.zbl is None:  # as runs of earlier versions have it
        table["baseline"].pop("zbl")
        if not settings.baseline.parts:
            table.pop("baseline")
    for name in ("output", "device", "max_time", "max_memory"):
        table["run"].pop(name)
    table["run"]["store_columns"] = settings.run.store_columns is not False
    table["run"]["epochs"] = settings.run.passes
    if settings.run.from_ is not None:
        table["run"]["from"] = Path(settings.run.from_).name
    for (*path, name), default in _LATER:
        part: Any = table
        for key in path:
            part = part[key]
        if part[name] == default:
            part.pop(name)
    return table


# Settings that earlier versions had not, with the default that means what those did.
_LATER: tuple[tuple[tuple[str, ...], object], ...] = (
    (("data", "drop"), []),
    (("data", "energies"), None),
    (("data", "largest_force"), None),
    (("optimizer", "kalman", "decoupling"), "auto"),
    (("optimizer", "gradient", "average"), None),
    (("optimizer", "batch_atoms"), None),
    (("optimizer", "finish"), 0),
    (("optimizer", "levenberg_marquardt", "batch"), None),
    (("schedule", "by_step"), False),
    (("run", "from"), None),
    (("run", "report"), True),
    (("run", "train_judged"), 200),
    (("run", "target"), {"energy": None, "forces": None}),
)
