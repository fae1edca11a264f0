"""Settings from what a data set holds: the one place where a fit of nothing but data is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement, pairwise

import numpy as np

from nnp.errors import OptionError
from nnp.io.structures.plausible import bond_length
from nnp.train.data.baseline import BaselineSettings
from nnp.train.data.facts import Facts
from nnp.train.data.repulsion import RepulsionSettings
from nnp.train.data.sets import DataSettings
from nnp.train.fit.initial import NetworkSettings
from nnp.train.fit.loss import LossSettings
from nnp.train.fit.machine import usable_threads
from nnp.train.fit.optimizers import AUTO, OptimizerSettings
from nnp.train.fit.settings import RunSettings, TrainingSettings
from nnp.train.inputs.functions import (
    AngularSettings,
    FunctionSettings,
    GeneratedFunctions,
    RadialSettings,
)
from nnp.train.inputs.moments import GeneratedMoments
from nnp.values import listed

FAMILIES = ("moments", "behler")

# Å. Beyond the first a fit hardly gains; below the last it loses second neighbours.
_CUTOFFS = (6.5, 6.0, 5.5, 5.0)
_MOST_NEIGHBORS = 100  # mean number within the cutoff
MOST_INPUTS = 150
# Structures up to which coefficients are learned, which costs some milliseconds of each one.
_MOST_LEARNED = 20_000
# Neurons of both hidden layers, where labels are at least so many times the weights.
_SIZES, _LABELS_PER_WEIGHT = (24, 16), 2.0
_SMALLEST, _LARGEST, _MANY_LABELS = 10, 32, 1_000_000
# Fewer structures are all trained on.
_FEWEST_TO_SPLIT = 10
_HELD_OUT = 0.1
_STRESS_WEIGHT = 100.0
_MEMORY = 4.0  # GB of the process; inputs beyond are recomputed
# Of a bond's length: below the first a repulsion is offered; it ends at the second, and its switch
# begins at this share of that.
_CLOSE, _OUTER, _INNER = 0.75, 0.8, 0.5


@dataclass(frozen=True)
class Wishes:
    """What is not to be chosen.

    Attributes:
        family: of `FAMILIES`.
        cutoff: Å.
        epochs: how many.
        time: s that the fit may take.
        output: folder of the model.
        zbl: whether to fit on top of a repulsion at short distances.
    """

    family: str | None = None
    cutoff: float | None = None
    epochs: int | None = None
    time: float | None = None
    output: str = "training"
    zbl: bool = False


@dataclass(frozen=True)
class Choice:
    """Settings and why.

    Attributes:
        settings: of the fit.
        reasons: by what was chosen: the choice with its reason.
    """

    settings: TrainingSettings
    reasons: dict[str, str] = field(default_factory=dict)


def choose_settings(
    data: DataSettings, known: Facts, wishes: Wishes | None = None, learn_stress: bool = False
) -> Choice:
    """All settings of a fit.

    Args:
        data: files, keys, units, and what is left out; a split is added where there is none.
        known: facts of the data set.
        wishes: what is not to be chosen.
        learn_stress: whether stresses are there and sound.

    Raises:
        OptionError: an unknown family.
    """
    wishes = wishes or Wishes()
    why: dict[str, str] = {}
    cutoff = _cutoff(known, wishes, why)
    generate = _functions(known, cutoff, wishes, why)
    counts = [len(own) for own in generate.for_elements(known.elements).values()]
    hidden = _hidden(known, counts, why)
    split = data.split
    if not data.validation and split.fraction == 0 and known.structures >= _FEWEST_TO_SPLIT:
        split = replace(split, fraction=_HELD_OUT, blocks=True)
        why["validation"] = (
            f"{_HELD_OUT:.0%} of the structures of each group, drawn at random; neighbouring "
            "frames of a trajectory together"
        )
    elif not data.validation:
        why["validation"] = f"none: {known.structures} structures are too few to hold any out"
    if wishes.epochs is not None:
        why["epochs"] = f"{wishes.epochs}: as asked"
    settings = TrainingSettings(
        data=replace(data, split=split),
        functions=FunctionSettings(generate=generate),
        network=NetworkSettings(hidden=hidden),
        loss=_loss(known, learn_stress, why),
        optimizer=OptimizerSettings(kind=AUTO),
        baseline=_baseline(known, wishes, why),
        run=RunSettings(
            epochs=wishes.epochs,
            max_time=wishes.time,
            max_memory=_MEMORY,
            output=wishes.output,
            threads=usable_threads(),
        ),
    )
    return Choice(settings, why)


def _cutoff(known: Facts, wishes: Wishes, why: dict[str, str]) -> float:
    if wishes.cutoff is not None:
        why["cutoff"] = f"{wishes.cutoff:g} Å: as asked"
        return wishes.cutoff
    for radius in _CUTOFFS:
        count = _mean_neighbors(known, radius)
        if count <= _MOST_NEIGHBORS or radius == _CUTOFFS[-1]:
            break
    why["cutoff"] = (
        f"{radius:g} Å: {count:.0f} neighbours on average, the limit is {_MOST_NEIGHBORS}"
    )
    return radius


def _mean_neighbors(known: Facts, radius: float) -> float:
    """Between the radii that were counted, as the volume grows."""
    radii = [0.0, *known.neighbors]
    counts = [0.0, *(mean for mean, _ in known.neighbors.values())]
    return float(np.interp(radius**3, np.array(radii) ** 3, counts))


def _functions(
    known: Facts, cutoff: float, wishes: Wishes, why: dict[str, str]
) -> GeneratedFunctions | GeneratedMoments:
    """Moments for all, until something else measures better; else Behler's within a budget."""
    family = wishes.family or FAMILIES[0]
    if family == "moments":
        asked = (
            "as asked" if wishes.family else "smaller errors with fewer inputs than other functions"
        )
        why["functions"] = f"moments: {asked}; their number hardly grows with the elements"
        if known.structures <= _MOST_LEARNED:
            return GeneratedMoments(cutoff=cutoff)
        why["functions"] += (
            f"; coefficients of the data, not learned, beyond {_MOST_LEARNED} structures"
        )
        return GeneratedMoments(cutoff=cutoff, learn=False)
    if family != "behler":
        raise OptionError(f"family = {family!r}: allowed are {', '.join(FAMILIES)}")
    n = len(known.elements)
    if n <= 2:
        why["functions"] = "behler: as asked; every element and pair of elements separately"
        return GeneratedFunctions(cutoff=cutoff)
    radial = RadialSettings(count=max(4, min(8, 48 // n)))
    weighted = AngularSettings(weighted=True)
    room = (MOST_INPUTS - weighted.count - n * radial.count) // (n * (n + 1) // 2)
    sets = {
        12: AngularSettings(widths=(15.0, 5.0, 3.0), zetas=(1.0, 4.0)),
        8: AngularSettings(widths=(5.0, 3.0), zetas=(1.0, 4.0)),
        4: AngularSettings(widths=(5.0,), zetas=(1.0, 4.0)),
        2: AngularSettings(widths=(5.0,), zetas=(1.0,)),
    }
    angular = next((own for count, own in sets.items() if count <= room), None)
    why["functions"] = (
        f"behler: as asked; {n} elements: angular ones weighted over the elements, and "
        f"{angular.count if angular else 'no'} for each pair, for at most {MOST_INPUTS} inputs"
    )
    both = (weighted, angular) if angular else (weighted,)
    return GeneratedFunctions(cutoff=cutoff, radial=(radial,), angular=both)


def _hidden(known: Facts, counts: Sequence[int], why: dict[str, str]) -> tuple[int, int]:
    """Both layers alike: as large as the labels can decide."""
    energies, forces = known.labels.get("energy", 0), known.labels.get("forces", 0)
    labels = energies + 3 * known.atoms * forces // max(known.structures, 1)
    sizes = [_LARGEST, *_SIZES] if labels >= _MANY_LABELS else list(_SIZES)
    for size in [*sizes, _SMALLEST]:
        weights = sum((a + 1) * b for count in counts for a, b in pairwise((count, size, size, 1)))
        if labels >= _LABELS_PER_WEIGHT * weights:
            break
    why["network"] = (
        f"{size}-{size} neurons per element: {weights} weights for {labels} labels, with "
        f"{max(counts)} inputs"
    )
    return size, size


def _loss(known: Facts, learn_stress: bool, why: dict[str, str]) -> LossSettings:
    stress = _STRESS_WEIGHT if learn_stress else 0.0
    learned = [name for name in ("energy", "forces") if name in known.labels]
    why["learned"] = listed([*learned, "stress"] if learn_stress else learned)
    if "stress" in known.labels and not learn_stress:
        why["learned"] += "; no stress: it is not there for all, or looks wrong"
    return LossSettings(stress=stress)


def _baseline(known: Facts, wishes: Wishes, why: dict[str, str]) -> BaselineSettings:
    """ZBL's repulsion between all elements, below what bonds are; offered where data are close."""
    if not wishes.zbl:
        shares = {p: r / bond_length(*p.split("-")) for p, r in known.shortest.items()}
        closest = min(shares, key=shares.__getitem__, default="")
        if closest and shares[closest] < _CLOSE:
            why["repulsion"] = (
                f"none; {closest} come as close as {known.shortest[closest]:.2f} Å, "
                f"{shares[closest]:.2f} of a bond: --zbl fits on top of ZBL's repulsion"
            )
        return BaselineSettings()
    pairs = {}
    for first, second in combinations_with_replacement(known.elements, 2):
        outer = round(_OUTER * bond_length(first, second), 3)
        pairs[f"{first}-{second}"] = (round(_INNER * outer, 3), outer)
    largest = max(outer for _, outer in pairs.values())
    why["repulsion"] = (
        f"ZBL's, as asked: below {_OUTER:g} of a bond's length of each pair, {largest:.2f} Å at "
        "most; subtracted from the labels, and part of the potential"
    )
    return BaselineSettings(zbl=RepulsionSettings(pairs=pairs))
