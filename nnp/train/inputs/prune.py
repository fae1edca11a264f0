"""Leaving out functions that tell nothing new about the training data.

``correlation`` drops a function whose correlation with a kept one exceeds a threshold. ``cur``
keeps the columns of the data matrix with the largest leverage, one after the other, and takes
each out of the rest: Imbalzano et al., J. Chem. Phys. 148, 241730 (2018), doi:10.1063/1.5024611.

Before either, functions that hardly any atom populates may go: the fit scales them to unit
variance, and one more atom of the rare kind is then an input like none it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nnp.errors import OptionError
from nnp.functions import SymmetryFunction, describe

# Standard deviation, relative to the largest value, below which a function counts as constant.
_CONSTANT = 1e-10
# What is left of a column, relative to its norm, when the kept ones explain it.
_EXPLAINED = 1e-9


class PruneMethod(StrEnum):
    """How functions are chosen."""

    NONE = "none"  # only those that never change are dropped
    CORRELATION = "correlation"
    CUR = "cur"


@dataclass(frozen=True)
class PruneSettings:
    """How functions are chosen.

    Attributes:
        method: ``"correlation"``, ``"cur"`` or ``"none"``.
        threshold: largest correlation allowed between two kept functions.
        count: functions to keep per element with ``cur``; None: until nothing is left to explain.
        rarest: smallest share of the atoms for which a kept function is active, measured as 1 /
            ⟨z⁴⟩ with z of mean 0 and variance 1: m / n for a function with one value on m of n
            atoms, m ≪ n, and another on the rest; a third for a normal distribution. 0 keeps all.
    """

    method: PruneMethod = PruneMethod.CORRELATION
    threshold: float = 0.9999
    count: int | None = None
    rarest: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", PruneMethod(self.method))
        if not 0 < self.threshold <= 1:
            raise OptionError(f"prune threshold = {self.threshold} must be in (0, 1]")
        if not 0 <= self.rarest < 1 / 3:
            raise OptionError(
                f"prune rarest = {self.rarest} must be in [0, 1/3): a third is the share of a "
                "normal distribution"
            )
        if self.count is not None and self.count < 1:
            raise OptionError(f"prune count = {self.count}: keep at least 1 function")


@dataclass(frozen=True, eq=False)
class Pruned:
    """What was kept and why the rest was not.

    Attributes:
        kept: indices into the functions, ascending.
        reasons: one line per dropped function.
    """

    kept: NDArray[np.int64]
    reasons: list[str]


def prune(
    functions: tuple[SymmetryFunction, ...],
    values: NDArray[np.float64],
    settings: PruneSettings,
) -> Pruned:
    """Choose functions by their values over the training data.

    Args:
        functions: of one element.
        values: (n, s) of that element's atoms.
        settings: method and threshold.

    Raises:
        OptionError: none is left, or there is no atom to judge by.
    """
    if not len(values):
        raise OptionError("no atom of this element in the training data: nothing to prune by")
    spread = values.std(axis=0)
    alive = spread > _CONSTANT * np.maximum(np.abs(values).max(axis=0), 1e-30)
    reasons = {
        int(i): f"{describe(functions[i])}: never changes in the training data"
        for i in np.flatnonzero(~alive)
    }
    candidates = np.flatnonzero(alive)
    if not len(candidates):
        raise OptionError("no symmetry function changes in the training data: add some, or data")
    standard = (values[:, candidates] - values[:, candidates].mean(axis=0)) / spread[candidates]
    share = 1 / (standard**4).mean(axis=0)
    rare = share < settings.rarest
    if rare.all():
        raise OptionError(
            f"prune rarest = {settings.rarest}: every function lives on fewer atoms, the most "
            f"populated on {share.max():.2g} of them; lower it"
        )
    for index, part in zip(candidates[rare], share[rare], strict=True):
        reasons[int(index)] = f"{describe(functions[index])}: lives on {part:.1e} of the atoms"
    candidates, standard = candidates[~rare], standard[:, ~rare]
    kept, dropped = _METHODS[settings.method](standard, settings)
    for index, why in dropped.items():
        partner, number = why
        text = f"{describe(functions[candidates[index]])}: "
        if partner is None:
            text += f"adds {number:.1e} of its variance to the kept ones"
        else:
            text += f"correlation {number:.6f} with {describe(functions[candidates[partner]])}"
        reasons[int(candidates[index])] = text
    return Pruned(candidates[sorted(kept)], [reasons[i] for i in sorted(reasons)])


_Dropped = dict[int, tuple[int | None, float]]


def _keep_all(standard: NDArray[np.float64], _: PruneSettings) -> tuple[list[int], _Dropped]:
    return list(range(standard.shape[1])), {}


def _by_correlation(
    standard: NDArray[np.float64], settings: PruneSettings
) -> tuple[list[int], _Dropped]:
    correlation = standard.T @ standard / len(standard)
    kept: list[int] = []
    dropped: _Dropped = {}
    for index in range(len(correlation)):
        with_kept = np.abs(correlation[index, kept])
        if kept and with_kept.max() > settings.threshold:
            partner = kept[int(with_kept.argmax())]
            dropped[index] = (partner, float(correlation[index, partner]))
        else:
            kept.append(index)
    return kept, dropped


def _by_cur(standard: NDArray[np.float64], settings: PruneSettings) -> tuple[list[int], _Dropped]:
    remaining = standard.copy()
    total = np.linalg.norm(standard, axis=0)
    count = min(settings.count or standard.shape[1], standard.shape[1])
    kept: list[int] = []
    for _ in range(count):
        left = np.linalg.norm(remaining, axis=0)
        if not (left > _EXPLAINED * total).any():
            break
        _, _, right = np.linalg.svd(remaining.T @ remaining, hermitian=True)
        leverage = np.where(left > _EXPLAINED * total, right[0] ** 2, -1.0)
        leverage[kept] = -1.0
        best = int(leverage.argmax())
        kept.append(best)
        unit = remaining[:, best] / np.linalg.norm(remaining[:, best])
        remaining -= np.outer(unit, unit @ remaining)
    share = (np.linalg.norm(remaining, axis=0) / total) ** 2
    return kept, {i: (None, float(share[i])) for i in range(len(total)) if i not in kept}


_METHODS = {
    PruneMethod.NONE: _keep_all,
    PruneMethod.CORRELATION: _by_correlation,
    PruneMethod.CUR: _by_cur,
}
