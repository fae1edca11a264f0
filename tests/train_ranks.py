"""Trains with every optimiser, alone or as one of the processes that torchrun starts.

python tests/train_ranks.py FOLDER              one process
torchrun --nproc-per-node 2 tests/train_ranks.py FOLDER
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch
from train_data import dataset, settings

from nnp.train.fit import trainer
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.machine import join
from nnp.train.fit.optimizers import KINDS, OptimizerSettings
from nnp.train.fit.optimizers.first_order import LbfgsSettings
from nnp.train.fit.settings import RunSettings
from nnp.train.fit.task import build
from nnp.train.fit.trainer import Trainer


def write_slowly(*arguments) -> None:
    """The other process is far ahead before the file is there."""
    time.sleep(0.1)
    write(*arguments)


write, trainer.write_checkpoint = trainer.write_checkpoint, write_slowly


def train(folder: Path, kind: str, epochs: int, resume: bool) -> None:
    """Five structures in batches of two: shares differ, and some are empty."""
    chosen = settings(
        folder / kind,
        optimizer=OptimizerSettings(kind, batch=2, lbfgs=LbfgsSettings(3, history=5)),
        loss=LossSettings(stress=1.0, l2=1e-4),
        run=RunSettings(epochs=epochs, seed=3, output=str(folder / kind)),
    )
    data = dataset(count=6)
    parts = data.subset(range(5)), data.subset([5])
    task = build(chosen, *parts, quiet=True, ranks=join())
    Trainer(chosen, task, quiet=True).run(resume)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for kind in KINDS:
        for epochs, resume in ((2, False), (3, True)):
            train(Path(sys.argv[1]), kind, epochs, resume)
