"""A whole training run, or several with different seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from nnp.errors import OptionError, OutputExistsError
from nnp.train.build import Task, build, read_data
from nnp.train.committee import Committee
from nnp.train.settings import TrainingSettings
from nnp.train.trainer import CHECKPOINT, Trainer, TrainingResult

MEAN = "mean.nnp"


def train(
    settings: TrainingSettings, resume: bool = False, force: bool = False, quiet: bool = False
) -> TrainingResult:
    """Read the data, fit, and write everything into ``settings.run.output``.

    Args:
        settings: of `read_settings`, or built in Python.
        resume: whether to continue from the folder's checkpoint, bit for bit.
        force: whether to overwrite an earlier run.
        quiet: whether to hide progress bars.

    Raises:
        OutputExistsError: the folder holds a run, and neither ``resume`` nor ``force`` is given.
        StructureError: unusable data; names the structure.
        NumericalError: the fit diverged.
    """
    folder = Path(settings.run.output)
    if (folder / CHECKPOINT).exists() and not (resume or force):
        raise OutputExistsError(
            f"{folder} holds a training run: continue it with resume=True (--resume), overwrite it "
            "with force=True (--force), or name another run.output"
        )
    torch.set_num_threads(settings.run.threads)
    task = build(settings, *read_data(settings.data), quiet=quiet)
    folder.mkdir(parents=True, exist_ok=True)
    _write_notes(task, folder)
    return Trainer(settings, task, quiet).run(resume)


def train_committee(
    settings: TrainingSettings,
    members: int,
    resume: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> list[TrainingResult]:
    """Train several networks that differ in their seed: first weights, order and draws.

    Member k uses seed + k and writes into the folder ``member_k`` of the output; the mean of the
    best models is written as ``mean.nnp``, one potential for any engine. `Committee.load` reads the
    folder where the deviation is wanted too.

    Raises:
        OptionError: fewer than two members.
    """
    if members < 2:
        raise OptionError(f"members = {members}: a committee has 2 or more")
    results = []
    for number in range(members):
        folder = str(Path(settings.run.output) / f"member_{number}")
        run = replace(settings.run, seed=settings.run.seed + number, output=folder)
        own = replace(settings, run=run)
        started = (Path(folder) / CHECKPOINT).exists()
        results.append(train(own, resume and started, force, quiet))
    mean = Committee(tuple(result.potential for result in results)).mean_potential()
    mean.save(Path(settings.run.output) / MEAN, force=True)
    return results


def _write_notes(task: Task, folder: Path) -> None:
    """``findings.txt`` and ``functions.txt``: what the checks saw, what was pruned and why."""
    lines = {
        "findings.txt": [str(finding) for finding in task.findings],
        "functions.txt": [
            *(f"kept {m.symbol}: {len(m.functions)}" for m in task.model.template.models),
            *(f"dropped {line}" for line in task.dropped),
        ],
    }
    for name, text in lines.items():
        (folder / name).write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
