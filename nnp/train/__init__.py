"""Training: from labelled structures to a potential.

    settings = nnp.train.read_settings("training.toml")
    result = nnp.train.train(settings)
    result.potential.evaluate(atoms)

Names are imported when they are first used: reading and checking data needs no torch, a fit does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nnp.errors import UnavailableError

if TYPE_CHECKING:
    from nnp.train.checks import check
    from nnp.train.dataset import Dataset, LabelKeys
    from nnp.train.evaluation import evaluate
    from nnp.train.parallel import join
    from nnp.train.run import train, train_committee
    from nnp.train.settings import TrainingSettings, read_settings
    from nnp.train.trainer import TrainingResult

__all__ = [
    "Dataset",
    "LabelKeys",
    "TrainingResult",
    "TrainingSettings",
    "check",
    "evaluate",
    "join",
    "read_settings",
    "train",
    "train_committee",
]

_HOMES = {
    "Dataset": "dataset",
    "LabelKeys": "dataset",
    "TrainingResult": "trainer",
    "TrainingSettings": "settings",
    "check": "checks",
    "evaluate": "evaluation",
    "join": "parallel",
    "read_settings": "settings",
    "train": "run",
    "train_committee": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"nnp.train.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UnavailableError(
            "training needs torch, which is not installed: pip install 'nnp[torch]'"
        ) from error
