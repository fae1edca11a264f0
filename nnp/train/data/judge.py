"""What errors say: numbers for machines, the worst structures, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.train.data.evaluation import QUANTITIES, Comparison, EvaluationReport
from nnp.train.data.inputs_seen import InputsSeen
from nnp.values import counted

_WORST = 10
# A group's, an element's, a set's errors stand out by this factor.
_STANDS_OUT = 1.5
# Share of the error of a potential without forces, above which a fit has learned little.
_LITTLE = 0.3
# Share by which the loss fell over the last quarter of the epochs, above which a fit is not done.
_STILL_FALLING = 0.15
_FEWEST_EPOCHS = 8
# Spread of a committee and its errors go together from this rank correlation on.
_USEFUL_SPREAD = 0.5


@dataclass(frozen=True)
class Worst:
    """One of the worst structures.

    Attributes:
        index: in its set.
        where: file and index in it.
        group: it belongs to.
        energy_error: eV/atom; NaN without a label.
        force_rmse: eV/Å; NaN without labels.
        largest_force_error: of a component, eV/Å.
    """

    index: int
    where: str
    group: str
    energy_error: float
    force_rmse: float
    largest_force_error: float


def worst(report: EvaluationReport, count: int = _WORST) -> list[Worst]:
    """The structures with the largest errors of forces; of energies where there are no forces."""
    n = len(report.frames)
    energy, forces = np.full(n, np.nan), np.full(n, np.nan)
    largest = np.full(n, np.nan)
    e, f = report.comparisons["energy"], report.comparisons["forces"]
    energy[e.structure] = e.error
    if len(f.error):
        labels = np.bincount(f.structure, minlength=n)
        sums = np.bincount(f.structure, f.error**2, minlength=n)
        forces = np.where(labels > 0, np.sqrt(sums / np.maximum(labels, 1)), np.nan)
        biggest = np.zeros(n)
        np.maximum.at(biggest, f.structure, np.abs(f.error))
        largest = np.where(labels > 0, biggest, np.nan)
    key = np.abs(energy) if np.isnan(forces).all() else forces
    order = np.argsort(-np.nan_to_num(key, nan=-1.0), kind="stable")[:count]
    return [
        Worst(
            int(i),
            report.frames[i].where,
            report.frames[i].group,
            float(energy[i]),
            float(forces[i]),
            float(largest[i]),
        )
        for i in order
        if np.isfinite(key[i])
    ]


def metrics(report: EvaluationReport, inputs: Sequence[InputsSeen] = ()) -> dict[str, Any]:
    """Everything as plain values; meV/atom, eV/Å, meV/Å³ as the keys say; None for what is not."""
    table: dict[str, Any] = {
        "structures": len(report.frames),
        "extrapolating": len(report.extrapolating),
        "groups": {
            group: {name: _numbers(c.of(own), name) for name, c in report.comparisons.items()}
            for group, own in report.groups.items()
        },
        "elements": {
            symbol: _numbers(report.comparisons["forces"].of_element(number), "forces")
            for symbol, number in report.elements.items()
        },
        "worst": [_plain(vars(entry)) for entry in worst(report)],
    }
    if inputs:
        table["dead_inputs"] = {own.symbol: list(own.dead) for own in inputs}
    if (together := spread_correlation(report.comparisons["forces"])) is not None:
        table["committee"] = {"spread_and_error_rank_correlation": together}
    return table


def spread_correlation(forces: Comparison) -> float | None:
    """Spearman's rank correlation of a committee's spread with the size of its errors."""
    if forces.spread is None or len(forces.error) < 3 or not np.isfinite(forces.spread).all():
        return None
    a, b = (np.argsort(np.argsort(x)) for x in (forces.spread, np.abs(forces.error)))
    return float(np.corrcoef(a, b)[0, 1])


def advice(
    report: EvaluationReport,
    training: EvaluationReport | None = None,
    log: Mapping[str, NDArray[np.float64]] | None = None,
    inputs: Sequence[InputsSeen] = (),
) -> list[str]:
    """What to add or change next, the most telling first.

    Args:
        report: of structures that the fit has not seen.
        training: of those that it has.
        log: columns of its ``log.csv``.
        inputs: of the networks.
    """
    found = [*_little(report.comparisons["forces"]), *_by_part(report)]
    found += _by_size(report.comparisons["forces"])
    if training is not None:
        found += _unseen(report, training)
    if log is not None:
        found += _unfinished(log)
    outside = len(report.extrapolating)
    if outside:
        found.append(
            f"{counted(outside, 'structure')} of {len(report.frames)} with atoms outside the range "
            "of the training data: add such structures"
        )
    for own in inputs:
        if own.dead:
            found.append(
                f"{counted(len(own.dead), 'input')} of {own.symbol} never change: the data contain "
                "nothing that they describe"
            )
    together = spread_correlation(report.comparisons["forces"])
    if together is not None and together < _USEFUL_SPREAD:
        found.append(
            "the committee's spread says little about its errors (rank correlation "
            f"{together:.2f}): more members, or data it disagrees on"
        )
    return found or ["nothing stands out: more data of every kind, or a longer fit"]


def _little(forces: Comparison) -> Iterator[str]:
    """Whether forces are hardly better than none at all."""
    if not len(forces.error):
        return
    mae, nothing = forces.statistics()["mae"], float(np.abs(forces.reference).mean())
    if mae > _LITTLE * nothing:
        yield (
            f"the MAE of forces is {mae:.3g} eV/Å, and {nothing:.3g} for zero forces: the fit has "
            "learned little: check the data (nnp doctor), then use more epochs or data"
        )


def _by_part(report: EvaluationReport) -> Iterator[str]:
    forces = report.comparisons["forces"]
    whole = forces.statistics()["rmse"]
    parts = {f"the group {g}": forces.of(m) for g, m in report.groups.items() if g != "all"}
    if len(report.elements) > 1:
        parts |= {f"atoms of {s}": forces.of_element(z) for s, z in report.elements.items()}
    sizes = {name: own.statistics()["rmse"] for name, own in parts.items() if len(own.error)}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if size > _STANDS_OUT * whole:
            yield (
                f"force errors are largest for {name} ({size:.3g} against {whole:.3g} eV/Å of all)"
                ": add structures like these"
            )


def _by_size(forces: Comparison) -> Iterator[str]:
    """Whether a few large forces make the errors."""
    if len(forces.error) < 100:
        return
    strong = np.abs(forces.reference) > np.quantile(np.abs(forces.reference), 0.95)
    squared = forces.error**2
    share = float(squared[strong].sum() / squared.sum()) if squared.sum() > 0 else 0.0
    if share > 0.5:
        yield (
            f"the strongest 5 % of the forces make {share:.0%} of the squared error: more distorted"
            " structures, or fewer of those that no run will meet (nnp train --drop force_outlier)"
        )


def _unseen(report: EvaluationReport, training: EvaluationReport) -> Iterator[str]:
    for name, unit, factor in QUANTITIES[:2]:
        seen, unseen = (r.comparisons[name].statistics()["rmse"] for r in (training, report))
        if math.isfinite(seen) and math.isfinite(unseen) and unseen > _STANDS_OUT * seen:
            yield (
                f"RMSE of {name} is {factor * unseen:.3g} {unit} on unseen structures and "
                f"{factor * seen:.3g} on those of the fit: more data helps most, a smaller network "
                "or fewer epochs a little"
            )


def _unfinished(log: Mapping[str, NDArray[np.float64]]) -> Iterator[str]:
    loss = log.get("valid_loss", log.get("train_loss"))
    if loss is None or len(loss) < _FEWEST_EPOCHS:
        return
    quarter = len(loss) // 4
    before, after = float(loss[:-quarter].min()), float(loss.min())
    if before > 0 and 1 - after / before > _STILL_FALLING:
        yield (
            f"the loss still fell by {1 - after / before:.0%} over the last quarter of the epochs: "
            "more of them (run.epochs, then --force)"
        )
    best = int(loss.argmin()) + 1
    if "valid_loss" in log and 2 * best <= len(loss):
        yield (
            f"the validation loss was smallest after epoch {best} of {len(loss)}: fewer epochs are "
            "enough (run.epochs, or run.patience, which stops them)"
        )


def _numbers(comparison: Comparison, name: str) -> dict[str, float | int | None]:
    factor = next(factor for quantity, _, factor in QUANTITIES if quantity == name)
    statistics = comparison.statistics()
    scaled = {key: factor * statistics[key] for key in ("mae", "rmse", "max")}
    return _plain({"labels": len(comparison.error), **scaled, "pearson": statistics["pearson"]})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }
