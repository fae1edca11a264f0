"""Errors of every model that a fit kept (``run.keep_every``), as columns of a training log."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from nnp.errors import NNPError
from nnp.io import model
from nnp.io.files import replacing
from nnp.train.data.dataset import Dataset
from nnp.train.data.evaluation import evaluate

TABLE = "epochs.csv"
_KEPT = "epoch_*.nnp"


def kept_models(folder: str | Path) -> dict[int, Path]:
    """The models by their epoch.

    Raises:
        NNPError: there is none.
    """
    found = {int(path.stem.split("_")[1]): path for path in sorted(Path(folder).glob(_KEPT))}
    if not found:
        raise NNPError(
            f"--epochs {folder}: it has no {_KEPT}: a fit keeps them with keep_every = 1 in [run]"
        )
    return found


def write_epochs(models: dict[int, Path], dataset: Dataset, folder: Path, engine: str) -> Path:
    """Write ``epochs.csv`` into a folder: errors over the data, and those of the fit's own log.

    Args:
        models: see `kept_models`.
        dataset: what they are compared with.
        folder: created if missing.
        engine: computes.
    """
    own = _log(next(iter(models.values())).parent / "log.csv")
    rows = []
    for epoch, path in models.items():
        comparisons = evaluate(model.read(path), dataset, engine).comparisons
        energy, forces = (comparisons[name].statistics() for name in ("energy", "forces"))
        rows.append(
            own.get(epoch, {})
            | {
                "epoch": epoch,
                "data_energy_mae_mev": 1e3 * energy["mae"],
                "data_energy_rmse_mev": 1e3 * energy["rmse"],
                "data_force_mae": forces["mae"],
                "data_force_rmse": forces["rmse"],
            }
        )
    folder.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(folder / TABLE, force=True) as scratch, scratch.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="nan")
        writer.writeheader()
        writer.writerows({k: f"{v:.9g}" for k, v in row.items()} for row in rows)
    return folder / TABLE


def _log(path: Path) -> dict[int, dict[str, float]]:
    """Rows of a log by their epoch; none where there is no log."""
    if not path.is_file():
        return {}
    return {int(row["epoch"]): row for row in _rows(path)}


def _rows(path: Path) -> Iterator[dict[str, float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield {name: float(value) for name, value in row.items()}
    except (KeyError, TypeError, ValueError):
        raise NNPError(f"{path} is not a log of a training run: remove it") from None
