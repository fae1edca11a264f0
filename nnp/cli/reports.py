"""The report of a potential: errors over data, pictures, the worst structures, what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nnp.io.structures import write_structures
from nnp.pictures.figure import NO_MATPLOTLIB, have_matplotlib
from nnp.pictures.report import Background, read_learning, write_report
from nnp.potential import Potential
from nnp.train.data.dataset import Dataset
from nnp.train.data.evaluation import EvaluationReport, evaluate
from nnp.train.data.inputs_seen import inputs_seen
from nnp.train.data.judge import advice, worst

# Structures of the fit that are judged, and whose inputs are looked at, spread over all of them.
_MOST = 1000
_MOST_FOR_INPUTS = 200


def report_of_fit(
    potential: Potential,
    sets: tuple[Dataset, Dataset],
    folder: Path,
    log: Path,
    notes: Mapping[str, Sequence[str]],
) -> list[str]:
    """Judge a fit by what it has not seen; by what it has where nothing was held out.

    Args:
        potential: the best one.
        sets: training and validation set.
        folder: gets the report.
        log: of the run.
        notes: sections of plain lines for the page.

    Returns:
        Lines to print.
    """
    train, held_out = sets
    seen = train.subset(np.unique(np.linspace(0, len(train) - 1, _MOST).round().astype(int)))
    training = evaluate(potential, seen)
    judged, what = training, f"{len(seen)} structures of the fit"
    if held_out.labels:
        judged, what = evaluate(potential, held_out), f"{len(held_out)} unseen structures"
    some = np.unique(np.linspace(0, len(train) - 1, _MOST_FOR_INPUTS).round().astype(int))
    inputs = inputs_seen(potential, (train[int(i)].structure for i in some))
    background = Background(
        None if judged is training else training, log if log.exists() else None, inputs, notes
    )
    lines = write(judged, folder, f"{what}: {train.summary()}", background)
    columns = read_learning(log) if log.exists() else None
    steps = advice(judged, background.training, columns, inputs)
    return [*lines, *(f"next: {step}" for step in steps)]


def write(
    report: EvaluationReport, folder: Path, title: str, background: Background | None = None
) -> list[str]:
    """Report, numbers, and ``worst.extxyz``; lines to print."""
    draws = have_matplotlib()
    write_report(report, folder, title, background, pictures=draws)
    frames = [_with_labels(report, entry.index) for entry in worst(report)]
    if frames:
        write_structures(frames, folder / "worst.extxyz", force=True)
    if draws:
        return [f"pictures and report: {folder / 'report.html'}"]
    return [f"numbers: {folder / 'metrics.json'}; {NO_MATPLOTLIB}"]


def _with_labels(report: EvaluationReport, index: int) -> Any:
    """The structure with its labels, and the forces that the potential gives beside them."""
    frame = report.frames[index]
    s = frame.structure
    atoms = Atoms(numbers=s.atomic_numbers, positions=s.positions, cell=s.cell, pbc=s.pbc)
    labels = {"energy": frame.energy, "forces": frame.forces, "stress": frame.stress}
    known = {name: value for name, value in labels.items() if value is not None}
    atoms.calc = SinglePointCalculator(atoms, **known)  # type: ignore[no-untyped-call]
    atoms.info["where"] = frame.where
    atoms.info["group"] = frame.group or "none"
    if report.predicted_forces[index].size:
        atoms.arrays["model_forces"] = report.predicted_forces[index]
    return atoms
