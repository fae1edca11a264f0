"""Which run it is: settings as they stand in a model, and what a resumed run must share."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from nnp.train.fit.settings import TrainingSettings, to_table
from nnp.train.fit.task import Task


def fingerprint(settings: TrainingSettings, task: Task) -> str:
    """Hash of what a resumed run must share with the interrupted one."""
    table = portable(settings)
    for name in ("epochs", "patience", "target", "train_judged"):
        table["run"].pop(name, None)
    digest = hashlib.sha256(json.dumps(table, sort_keys=True).encode())
    digest.update(task.theta.cpu().numpy().tobytes())
    for frame in task.frames:
        for label in (frame.structure.positions, frame.energy, frame.forces, frame.stress):
            digest.update(np.asarray(label if label is not None else np.nan).tobytes())
    return digest.hexdigest()


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
