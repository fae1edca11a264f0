"""Checkpoints: one ``.npz`` without pickle, from which a run continues bit for bit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnp.errors import FileFormatError, OptionError
from nnp.io.archive import DAMAGED, read_any_array, read_bytes, read_members
from nnp.io.files import replacing
from nnp.train.fit.identity import differences
from nnp.train.fit.optimizers.base import State

VERSION = 1
_SHOWN = 3


@dataclass(eq=False)
class Checkpoint:
    """Everything that the next epoch depends on.

    Attributes:
        epoch: epochs done.
        theta: parameters now; read back, they lie on the CPU.
        best_theta: parameters with the smallest validation loss so far; likewise.
        best_loss: that loss.
        best_epoch: when it was reached.
        optimizer: state of the optimiser.
        fingerprint: of settings and data; another run's checkpoint is refused.
        about: the same in parts, see `nnp.train.fit.identity.particulars`; empty in files of
            earlier versions.
        rows: the log so far.
        inputs: what the networks take in, see `nnp.train.fit.model.TrainingModel.inputs`.
    """

    epoch: int
    theta: Tensor
    best_theta: Tensor
    best_loss: float
    best_epoch: int
    optimizer: State
    fingerprint: str
    rows: list[dict[str, float]] = field(default_factory=list)
    inputs: NDArray[np.float64] | None = None
    about: dict[str, Any] = field(default_factory=dict)


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint over the earlier one; a kill leaves either the old or the new."""
    header = {
        "version": VERSION,
        "epoch": checkpoint.epoch,
        "best_loss": checkpoint.best_loss.hex(),
        "best_epoch": checkpoint.best_epoch,
        "fingerprint": checkpoint.fingerprint,
        "rows": checkpoint.rows,
        "about": checkpoint.about,
    }
    arrays: dict[str, Any] = {f"optimizer/{k}": v for k, v in checkpoint.optimizer.items()}
    arrays |= {
        "theta": checkpoint.theta.cpu().numpy(),
        "best_theta": checkpoint.best_theta.cpu().numpy(),
    }
    if checkpoint.inputs is not None:
        arrays["inputs"] = checkpoint.inputs
    with replacing(path, force=True) as scratch, scratch.open("wb") as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)


def read_checkpoint(
    path: Path, fingerprint: str, about: dict[str, Any] | None = None
) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: the file.
        fingerprint: that it must have.
        about: `nnp.train.fit.identity.particulars` that it must have, if it has any.

    Raises:
        FileFormatError: it is missing or damaged.
        OptionError: it belongs to other settings or data.
    """
    try:
        contents = read_members(read_bytes(path), str(path), "checkpoint")
        arrays = {key.removesuffix(".npy"): read_any_array(c, key) for key, c in contents.items()}
        header = json.loads(str(arrays.pop("header")))
        found = _checkpoint(header, arrays, fingerprint)
        apart = differences(found.about, about) if found.about and about else []
    except DAMAGED as error:
        raise FileFormatError(
            f"{path} is not a checkpoint to resume from ({error}): start afresh with --force"
        ) from None
    if header["version"] != VERSION or header["fingerprint"] != fingerprint or apart:
        shown = f" ({'; '.join(apart[:_SHOWN])}{'; …' * (len(apart) > _SHOWN)})" if apart else ""
        raise OptionError(
            f"{path} belongs to a run with other settings or data{shown}: only epochs, patience "
            "and output may change; start afresh with --force"
        )
    return found


def _checkpoint(header: Any, arrays: dict[str, NDArray[Any]], fingerprint: str) -> Checkpoint:
    """What header and arrays hold; what they lack raises one of ``DAMAGED``."""
    for name in ("version", "fingerprint"):
        header[name]
    rows = [{str(k): float(v) for k, v in row.items()} for row in header["rows"]]
    theta, best = arrays.pop("theta"), arrays.pop("best_theta")
    if theta.ndim != 1 or theta.shape != best.shape or theta.dtype != best.dtype:
        raise ValueError(f"weights of shapes {theta.shape} and {best.shape}")
    return Checkpoint(
        epoch=int(header["epoch"]),
        theta=torch.from_numpy(theta),
        best_theta=torch.from_numpy(best),
        best_loss=float.fromhex(header["best_loss"]),
        best_epoch=int(header["best_epoch"]),
        inputs=arrays.pop("inputs", None),
        optimizer={name.removeprefix("optimizer/"): a for name, a in arrays.items()},
        fingerprint=fingerprint,
        rows=rows,
        about=dict(header.get("about", {})),
    )
