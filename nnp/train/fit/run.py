"""A whole training run, or several with different seeds."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from nnp.committee import Committee
from nnp.errors import OptionError, OutputExistsError
from nnp.io.files import check_can_be, replacing
from nnp.terminal import Stream
from nnp.train.data.dataset import Dataset
from nnp.train.data.sets import read_data
from nnp.train.fit.choosing import choose, learns_coefficients
from nnp.train.fit.estimate import Survey, survey
from nnp.train.fit.machine import join, memory_explained, use_threads
from nnp.train.fit.memory import plan_memory
from nnp.train.fit.recipe import recipe
from nnp.train.fit.settings import CommitteeSettings, TrainingSettings
from nnp.train.fit.task import Prepared, Task, make_task, prepare
from nnp.train.fit.trainer import (
    BEST,
    CHECKPOINT,
    EVERY_KEPT,
    INTERRUPTED,
    LAST,
    Trainer,
    TrainingResult,
)

COMMITTEE = "committee.nnp"


Sets = tuple[Dataset, Dataset]


def train(
    settings: TrainingSettings,
    resume: bool = False,
    force: bool = False,
    quiet: bool = False,
    data: Sets | None = None,
    estimate: bool = False,
) -> TrainingResult:
    """Read the data, fit, and write everything to ``settings.run.output``.

    Under ``torchrun`` the processes share the structures; rank 0 writes.

    Args:
        settings: from `read_settings`, or built in Python.
        resume: whether to continue from the checkpoint in the folder, bit for bit; without one the
            run starts.
        force: whether to overwrite an earlier run.
        quiet: whether to hide progress bars.
        data: training and validation set, if already read.
        estimate: whether to try a few steps first and report how long the fit will take.

    Raises:
        OutputExistsError: the folder holds a run, and neither ``resume`` nor ``force`` is given.
        StructureError: unusable data; names the structure.
        NumericalError: the fit diverged.
    """
    require_room(settings, resume, force)
    prepared = _prepared(settings, quiet, data, estimate)
    if not resume and join().writes:
        _remove_members(settings, 0)
    return _fit(settings, prepared, resume, quiet)


def train_committee(
    settings: TrainingSettings,
    members: int | None = None,
    resume: bool = False,
    force: bool = False,
    quiet: bool = False,
    data: Sets | None = None,
    estimate: bool = False,
) -> list[TrainingResult]:
    """Train several networks for the same data and functions, which are prepared once.

    Member k uses seed + k, for first weights, order and draws, and the k-th of
    ``settings.committee.hidden`` if there are any; it writes into the folder ``member_k`` of the
    output. Where coefficients of radial series are learned, the first member learns them and the
    others have its functions. The best models together are ``committee.nnp``, which `nnp.load`
    reads as one potential.
    Ctrl-C ends all, without a committee; ``resume`` continues.

    Args:
        settings: of `read_settings`, or built in Python.
        members: how many; None: ``settings.committee.members``.
        resume: see `train`; members that have not begun start afresh.
        force: see `train`.
        quiet: see `train`.
        data: see `train`.
        estimate: see `train`; of one member.

    Raises:
        OptionError: fewer than two members, or not as many as sizes of hidden layers.
    """
    count = settings.committee.members if members is None else members
    if count < 2:
        raise OptionError(f"members = {count}: a committee has 2 or more")
    committee_settings = replace(settings.committee, members=count)
    own = [_member(settings, committee_settings, number) for number in range(count)]
    require_room(settings, resume, force, count)
    prepared = _prepared(settings, quiet, data, estimate)
    if not resume and join().writes:
        _remove_steps(Path(settings.run.output))
        _remove_members(settings, count)
    results: list[TrainingResult] = []
    for number in range(count):
        if number == 1 and learns_coefficients(settings):
            first = Path(own[0].run.output) / BEST
            own[1:] = [_with_functions_of(first, other) for other in own[1:]]
            prepared = _prepared(_with_functions_of(first, settings), quiet, data, estimate=False)
        results.append(_fit(own[number], prepared, resume, quiet))
        if results[-1].stopped == INTERRUPTED:
            return results
    committee = Committee.of([result.potential for result in results], {"program": "nnp train"})
    if join().writes:
        committee.save(Path(settings.run.output) / COMMITTEE, force=True)
    join().wait()
    return results


def _with_functions_of(path: Path, settings: TrainingSettings) -> TrainingSettings:
    """Settings with a potential's functions as they are, so that members share the costly part."""
    return replace(settings, functions=replace(settings.functions, file=str(path)))


def require_room(
    settings: TrainingSettings, resume: bool, force: bool, members: int | None = None
) -> None:
    """Refuse to write over an earlier run, before anything is read.

    Args:
        settings: of the run.
        resume: whether it continues an earlier run.
        force: whether an earlier one is overwritten.
        members: of the committee; None or 1: none.

    Raises:
        OutputExistsError: there is one, and neither ``resume`` nor ``force``.
        OptionError: what should go on is one fit, and a committee is asked for, or the other way
            round, or one of more members.
    """
    folder, wanted = Path(settings.run.output), members or 1
    check_can_be(folder)
    alone, there = (folder / CHECKPOINT).exists(), _members_of(folder)
    if (alone or there) and not (resume or force):
        raise OutputExistsError(
            f"{folder} holds a training run: continue it with resume=True (--resume), overwrite it "
            "with force=True (--force), or name another run.output"
        )
    if not resume or not (alone or there) or (alone and wanted == 1):
        return
    most = 1 + max((number for number, _ in there), default=0)
    if alone or wanted == 1 or most > wanted:
        held = "one fit" if alone else f"a committee with {most} members at least"
        asked = "one" if wanted == 1 else f"{wanted} members"
        raise OptionError(
            f"{folder} holds {held}, and {asked} should go on: continue with as many members "
            "(--members), overwrite it with --force, or name another run.output"
        )


def _members_of(folder: Path) -> list[tuple[int, Path]]:
    """Number and folder of each member of a committee that has begun."""
    numbered = ((path.name.removeprefix("member_"), path) for path in folder.glob("member_*"))
    names = (CHECKPOINT, BEST)
    return [
        (int(number), path)
        for number, path in numbered
        if number.isdecimal() and any((path / name).exists() for name in names)
    ]


def _remove_members(settings: TrainingSettings, count: int) -> None:
    """What an earlier run in the folder left of a committee: `nnp.load` would take it for ours."""
    folder = Path(settings.run.output)
    (folder / COMMITTEE).unlink(missing_ok=True)
    for number, path in _members_of(folder):
        if number >= count:
            _remove_steps(path)
            for name in (BEST, LAST):
                (path / name).unlink(missing_ok=True)


def _remove_steps(folder: Path) -> None:
    """Checkpoint and models of epochs of an earlier run; its best one may be where ours begins."""
    (folder / CHECKPOINT).unlink(missing_ok=True)
    _remove_epochs(folder)


def _remove_epochs(folder: Path) -> None:
    for path in folder.glob(EVERY_KEPT):
        path.unlink()


def _prepared(
    settings: TrainingSettings, quiet: bool, read: Sets | None, estimate: bool
) -> Prepared:
    use_threads(settings.run.threads, settings.optimizer.kind)
    ranks = join()
    quiet, data = quiet or not ranks.writes, read or read_data(settings.data)
    chosen = choose(settings, *data, quiet=quiet, ranks=ranks)
    taken = recipe(settings, chosen)
    settings = taken.settings
    use_threads(settings.run.threads, settings.optimizer.kind)
    plan = plan_memory(settings, chosen)
    tries = estimate and ranks.size == 1
    if not quiet:
        lines = survey(settings, chosen).lines() if tries else plan.lines
        _say("\n".join(line for line in (chosen.energies, *lines, taken.reason) if line))
    prepared = prepare(settings, chosen, quiet, plan.room)
    if ranks.writes:
        _keep_notes(data, Path(settings.run.output))
    return prepared


def _keep_notes(data: tuple[Dataset, Dataset], folder: Path) -> None:
    """``data.txt``: what was understood of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = dict.fromkeys(line for part in data for line in part.notes)
    with replacing(folder / "data.txt", force=True) as scratch:
        scratch.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def survey_of(settings: TrainingSettings, quiet: bool = False, data: Sets | None = None) -> Survey:
    """Everything but the fit: checks, choices, and what it will take.

    Args:
        settings: of `read_settings`, or built in Python.
        quiet: whether to hide progress bars.
        data: see `train`.

    Raises:
        StructureError, OptionError, UnavailableError: as `train`.
    """
    use_threads(settings.run.threads, settings.optimizer.kind)
    chosen = choose(settings, *(data or read_data(settings.data)), quiet=quiet)
    taken = recipe(settings, chosen)
    return replace(survey(taken.settings, chosen), recipe=taken.reason)


def _say(text: str) -> None:
    out = Stream(sys.stderr)
    out.write(f"{text}\n")
    out.flush()


def _fit(
    settings: TrainingSettings, prepared: Prepared, resume: bool, quiet: bool
) -> TrainingResult:
    settings = recipe(settings, prepared).settings
    folder, ranks = Path(settings.run.output), prepared.ranks
    with memory_explained(prepared.maker.device):
        task = make_task(settings, prepared)
        folder.mkdir(parents=True, exist_ok=True)
        if ranks.writes:
            _write_notes(task, folder)
        started = (folder / CHECKPOINT).exists()
        if not (resume and started) and ranks.writes:
            _remove_epochs(folder)  # the checkpoint stays until there is a new one
        return Trainer(settings, task, quiet or not ranks.writes).run(resume and started)


def _member(
    settings: TrainingSettings, committee: CommitteeSettings, number: int
) -> TrainingSettings:
    folder = str(Path(settings.run.output) / f"member_{number}")
    run = replace(settings.run, seed=settings.run.seed + number, output=folder)
    network = settings.network
    if committee.hidden:
        network = replace(network, hidden=committee.hidden[number])
    return replace(settings, run=run, network=network, committee=CommitteeSettings())


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
        with replacing(folder / name, force=True) as scratch:
            scratch.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
