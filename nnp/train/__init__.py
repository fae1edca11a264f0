"""Training: from labelled structures to a potential.

    settings = nnp.train.read_settings("training.toml")
    result = nnp.train.train(settings)
    result.potential.evaluate(atoms)

The map; each folder imports from those above it only:

    data/     dataset  frames       labelled structures and how they are read
              checks findings   sets      what is wrong with them; training and validation set
              doctor facts consistency tensors    the data report, and what it is made of
              baseline repulsion    what is subtracted from the labels before a fit
              sampling augment      making structures and labels
              select   evaluation   what to label next; errors of a finished potential
              judge    inputs_seen  what errors and inputs say
    inputs/   functions  moments  prune     which symmetry functions a fit has
              products  product_engines   their values, J v and Jᵀ v by an engine
              transform features    what the networks see of them; one structure as a fit has it
              uncontracted moment_features   the same where radial series are learned too
    fit/      initial network model       architecture, derivatives, predictions
              invariants moment_network moment_model   the same with radial series to learn
              loss objective optimizers/  what is minimised, and how
              settings choosing     all settings; functions and inputs that follow from them
              task samples start    what a fit is prepared from; kept or made again; going on
              memory recipe         what it takes, which optimiser
              trainer stages batches run log checkpoint identity machine   the loop; files; devices
    config/   read tables           settings from TOML
              defaults write        settings from what the data holds; TOML from settings
              input_nn normalisation      and from n2p2's input.nn
              train_in train_in_files     and from ænet's train.in, whose files are written too

Names are imported when they are first used: reading and checking data needs no torch, a fit does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nnp.train import _moved

if TYPE_CHECKING:
    from nnp.train.config.read import read_settings
    from nnp.train.data.checks import check
    from nnp.train.data.dataset import Dataset, LabelKeys
    from nnp.train.data.evaluation import evaluate
    from nnp.train.fit.machine import join
    from nnp.train.fit.run import require_room, train, train_committee
    from nnp.train.fit.settings import TrainingSettings
    from nnp.train.fit.trainer import TrainingResult

__all__ = [
    "Dataset",
    "LabelKeys",
    "TrainingResult",
    "TrainingSettings",
    "check",
    "evaluate",
    "join",
    "read_settings",
    "require_room",
    "train",
    "train_committee",
]

_HOMES = {
    "Dataset": "data.dataset",
    "LabelKeys": "data.dataset",
    "TrainingResult": "fit.trainer",
    "TrainingSettings": "fit.settings",
    "check": "data.checks",
    "evaluate": "data.evaluation",
    "join": "fit.machine",
    "read_settings": "config.read",
    "require_room": "fit.run",
    "train": "fit.run",
    "train_committee": "fit.run",
}
_moved.install()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"nnp.train.{_HOMES[name]}"), name)
