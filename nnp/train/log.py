"""The log of a run: one CSV line per evaluated epoch, TensorBoard events on request."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnp.errors import UnavailableError
from nnp.io.files import replacing


class TrainingLog:
    """Rows of numbers with the same keys.

    Args:
        folder: gets ``log.csv``, and ``tensorboard/`` on request.
        tensorboard: whether to write events.
        writes: whether there are files at all; else rows are only kept.

    Raises:
        UnavailableError: tensorboard is asked for and not installed.
    """

    def __init__(self, folder: Path, tensorboard: bool = False, writes: bool = True) -> None:
        self._path = folder / "log.csv" if writes else None
        self._writer = _event_writer(folder / "tensorboard") if tensorboard and writes else None
        self.rows: list[dict[str, float]] = []

    def restore(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Continue behind these rows; later ones of an interrupted run are dropped."""
        self.rows = [dict(row) for row in rows]

    def add(self, row: Mapping[str, float]) -> None:
        """Append one row; the file is complete after every call."""
        self.rows.append(dict(row))
        if self._path is None:
            return
        with replacing(self._path, force=True) as scratch, scratch.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.rows[0]))
            writer.writeheader()
            writer.writerows({k: f"{v:.9g}" for k, v in row.items()} for row in self.rows)
        if self._writer is not None:
            for name, value in row.items():
                self._writer.add_scalar(name, value, int(row["epoch"]))
            self._writer.flush()


def _event_writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UnavailableError(
            "tensorboard = true needs the package: pip install tensorboard, or leave it out"
        ) from None
    return SummaryWriter(str(folder))  # type: ignore[no-untyped-call]
